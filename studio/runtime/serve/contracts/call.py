"""A request of any contract on its way through a model."""

from __future__ import annotations

import re
import time
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ...backends.backend_model import RunOptions
from ..engine.call import InferenceCall
from ..engine.served_model import ServedModel
from ..http.content_encoding import content_of
from ..http.exchange import Exchange
from ..http.message import Body, HttpError, Request, Response
from ..protocol.codec import Inference, decode, kind_of
from ..protocol.request_template import RequestedOutput
from ..protocol.tensor_data import numbers_of
from ..rest.router import TEXT_BYTES
from ..service import Service
from . import bodies
from .answer_picture import kind_of_drawing
from .documents import document_of, is_open_inference, read_document
from .predictions import CSV, NPY, as_csv, as_json, as_npy, instances_of
from .question import Question

_TRITON = "application/vnd.sagemaker-triton.binary+json"
_HEADER_SIZE = "json-header-size"
_LENGTH = "inference-header-content-length"
_PROMPT = re.compile(rb'"(?:messages|prompt)"\s*:')
"""A key of OpenAI's bodies: within a text of JSON its quotation marks would be escaped."""
_JSON_TYPES = ("application/json", "application/json; charset=utf-8", "")
_BODIES = {
    CSV: bodies.read_csv,
    NPY: bodies.read_npy,
    "application/octet-stream": bodies.read_raw,
}


def plain_refusal(status: int, sentence: str, headers: str) -> Response:
    """Return the error body that most contracts leave open, or give as this one."""
    return Response.error(status, sentence, headers)


Answer = Callable[[Sequence[np.ndarray], ServedModel, Optional[Question]], Response]


class Contract(NamedTuple):
    """Contract of a platform: the points in which platforms differ.

    Attributes:
        strict: Whether an unknown content type is refused; otherwise it is JSON, as ``curl -d``
            does not declare its content.
        outputs_key: Key of the answer to column format.
        refusal: Makes the answer of an error: status, sentence, header lines.
        picture: Only pictures are accepted, whatever the content type is.
        draws: Whether the answer may be a picture with the answer on it.
        answer: Makes the answer, where it is not that of ``predictions``: of the outputs, the
            model, and the question (None for a request of the Open Inference Protocol).
    """

    strict: bool = False
    outputs_key: str = "predictions"
    refusal: Callable[[int, str, str], Response] = plain_refusal
    picture: bool = False
    draws: bool = False
    answer: Optional[Answer] = None


