"""One infer request on its way through a model, alone or together with others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from ...backends.backend_model import RunOptions
from ...backends.failure import first_line
from ..http.content_encoding import content_of
from ..http.exchange import Exchange
from ..http.message import HttpError, Request, Response
from ..images.signatures import kind_of
from ..protocol import codec as inference
from ..protocol.codec import Inference
from .served_model import ServedModel

if TYPE_CHECKING:
    from .pending_call import PendingCall

_clock = time.monotonic
_UNANSWERED = "The request failed inside the server; the server's log has the reason."


class InferenceCall:
    """An exchange, what was decoded of it, and its answer.

    Attributes:
        inference: The decoded request.
        inferred: Clock when the model had run.
        heavy: Reading it takes long, whatever the size of the body; the same for a whole class.
        raw: Reading it is quick, whatever the size: the values are taken as they came.
        repeats: The protocol derives the answer from the bytes of the request alone.
        has_meaning: The answer may say more than the outputs do; the same for a whole class.
    """

    heavy = False
    raw = False
    repeats = True
    has_meaning = False

    __slots__ = (
        "_begun",
        "_decoded",
        "_exchange",
        "_failure",
        "_max_body",
        "_model",
        "_received",
        "_response",
        "_rows",
        "_runs",
        "inference",
        "inferred",
    )

    def __init__(self, exchange: Exchange, model: ServedModel, max_body: int) -> None:
        self._exchange = exchange
        self._max_body = max_body
        self._model = model
        self._response: Optional[Response] = None
        self._failure = ""
        self._received = _clock()
        self._begun = self._decoded = self.inferred = 0.0
        self.inference: Inference
        self._runs = 1
        self._rows = 0

    def decode(self) -> bool:
        """Read the inputs; False when they do not fit the model, which is then the answer."""
        self._begun = _clock()
        if self._exchange.gone:
            self._fail(503, "CANCELED", "Client disconnected.")
            return False
        try:
            self.inference = self._read()
        except Exception as error:
            self._fail_because(error)
            return False
        self._decoded = _clock()
        return True

    def _read(self) -> Inference:
        """Understand the request; may raise anything."""
        request, model = self._exchange.request, self._model
        headers, body = request.headers, request.body
        if "content-encoding" in headers:
            body = content_of(request, self._max_body)
        length = headers.get(inference.HEADER_LENGTH)
        return inference.decode(body, length, model.inputs, model.outputs, model.plans)

    def is_read_quickly(self, request: Request, most: int) -> bool:
        """Return whether the event loop may read it while other requests wait.

        Args:
            most: Bytes that may have to be parsed.
        """
        headers = request.headers
        if "content-encoding" in headers:
            return False
        if len(request.body) < most:
            return not self.heavy
        length = headers.get(inference.HEADER_LENGTH, "")
        # Numbers are taken as they came; each text is read.
        return len(length) < 6 and length.isdigit() and int(length) < most and self._model.numeric

    @property
    def is_in_vain(self) -> bool:
        """Whether no client waits for the answer any more."""
        return self._exchange.gone

    def run(self, options: Optional[RunOptions] = None) -> None:
        """Run the model for this request alone, and make the answer.

        Args:
            options: With which the run can be ended (see ``ModelSession.run``).
        """
        call = self.inference
        wanted = [output.name for output in call.wanted]
        try:
            arrays = self._model.session.run(call.feeds, wanted, options)
        except Exception as error:
            self._fail_because(error, options)
            return
        self.encode(arrays, _clock())

    def encode(
        self, arrays: Sequence[np.ndarray], inferred: float, runs: int = 1, rows: int = 0
    ) -> None:
        """Make the answer.

        Args:
            arrays: The wanted outputs.
            inferred: Clock when the model had run.
            runs: That this call counts: of those that ran together, one counts their run.
            rows: Of all that ran together; 0 for a call that ran alone.
        """
        model = self._model
        self.inferred = inferred
        self._runs, self._rows = runs, rows
        try:
            response = self._response = inference.encode(
                model.name, model.version, self.inference, arrays, model.outputs, model.headers
            )
        except Exception as error:
            self._fail_because(error)
            return
        if self.inference.id:
            model.answers.store(self.inference.id, arrays)
            if model.sampler is not None:
                model.sampler.named(self.inference.id, self.inference.feeds)
        if response.start is not None and self.repeats and not model.is_recorded:
            response.again = (model, self.inference.plan, arrays)

    def _fail_because(self, error: Exception, options: Optional[RunOptions] = None) -> None:
        if options is not None and options.terminate:
            self._fail(504, "CANCELED", "Inference timed out.")
        elif isinstance(error, HttpError):
            self._fail(error.status, "BAD_REQUEST", self._advice() or error.sentence)
        elif isinstance(error, MemoryError):
            self._fail(503, "BACKEND", "There is not enough memory for this request.")
        # The backends' classes have no common base, and are found without importing them here.
        elif type(error).__name__ == "InvalidArgument":
            self._fail(400, "BAD_REQUEST", "Invalid model input: " + first_line(error))
        else:
            self._fail(500, "BACKEND", "The model failed: " + first_line(error))

    def _advice(self) -> str:
        """Return the address for a picture that was sent here; empty for anything else."""
        kind = kind_of(self._exchange.request.body)
        if self.heavy or not kind:
            return ""
        sentence = "The body is a {} picture: send it to /edgewright/models/{}/image."
        return sentence.format(kind, self._model.name)

    def _fail(self, status: int, reason: str, sentence: str) -> None:
        self._failure = reason
        self._response = Response.error(status, sentence, self._model.headers)

    def conclude(self) -> Response:
        """Count the outcome, in the event loop's thread; the response to send."""
        if self._response is None:  # the thread that ran it has failed
            self._fail(500, "BACKEND", _UNANSWERED)
        assert self._response is not None
        model = self._model
        statistics = model.statistics
        if model.decisions is not None and model.decisions.on and not self._failure:
            body = self._exchange.request.body
            model.decisions.note(body, self._response, self.has_meaning)
        statistics.in_flight -= 1
        now, start = _clock(), self._received
        if self._failure:
            if self._failure == "CANCELED" and self._decoded:
                model.observe(now - self._decoded)  # it would have taken even longer
            statistics.failed_because(self._failure, now - start)
            return self._response
        begun, decoded, inferred = self._begun, self._decoded, self.inferred
        span = self._exchange.span
        if span is not None:
            span.phase("queue", start, begun)
            span.phase("decode", begun, decoded)
            span.phase("infer " + model.name, decoded, inferred, *self._facts())
            span.phase("encode", inferred, now)
        if self._runs:
            # Where others want the processor too, waiting for it is not the model's time.
            model.observe(min(inferred - decoded, model.session.busy_s))
        statistics.succeeded(
            begun - start,
            decoded - begun,
            inferred - decoded,
            now - inferred,
            now,
            self.inference.batch,
            self._runs,
            self._rows,
            self.inference.size,
        )
        return self._response

    def _facts(self) -> Tuple[Tuple[str, object], ...]:
        """Return what a trace has of the run."""
        return (
            ("edgewright.model.name", self._model.name),
            ("edgewright.model.version", self._model.version),
            ("edgewright.batch.rows", self._rows or self.inference.batch),
        )

    def answer(self) -> None:
        """Count the outcome and send the answer."""
        self._exchange.answer(self.conclude())


