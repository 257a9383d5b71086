"""The endpoints of OpenAI's interface."""

from __future__ import annotations

from typing import Callable, List, Optional, Tuple, Union

from ....generate.generator import BadPrompt, TextGenerator
from ....generate.request import GenerationRequest
from ...engine.served_model import ServedModel
from ...http.exchange import Exchange
from ...http.message import Response
from ...rest.router import PathNames, Route
from ...service import Service
from ...texts.answer import PreparedAnswer
from ...texts.preparation import Refusal, answer_text, desk_of
from .answers import new_form
from .documents import OpenAiDocuments
from .errors import BadField, error_response
from .fields import Document, read_document
from .models import named_model
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


def _answer(service: Service, exchange: Exchange, read: _Read) -> None:
    def prepare() -> Tuple[ServedModel, PreparedAnswer]:
        try:
            document = read_document(exchange.request.body)
            model, generator = _generator_of(service, document)
            want = read(model, generator, document)
            desk.note(want.ignored, service.log.event)
            return model, want
        except BadField as error:
            raise Refusal(error.response()) from None
        except BadPrompt as error:
            code = "context_length_exceeded" if "context" in str(error) else None
            raise Refusal(error_response(400, str(error), "messages", code)) from None

    desk = desk_of(service)
    answer_text(service, exchange, prepare)


def _generator_of(service: Service, document: Document) -> Tuple[ServedModel, TextGenerator]:
    model = named_model(service, document, "language model", _writes)
    if model.generator is None:
        raise Refusal(error_response(404, "The model writes no text.", "model"))
    return model, model.generator


def _writes(model: ServedModel) -> bool:
    return model.generator is not None


def _read_chat(model: ServedModel, generator: TextGenerator, document: Document) -> PreparedAnswer:
    given = read_chat(document, generator.model.facts.vocabulary)
    text = generator.prompt_of(given.messages, given.tools or None, given.variables)
    tokens = generator.tokens_of(text, special=True)
    return _wanted(model, generator, given.question, tokens, given)


def _read_completion(
    model: ServedModel, generator: TextGenerator, document: Document
) -> PreparedAnswer:
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
    Route("POST", "/v1/chat/completions", chat, body=_MOST_BODY),
    Route("POST", "/v1/completions", completion, body=_MOST_BODY),
)
