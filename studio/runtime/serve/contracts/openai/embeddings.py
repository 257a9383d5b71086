"""OpenAI's endpoint for embeddings: vectors of texts."""

from __future__ import annotations

import base64
import json
import time
from typing import Optional

import numpy as np

from ....backends.backend_model import RunOptions
from ....encoder.text_encoder import TextEncoder
from ...engine.call import InferenceCall
from ...engine.served_model import ServedModel
from ...http.content_encoding import content_of
from ...http.exchange import Exchange
from ...http.message import JSON, HttpError, Response
from ...protocol.codec import Inference
from ...protocol.tensor_data import numbers_of
from ...rest.router import TEXT_BYTES, PathNames
from ...service import Service
from ...texts.preparation import desk_of
from ...texts.refusal import Refusal
from .embedding_question import EmbeddingQuestion, read_embedding
from .errors import BadField, error_response, of_http
from .fields import Document, read_document
from .models import named_model

_LARGE = 8 * 1024
"""Bytes of a request whose reading would keep the event loop from other clients."""
_clock = time.monotonic


class EmbeddingCall(InferenceCall):
    """A request for embeddings on its way through a model."""

    heavy = True
    repeats = False
    has_meaning = True

    def __init__(
        self, exchange: Exchange, model: ServedModel, document: Document, service: Service
    ) -> None:
        super().__init__(exchange, model, service.max_body)
        assert model.encoder is not None
        self._encoder: TextEncoder = model.encoder
        self._document = document
        self._desk = desk_of(service)
        self._log = service.log.event
        self._fault: Optional[BadField] = None
        self._question: EmbeddingQuestion

    def _read(self) -> Inference:
        try:
            self._question = found = read_embedding(self._document, self._encoder)
        except BadField as error:
            self._fault = error
            raise HttpError(400, str(error)) from None
        self._document = {}
        if found.ignored:
            self._desk.post(lambda: self._desk.note(found.ignored, self._log))
        return Inference("", {}, [], len(found.texts))

    def run(self, options: Optional[RunOptions] = None) -> None:
        """Run the model on all texts, similar lengths together."""
        try:
            vectors = self._vectors(options)
            self.inferred = _clock()
            self._response = self._answer(vectors)
        except ValueError as error:
            self._fail(500, "BACKEND", str(error))
        except Exception as error:  # as in decode
            self._fail_because(error, options)

    def _vectors(self, options: Optional[RunOptions]) -> np.ndarray:
        question, encoder = self._question, self._encoder
        output = encoder.settings.output
        found = np.empty((len(question.texts), question.dimensions), np.float32)
        self._runs = self._rows = 0
        for one in encoder.runs(question.texts):
            if self._exchange.gone:
                raise HttpError(503, "Client disconnected.")
            (states,) = self._model.session.run(one.feeds, [output], options)
            states = numbers_of(states, self._model.outputs[output])
            found[list(one.places)] = encoder.vectors(one, states, question.dimensions)
            self._runs += 1
        return found

    def _answer(self, vectors: np.ndarray) -> Response:
        question = self._question
        write = _in_base64 if question.base64 else _in_numbers
        rows = (
            '{{"object":"embedding","index":{},"embedding":{}}}'.format(place, write(vector))
            for place, vector in enumerate(vectors)
        )
        usage = {"prompt_tokens": question.tokens, "total_tokens": question.tokens}
        text = '{{"object":"list","data":[{}],"model":{},"usage":{}}}'.format(
            ",".join(rows), json.dumps(self._model.name), json.dumps(usage)
        )
        return Response(200, text.encode("utf-8"), JSON, self._model.headers)

    def _fail(self, status: int, reason: str, sentence: str) -> None:
        super()._fail(status, reason, sentence)
        fault = self._fault
        field, code = (fault.field or None, fault.code) if fault is not None else (None, None)
        self._response = error_response(status, sentence, field, code, self._model.headers)


def embeddings(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Return the vectors of texts."""
    if len(exchange.request.body) > _LARGE:
        service.begin(_read_aside(service, exchange))
        return None
    try:
        document = _document(service, exchange)
    except (BadField, HttpError) as error:
        return _refusal(error)
    return _begin(service, exchange, document)


async def _read_aside(service: Service, exchange: Exchange) -> None:
    """Read a large request on a thread, and begin with its answer."""
    response: Optional[Response]
    try:
        document = await service.executor.loop.run_in_executor(None, _document, service, exchange)
        response = None if exchange.gone else _begin(service, exchange, document)
    except (BadField, HttpError) as error:
        response = _refusal(error)
    except Exception as error:  # the client must not wait for ever
        service.log.event("request failed", error=repr(error))
        response = error_response(500, "The request could not be prepared.")
    if response is not None:
        exchange.answer(response)


def _document(service: Service, exchange: Exchange) -> Document:
    return read_document(content_of(exchange.request, min(service.max_body, TEXT_BYTES)))


def _begin(service: Service, exchange: Exchange, document: Document) -> Optional[Response]:
    try:
        model = named_model(service, document, "model of embeddings", _encodes)
        return service.infer(exchange, model, EmbeddingCall(exchange, model, document, service))
    except Refusal as refusal:
        return refusal.response
    except (BadField, HttpError) as error:
        return _refusal(error)


def _encodes(model: ServedModel) -> bool:
    return model.encoder is not None


def _refusal(error: Exception) -> Response:
    if isinstance(error, BadField):
        return error.response()
    assert isinstance(error, HttpError)
    return of_http(error)


def _in_numbers(vector: np.ndarray) -> str:
    # Nine digits are every float32, and half of what a double would take.
    return "[{}]".format(",".join(["%.9g" % value for value in vector.tolist()]))


def _in_base64(vector: np.ndarray) -> str:
    return '"{}"'.format(base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii"))
