"""Generate extension of the Open Inference Protocol: a text in, a text out, whole or as events.

Requests and answers are those of Triton's extension and of KServe's specification
(``generate_rest.yaml``), with ``done`` in each event of a stream.
"""

from __future__ import annotations

import json
from typing import Dict, NamedTuple, Optional, Sequence, Tuple

from ...generate.conversation import Conversation
from ...generate.generator import TextGenerator
from ...generate.prompt_reader import BadPrompt
from ...generate.request import Generation, GenerationRequest, Reason
from ...generate.sampler import Choice, Sampling
from ..engine.served_model import ServedModel
from ..http.content_encoding import content_of
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..rest.router import TEXT_BYTES, PathNames
from ..service import Service
from ..texts.answer import PreparedAnswer
from ..texts.preparation import answer_text, desk_of
from ..texts.refusal import Refusal
from .openai.errors import BadField
from .openai.fields import Document, Fields, read_document

_MOST_TOKENS = 1 << 20
_USUAL_TOKENS = 20
"""Tokens of an answer, as the specification has it."""
_LONGEST_ID = 200


class TextQuestion(NamedTuple):
    """A text that wants to be continued.

    Attributes:
        id: The client's own, sent back; empty without one.
        most: Tokens of the answer at most.
        pieces: A stream has an event for each piece of text; otherwise one event.
        ignored: Names of parameters that are not known here.
    """

    id: str
    text: str
    most: int
    sampling: Sampling
    stops: Tuple[str, ...]
    pieces: Optional[bool]
    ignored: Tuple[str, ...]


class GenerateDocuments:
    """Documents of one answer.

    Attributes:
        holds_text: The stream has one event.
    """

    def __init__(self, model: ServedModel, identifier: str, holds_text: bool) -> None:
        self.holds_text = holds_text
        head: Dict[str, object] = {"id": identifier} if identifier else {}
        self._head = {**head, "model_name": model.name, "model_version": model.version}

    def whole(self, generation: Generation, text: str, choices: Sequence[Choice]) -> Response:
        """Return the whole answer."""
        return Response.of({**self._head, "text_output": text, **_cut(generation)})

    def first(self) -> bytes:
        """Return nothing: a stream begins with its text."""
        return b""

    def part(self, text: str, choice: Optional[Choice]) -> bytes:
        """Return an event with text."""
        return self._event(text, done=False)

    def end(self, generation: Generation, text: str) -> bytes:
        """Return the last event."""
        return self._event(text, done=True, **_cut(generation))

    def failure(self, status: int, sentence: str) -> bytes:
        """Return the event that ends a stream which failed."""
        return _event({"error": sentence})

    def error(self, status: int, sentence: str, headers: str) -> Response:
        """Return an error."""
        return Response.error(status, sentence, headers)

    def _event(self, text: str, done: bool, **more: str) -> bytes:
        return _event({**self._head, "text_output": text, "done": done, **more})


def _cut(generation: Generation) -> Dict[str, str]:
    """Return the mark of an answer that a guard rule has cut, which the specification lacks."""
    cut = generation.reason is Reason.FILTERED
    return {"finish_reason": Reason.FILTERED.value} if cut else {}


def generate(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Continue a text; the answer is one document."""
    _answer(service, exchange, names, stream=False)
    return None


def generate_stream(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Continue a text; the answer is a stream of events."""
    _answer(service, exchange, names, stream=True)
    return None


def _answer(service: Service, exchange: Exchange, names: PathNames, stream: bool) -> None:
    def prepare() -> Tuple[ServedModel, PreparedAnswer]:
        try:
            body = content_of(exchange.request, min(service.max_body, TEXT_BYTES))
            model = service.repository.find(names.model, names.version)
            found = _prepared(model, _generator_of(model), read_document(body), stream)
        except HttpError as error:
            raise Refusal(error.response()) from None
        except (BadField, BadPrompt) as error:
            raise Refusal(Response.error(400, str(error))) from None
        desk.note(found.ignored, service.log.event)
        return model, found

    desk = desk_of(service)
    answer_text(service, exchange, prepare)


def _generator_of(model: ServedModel) -> TextGenerator:
    if model.generator is None:
        sentence = "The model {!r} writes no text: use /infer."
        raise HttpError(400, sentence.format(model.name))
    return model.generator


def _prepared(
    model: ServedModel, generator: TextGenerator, document: Document, stream: bool
) -> PreparedAnswer:
    question = read_text(document, generator.model.facts.vocabulary)
    if question.pieces and not stream:
        raise BadField("stream", "A stream is the answer of /generate_stream alone.")
    conversation = Conversation(text=question.text)
    tokens = generator.read(conversation)
    holds = stream and question.pieces is False
    documents = GenerateDocuments(model, question.id, holds)
    request = GenerationRequest(
        tokens, question.most, question.sampling, question.stops, conversation=conversation
    )
    return PreparedAnswer(request, stream, documents, ignored=question.ignored)


def read_text(document: Document, vocabulary: int) -> TextQuestion:
    """Return what a body asks for; parameters may also stand next to the text.

    Raises:
        BadField: when a field cannot be used.
    """
    outer = Fields(document)
    text = outer.text("text_input")
    if not text:
        raise BadField("text_input", "text_input is a text.")
    identifier = outer.text("id")
    if len(identifier) > _LONGEST_ID:
        raise BadField("id", "id has at most {} characters.".format(_LONGEST_ID))
    rest = {name: value for name, value in document.items() if name not in _OUTER}
    fields = Fields({**rest, **outer.part("parameters")})
    most = fields.whole("max_tokens", 1, _MOST_TOKENS, _USUAL_TOKENS) or _USUAL_TOKENS
    sampling = Sampling(
        temperature=fields.number("temperature", 0.0, 2.0, 0.0),
        top_p=fields.number("top_p", 0.0, 1.0, 1.0),
        seed=fields.seed(),
        presence=fields.number("presence_penalty", -2.0, 2.0, 0.0),
        frequency=fields.number("frequency_penalty", -2.0, 2.0, 0.0),
        top_k=fields.whole("top_k", 0, vocabulary, 0) or 0,
        min_p=fields.number("min_p", 0.0, 1.0, 0.0),
    )
    fields.whole("best_of", 0, 1)
    stops = fields.stops()
    pieces = None if fields.get("stream") is None else fields.flag("stream")
    return TextQuestion(identifier, text, most, sampling, stops, pieces, fields.ignored())


_OUTER = ("id", "text_input", "parameters")


def _event(document: object) -> bytes:
    return "data: {}\n\n".format(json.dumps(document, separators=(",", ":"))).encode("utf-8")
