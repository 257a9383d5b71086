"""The endpoints of OpenAI's interface."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Tuple, Union

from ....generate.generator import BadPrompt, RefusedPrompt, TextGenerator
from ....generate.request import GenerationRequest
from ...engine.served_model import ServedModel
from ...http.exchange import Exchange
from ...http.message import HttpError, Response
from ...rest.router import PathNames, Route
from ...service import Service
from ...texts.answer import PreparedAnswer
from ...texts.preparation import Refusal, answer_text, desk_of
from .answers import new_form
from .documents import OpenAiDocuments
from .errors import BadField, error_response
from .fields import Document, read_document
from .questions import ChatQuestion, CommonFields, CompletionQuestion, read_chat, read_completion

_MOST_BODY = 8 << 20
_Read = Callable[[ServedModel, TextGenerator, Document], PreparedAnswer]


def chat(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Answer a conversation."""
    _answer(service, exchange, _read_chat)
    return None


def completion(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Continue a text."""
    _answer(service, exchange, _read_completion)
    return None


def models(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the models, for clients of OpenAI and for those of TensorFlow Serving."""
    served = service.repository.all()
    rows = {model.name: _described(service, model) for model in served if model.generator}
    every = sorted({model.name for model in served})
    if not rows:
        return Response.of({"models": every})
    return Response.of({"object": "list", "data": [rows[n] for n in sorted(rows)], "models": every})


def describe(service: Service, model: ServedModel) -> Optional[Dict[str, object]]:
    """Return a language model as clients of OpenAI know it; None for any other model."""
    return _described(service, model) if model.generator is not None else None


def _described(service: Service, model: ServedModel) -> Dict[str, object]:
    assert model.generator is not None
    facts = model.generator.model.facts
    return {
        "id": model.name,
        "object": "model",
        "created": int(service.started),
        "owned_by": "edgewright",
        "max_model_len": facts.context,
        "version": model.version,
        "digest": model.source.digest,
    }


def _answer(service: Service, exchange: Exchange, read: _Read) -> None:
    def prepare() -> Tuple[ServedModel, PreparedAnswer]:
        try:
            document = read_document(exchange.request.body)
            model, generator = _model_of(service, document)
            want = read(model, generator, document)
            desk.note(want.ignored, service.log.event)
            return model, want
        except BadField as error:
            raise Refusal(error.response()) from None
        except RefusedPrompt as error:
            raise Refusal(error_response(400, str(error), "prompt", "content_filter")) from None
        except BadPrompt as error:
            code = "context_length_exceeded" if "context" in str(error) else None
            raise Refusal(error_response(400, str(error), "messages", code)) from None

    desk = desk_of(service)
    answer_text(service, exchange, prepare)


def _model_of(service: Service, document: Document) -> Tuple[ServedModel, TextGenerator]:
    wanted = document.get("model", "")
    if not isinstance(wanted, str):
        raise BadField("model", "model is a text.")
    found = [model for model in service.repository.all() if model.generator is not None]
    names = sorted({model.name for model in found})
    if not wanted and len(names) == 1:
        wanted = names[0]
    if wanted not in names:
        known = ", ".join(names) or "none"
        sentence = "This server has no language model {!r}, but {}."
        code = "model_not_found"
        raise Refusal(error_response(404, sentence.format(wanted[:100], known), "model", code))
    try:
        model = service.repository.find(wanted)
    except HttpError as error:
        raise Refusal(error_response(error.status, error.sentence, "model")) from None
    generator = model.generator
    if generator is None:
        raise Refusal(error_response(404, "The model writes no text.", "model"))
    return model, generator


def _read_chat(model: ServedModel, generator: TextGenerator, document: Document) -> PreparedAnswer:
    given = read_chat(document, generator.model.facts.vocabulary)
    text = generator.prompt_of(given.messages, given.tools or None, given.variables)
    tokens = generator.tokens_of(text, special=True)
    return _wanted(model, generator, given.question, tokens, given)


def _read_completion(
    model: ServedModel, generator: TextGenerator, document: Document
) -> PreparedAnswer:
    given = read_completion(document, generator.model.facts.vocabulary)
    tokens = list(given.tokens)
    if tokens:
        generator.check_tokens(tokens)
    else:
        tokens = generator.tokens_of(given.prompt)
    return _wanted(model, generator, given.question, tokens, given)


def _wanted(
    model: ServedModel,
    generator: TextGenerator,
    question: CommonFields,
    tokens: List[int],
    given: Union[ChatQuestion, CompletionQuestion],
) -> PreparedAnswer:
    held = generator.guard is not None and generator.guard.holds_answers
    if held and question.sampling.alternatives is not None:
        raise BadField("logprobs", "logprobs are not given where guard rules hold answers.")
    is_chat = isinstance(given, ChatQuestion)
    tools = isinstance(given, ChatQuestion) and bool(given.tools)
    echo = given.prompt if isinstance(given, CompletionQuestion) and given.echo else ""
    form = new_form(is_chat, model.name)
    documents = OpenAiDocuments(form, generator.model, question.counts, tools)
    most = question.most or generator.model.facts.context
    request = GenerationRequest(
        tokens, most, question.sampling, question.stops, question.constraint, question.ends
    )._replace(words=_words(given))
    return PreparedAnswer(request, question.stream, documents, echo, question.ignored)


def _words(given: Union[ChatQuestion, CompletionQuestion]) -> str:
    """Return what the client wrote last, without templates and earlier messages."""
    if isinstance(given, CompletionQuestion):
        return given.prompt
    users = [one["content"] for one in given.messages if one["role"] == "user"]
    return str(users[-1]) if users else ""


ROUTES = (
    Route("POST", "/v1/chat/completions", chat, body=_MOST_BODY),
    Route("POST", "/v1/completions", completion, body=_MOST_BODY),
)
