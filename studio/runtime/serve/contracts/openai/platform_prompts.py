"""Conversations at the addresses that platforms have for every kind of model.

SageMaker, Vertex AI and Azure Machine Learning send each body to one address of a container. They
send its answer back, whole or as a stream. A language model takes OpenAI's bodies there.
"""

from __future__ import annotations

from typing import Mapping, Optional, Sequence, Tuple

from ....generate.request import Generation
from ....generate.sampler import Choice
from ...engine.served_model import ServedModel
from ...http.exchange import Exchange
from ...http.message import Response
from ...service import Service
from ...texts.answer import Documents, PreparedAnswer
from ...texts.preparation import answer_text, desk_of
from .endpoints import read_chat_answer, read_text_answer, refusals
from .errors import BadField
from .fields import Document, read_document


def answer_prompt(service: Service, exchange: Exchange, model: ServedModel) -> None:
    """Answer a conversation or a text; the address has named the model."""

    def prepare() -> Tuple[ServedModel, PreparedAnswer]:
        with refusals():
            document, wrapped = _unwrapped(read_document(exchange.request.body))
            read = read_chat_answer if "messages" in document else read_text_answer
            generator = model.generator
            assert generator is not None, "the caller has looked"
            want = read(model, generator, document)
            if wrapped and want.stream:
                sentence = "A stream has no predictions: send the conversation without instances."
                raise BadField("stream", sentence)
            desk.note(want.ignored, service.log.event)
            if wrapped:
                want = want._replace(documents=PredictionDocuments(want.documents))
            return model, want

    desk = desk_of(service)
    answer_text(service, exchange, prepare)


def _unwrapped(document: Document) -> Tuple[Document, bool]:
    """Return OpenAI's body, and whether it was the one instance of a prediction.

    Raises:
        BadField: when it is one of several.
    """
    if "messages" in document or "prompt" in document:
        return document, False
    instances = document.get("instances")
    if not isinstance(instances, list) or len(instances) != 1:
        raise BadField("instances", "instances has one conversation, and a request for each.")
    given, more = instances[0], document.get("parameters")
    if not isinstance(given, Mapping):
        raise BadField("instances", "An instance is an object with messages or a prompt.")
    shared = more if isinstance(more, Mapping) else {}
    return {**shared, **given}, True


class PredictionDocuments:
    """Documents of an answer that is the one prediction of a list.

    Attributes:
        holds_text: As of the documents within.
    """

    def __init__(self, within: Documents) -> None:
        self._within = within
        self.holds_text = within.holds_text

    def whole(self, generation: Generation, text: str, choices: Sequence[Choice]) -> Response:
        """Return the whole answer as a prediction."""
        response = self._within.whole(generation, text, choices)
        response.body = b'{"predictions":[' + response.body + b"]}"
        return response

    def first(self) -> bytes:
        """Return nothing: there is no stream of predictions."""
        return b""

    def part(self, text: str, choice: Optional[Choice]) -> bytes:
        """Return nothing, as ``first``."""
        return b""

    def end(self, generation: Generation, text: str) -> bytes:
        """Return nothing, as ``first``."""
        return b""

    def failure(self, status: int, sentence: str) -> bytes:
        """Return the failure of the documents within."""
        return self._within.failure(status, sentence)

    def error(self, status: int, sentence: str, headers: str) -> Response:
        """Return the error of the documents within."""
        return self._within.error(status, sentence, headers)
