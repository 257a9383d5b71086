"""The endpoints of OpenAI's interface."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Callable, Dict, Iterator, List, Optional, Tuple, Union

from ....generate.generator import BadPrompt, TextGenerator
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

MOST_BODY = 8 << 20
ReadAnswer = Callable[[ServedModel, TextGenerator, Document], PreparedAnswer]


def chat(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Answer a conversation."""
    _answer(service, exchange, read_chat_answer)
    return None


def completion(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Continue a text."""
    _answer(service, exchange, read_text_answer)
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


def _answer(service: Service, exchange: Exchange, read: ReadAnswer) -> None:
    def prepare() -> Tuple[ServedModel, PreparedAnswer]:
        with refusals():
            document = read_document(exchange.request.body)
            model, generator = _model_of(service, document)
            want = read(model, generator, document)
            desk.note(want.ignored, service.log.event)
            return model, want

    desk = desk_of(service)
    answer_text(service, exchange, prepare)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what is wrong with a request into the answer to it.

    Raises:
        Refusal: for a field or a prompt that cannot be used.
    """
    try:
        yield
    except BadField as error:
        raise Refusal(error.response()) from None
    except BadPrompt as error:
        code = "context_length_exceeded" if "context" in str(error) else None
        raise Refusal(error_response(400, str(error), "messages", code)) from None


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


def read_chat_answer(
    model: ServedModel, generator: TextGenerator, document: Document
) -> PreparedAnswer:
    """Return the answer that a conversation wants.

    Raises:
        BadField, BadPrompt: when it cannot be answered.
    """
    given = read_chat(document, generator.model.facts.vocabulary)
    text = generator.prompt_of(given.messages, given.tools or None, given.variables)
    tokens = generator.tokens_of(text, special=True)
    return _wanted(model, generator, given.question, tokens, given)


def read_text_answer(
    model: ServedModel, generator: TextGenerator, document: Document
) -> PreparedAnswer:
    """Return the answer that a text or a list of tokens wants.

    Raises:
        BadField, BadPrompt: when it cannot be answered.
    """
    given = read_completion(document, generator.model.facts.vocabulary)
    tokens = list(given.tokens) or generator.tokens_of(given.prompt)
    generator.check_length(len(tokens))
    return _wanted(model, generator, given.question, tokens, given)


def _wanted(
    model: ServedModel,
    generator: TextGenerator,
    question: CommonFields,
    tokens: List[int],
    given: Union[ChatQuestion, CompletionQuestion],
) -> PreparedAnswer:
    is_chat = isinstance(given, ChatQuestion)
    tools = isinstance(given, ChatQuestion) and bool(given.tools)
    echo = given.prompt if isinstance(given, CompletionQuestion) and given.echo else ""
    form = new_form(is_chat, model.name)
    documents = OpenAiDocuments(form, generator.model, question.counts, tools)
    most = question.most or generator.model.facts.context
    request = GenerationRequest(
        tokens, most, question.sampling, question.stops, question.constraint, question.ends
    )
    return PreparedAnswer(request, question.stream, documents, echo, question.ignored)


ROUTES = (
    Route("POST", "/v1/chat/completions", chat, body=MOST_BODY),
    Route("POST", "/v1/completions", completion, body=MOST_BODY),
)
