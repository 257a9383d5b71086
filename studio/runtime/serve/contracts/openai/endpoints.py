"""The endpoints of OpenAI's interface."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Callable, Iterator, Optional, Tuple, Union

from ....generate.conversation import Conversation
from ....generate.generator import RefusedPrompt, TextGenerator
from ....generate.prompt_reader import BadPrompt
from ....generate.request import GenerationRequest
from ...engine.served_model import ServedModel
from ...http.exchange import Exchange
from ...http.message import Response
from ...rest.router import PathNames
from ...service import Service
from ...texts.answer import PreparedAnswer
from ...texts.preparation import answer_text, desk_of
from ...texts.refusal import Refusal
from .answers import new_form
from .documents import OpenAiDocuments
from .errors import BadField, error_response
from .fields import Document, read_document
from .models import named_model
from .questions import ChatQuestion, CommonFields, CompletionQuestion, read_chat, read_completion

ReadAnswer = Callable[[ServedModel, TextGenerator, Document], PreparedAnswer]


def chat(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Answer a conversation."""
    _answer(service, exchange, read_chat_answer)
    return None


def completion(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Continue a text."""
    _answer(service, exchange, read_text_answer)
    return None


def _answer(service: Service, exchange: Exchange, read: ReadAnswer) -> None:
    def prepare() -> Tuple[ServedModel, PreparedAnswer]:
        with refusals():
            document = read_document(exchange.request.body)
            model, generator = _generator_of(service, document)
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
    except RefusedPrompt as error:
        raise Refusal(error_response(400, str(error), "prompt", "content_filter")) from None
    except BadPrompt as error:
        code = "context_length_exceeded" if "context" in str(error) else None
        raise Refusal(error_response(400, str(error), "messages", code)) from None


def _generator_of(service: Service, document: Document) -> Tuple[ServedModel, TextGenerator]:
    model = named_model(service, document, "language model", _writes)
    if model.generator is None:
        raise Refusal(error_response(404, "The model writes no text.", "model"))
    return model, model.generator


def _writes(model: ServedModel) -> bool:
    return model.generator is not None


def read_chat_answer(
    model: ServedModel, generator: TextGenerator, document: Document
) -> PreparedAnswer:
    """Return the answer that a conversation wants.

    Raises:
        BadField, BadPrompt: when it cannot be answered.
    """
    given = read_chat(document, generator.model.facts.vocabulary)
    conversation = Conversation(given.messages, given.tools, given.variables)
    return _wanted(model, generator, given.question, conversation, given)


def read_text_answer(
    model: ServedModel, generator: TextGenerator, document: Document
) -> PreparedAnswer:
    """Return the answer that a text or a list of tokens wants.

    Raises:
        BadField, BadPrompt: when it cannot be answered.
    """
    given = read_completion(document, generator.model.facts.vocabulary)
    conversation = Conversation(text=given.prompt, tokens=given.tokens)
    return _wanted(model, generator, given.question, conversation, given)


def _wanted(
    model: ServedModel,
    generator: TextGenerator,
    question: CommonFields,
    conversation: Conversation,
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
        generator.read(conversation),
        most,
        question.sampling,
        question.stops,
        question.constraint,
        question.ends,
        conversation,
    )
    return PreparedAnswer(request, question.stream, documents, echo, question.ignored)