def run_together(
    model: ServedModel, calls: Sequence[PendingCall], options: Optional[RunOptions] = None
) -> None:
    """Run calls, those that fit each other as one batch. Each can be concluded afterwards.

    Args:
        options: With which all of it can be ended (see ``ModelSession.run``).
    """
    ready = [call for call in calls if call.decode()]
    if len(ready) == 1:
        ready[0].run(options)
        return
    for batch in _batches(ready, model.batch_rows):
        if len(batch) == 1 or not _run_batch(model, batch, options):
            for call in batch:
                call.run(options)


def _batches(calls: List[PendingCall], rows: int) -> Iterator[List[PendingCall]]:
    """Yield groups of calls with inputs of the same kind, up to a number of rows each."""
    kinds: Dict[object, List[PendingCall]] = {}
    for call in calls:
        kinds.setdefault(call.inference.kind or call, []).append(call)
    for same in kinds.values():
        batch: List[PendingCall] = []
        filled = 0
        for call in same:
            if batch and filled + call.inference.batch > rows:
                yield batch
                batch, filled = [], 0
            batch.append(call)
            filled += call.inference.batch
        yield batch


def _run_batch(
    model: ServedModel, calls: Sequence[PendingCall], options: Optional[RunOptions]
) -> bool:
    """Run calls in one; False when that fails: whose fault it is shows when each runs alone."""
    found = [call.inference for call in calls]
    wanted = [output.name for output in found[0].wanted]
    try:
        feeds = {
            name: np.concatenate([one.feeds[name] for one in found]) for name in found[0].feeds
        }
        arrays = model.session.run(feeds, wanted, options)
    except Exception:
        return False
    inferred = _clock()
    rows = sum(one.batch for one in found)
    if any(array.ndim == 0 or array.shape[0] != rows for array in arrays):
        return False
    begin = 0
    for call in calls:
        end = begin + call.inference.batch
        call.encode([array[begin:end] for array in arrays], inferred, int(begin == 0), rows)
        begin = end
    return True