class ContractCall(InferenceCall):
    """Reads and answers in the words of a contract; runs like every other request."""

    repeats = False
    has_meaning = True

    def __init__(
        self, exchange: Exchange, model: ServedModel, max_body: int, contract: Contract
    ) -> None:
        super().__init__(exchange, model, max_body)
        self._contract = contract
        self._kind, self._parameters = media_type(exchange.request.headers.get("content-type", ""))
        self.heavy = contract.picture or self._kind.startswith("image/")
        self._question: Optional[Question] = None

    def is_read_quickly(self, request: Request, most: int) -> bool:
        """As of the Open Inference Protocol, for bodies that are taken as such unread."""
        if len(request.body) >= most and self._kind != "application/octet-stream":
            return False
        return super().is_read_quickly(request, most)

    def _read(self) -> Inference:
        """Understand the request; one of the Open Inference Protocol is taken as such."""
        body = content_of(self._exchange.request, self._max_body)
        headers, kind = self._exchange.request.headers, self._kind
        if self._contract.picture or kind.startswith("image/"):
            drawing = self._drawing()
            found = bodies.read_picture(body, self._model, keep=bool(drawing))
            return self._inference_of(found._replace(drawing=drawing))
        if self._drawing():
            raise HttpError(406, "A picture is the answer to pictures alone. Accept JSON.")
        if kind == _TRITON:
            return self._open(body, self._parameters.partition(_HEADER_SIZE + "=")[2])
        if kind == "application/octet-stream" and _LENGTH in headers:
            return self._open(body, headers[_LENGTH])
        if kind in _BODIES:
            return self._inference_of(_BODIES[kind](body, self._model))
        if self._contract.strict and kind not in _JSON_TYPES:
            sentence = "The content type {!r} is not taken here; JSON, CSV, {} and pictures are."
            raise HttpError(415, sentence.format(kind[:60], NPY))
        document = document_of(body)
        if is_open_inference(document):
            return self._open(body, None)
        return self._inference_of(read_document(document, self._model))

    def _drawing(self) -> str:
        if not self._contract.draws:
            return ""
        return kind_of_drawing(self._exchange.request.headers.get("accept", ""))

    def _open(self, body: Body, length: Optional[str]) -> Inference:
        inference = decode(body, length, self._model.inputs, self._model.outputs)
        if self._contract.answer is None:
            return inference
        return inference._replace(wanted=self._all_outputs(), plan=None, kind=None)

    def _all_outputs(self) -> List[RequestedOutput]:
        return [RequestedOutput(name, False) for name in self._model.outputs]

    def _inference_of(self, question: Question) -> Inference:
        self._question = question
        wanted = self._all_outputs()
        feeds = question.runs[0]
        together = len(question.runs) == 1 and not question.whole
        kind = kind_of(feeds, wanted) if together else None
        return Inference("", feeds, wanted, question.instances, None, kind)

    def run(self, options: Optional[RunOptions] = None) -> None:
        """Run the model, once for each instance where it takes only one."""
        if self._question is None or len(self._question.runs) == 1:
            super().run(options)
            return
        try:
            results = self._run_each(self._question, options)
            self.inferred = time.monotonic()
            self._runs, self._rows = len(results), 1
            self._response = self._answer(self._question, results)
        except Exception as error:  # as in decode
            self._fail_because(error, options)

    def _run_each(
        self, question: Question, options: Optional[RunOptions]
    ) -> List[List[np.ndarray]]:
        results: List[List[np.ndarray]] = []
        names = list(self._model.outputs)
        for feeds in question.runs:
            if self._exchange.gone:
                raise HttpError(503, "Client disconnected.")
            results.append(self._model.session.run(feeds, names, options))
        return results

    def encode(
        self, arrays: Sequence[np.ndarray], inferred: float, runs: int = 1, rows: int = 0
    ) -> None:
        """Make the answer to the one run."""
        if self._question is None and self._contract.answer is None:
            super().encode(arrays, inferred, runs, rows)
            if self._kind == _TRITON and self._response is not None:
                _name_header_size(self._response)
            return
        self.inferred = inferred
        self._runs, self._rows = runs, rows
        try:
            self._response = self._answer(self._question, [list(arrays)])
        except Exception as error:  # as in decode
            self._fail_because(error)

    def _answer(
        self, question: Optional[Question], results: Sequence[Sequence[np.ndarray]]
    ) -> Response:
        model = self._model
        specs = list(model.outputs.values())
        results = [[numbers_of(a, s) for a, s in zip(arrays, specs)] for arrays in results]
        if self._contract.answer is not None:
            joined = (
                [np.concatenate(parts) for parts in zip(*results)] if results[1:] else results[0]
            )
            return self._contract.answer(joined, model, question)
        assert question is not None, "others are answered as the Open Inference Protocol"
        columns = instances_of(question, results, list(model.outputs))
        accepted = self._exchange.request.headers.get("accept", "")
        if self._contract.strict and media_type(accepted)[0] == CSV:
            return as_csv(columns, model)
        if self._contract.strict and media_type(accepted)[0] == NPY:
            return as_npy(columns, model)
        return as_json(question, columns, model, self._contract.outputs_key)

    def _fail(self, status: int, reason: str, sentence: str) -> None:
        super()._fail(status, reason, sentence)
        self._response = self._contract.refusal(status, sentence, self._model.headers)


def media_type(value: str) -> Tuple[str, str]:
    """Kind and parameters of a content type, in lower case."""
    kind, _, parameters = value.lower().partition(";")
    return kind.strip(), parameters.strip()


def _name_header_size(response: Response) -> None:
    """SageMaker takes no headers of its containers: the size of the JSON goes to the type."""
    for line in response.headers.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == _LENGTH:
            response.content_type = "{};{}={}".format(_TRITON, _HEADER_SIZE, value.strip())


def only_model(service: Service) -> ServedModel:
    """Return the newest version of the one model, for addresses that do not name one.

    Raises:
        HttpError: 400 when several models are served, 503 when none is.
    """
    names = {model.name for model in service.repository.all()}
    if len(names) != 1:
        if not names:
            raise HttpError(503, "The server has no model yet.")
        raise HttpError(400, "There are several models here: the address must name one.")
    return service.repository.find(names.pop())


def run_request(
    service: Service,
    exchange: Exchange,
    find: Callable[[], ServedModel],
    contract: Contract,
) -> Optional[Response]:
    """Run a request; errors have the form of the contract, those of prompts OpenAI's."""
    try:
        model = find()
        if model.generator is not None and _has_prompt(exchange.request):
            # Only a server with a language model loads what answers texts.
            from .openai.platform_prompts import answer_prompt

            answer_prompt(service, exchange, model)
            return None
        call = ContractCall(exchange, model, service.max_body, contract)
        return service.infer(exchange, model, call)
    except HttpError as error:
        return contract.refusal(error.status, error.sentence, error.headers)


def _has_prompt(request: Request) -> bool:
    """Return whether a request holds a conversation or a text."""
    if len(request.body) > TEXT_BYTES:
        return False
    if request.headers.get("content-encoding", "identity") != "identity":
        return False
    return _PROMPT.search(request.body) is not None
