"""The application behind the HTTP server: finds the endpoint, runs the model, counts."""

from __future__ import annotations

import time
from typing import Iterable, Optional

from . import inference
from .executor import Executor, QueueFull
from .http.coding import content_of
from .http.connection import Exchange
from .http.message import HttpError, Response
from .log import Log
from .model import Repository, ServedModel
from .routes import Route, Router
from .session import first_line
from .statistics import Timing

_LARGE_JSON = 16 * 1024
"""Bytes of JSON whose reading would keep the event loop from other clients."""

_FULL = "The server is busy: too many requests are waiting."


class Service:
    """What every endpoint may use.

    Attributes:
        ready: Whether the server wants to get requests; false while it ends.
        generation: Number of the loaded release, counted by whoever loads.
        max_body: Bytes that a body may have once it is decompressed.
        started: Wall clock at the start, seconds since the epoch.
    """

    def __init__(
        self,
        repository: Repository,
        executor: Executor,
        routes: Iterable[Route],
        log: Log,
        max_body: int,
    ) -> None:
        self.repository = repository
        self.executor = executor
        self.log = log
        self.ready = True
        self.generation = 1
        self.started = time.time()
        self.max_body = max_body
        self._began = time.monotonic()
        self._router = Router(routes)

    @property
    def uptime_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def __call__(self, exchange: Exchange) -> Optional[Response]:
        """Answer an exchange now, or later (see ``http.server.Application``)."""
        request = exchange.request
        endpoint, names = self._router.find(request.method, request.path)
        return endpoint(self, exchange, names)

    def infer(self, exchange: Exchange, model: ServedModel) -> Optional[Response]:
        """Run an infer request on a model: here when it is quick, otherwise on a thread."""
        call = InferenceCall(exchange, model, self.max_body)
        binary = inference.HEADER_LENGTH in exchange.request.headers
        model.statistics.in_flight += 1
        if model.inline and (binary or len(exchange.request.body) < _LARGE_JSON):
            call.run()
            return call.conclude()
        try:
            self.executor.submit(call)
        except QueueFull:
            model.statistics.in_flight -= 1
            model.statistics.failed_because("REJECTED", 0.0)
            raise HttpError(503, _FULL, headers="Retry-After: 1\r\n") from None
        return None

    def answered(self, exchange: Optional[Exchange], response: Response, peer: str) -> None:
        """Log an answer, if it is its turn."""
        if not self.log.wants(response.status):
            return
        line = {"status": response.status, "bytes": response.length, "peer": peer}
        if exchange is not None:
            request = exchange.request
            line["method"], line["path"] = request.method, request.path[:200]
            line["received"] = len(request.body)
            if exchange.trace:
                line["traceparent"] = exchange.trace
        if response.status >= 400:
            line["error"] = response.body[:300].decode("utf-8", "replace")
        self.log.request(**line)


class InferenceCall:
    """One infer request on its way through a model; work for the executor."""

    __slots__ = ("_batch", "_exchange", "_failure", "_max_body", "_model", "_response", "_times")

    def __init__(self, exchange: Exchange, model: ServedModel, max_body: int) -> None:
        self._exchange = exchange
        self._max_body = max_body
        self._model = model
        self._response: Optional[Response] = None
        self._failure = ""
        self._batch = 1
        self._times = [time.perf_counter()]

    def run(self) -> None:
        """Decode, infer, encode; any failure becomes the response."""
        if self._exchange.gone:
            self._fail(503, "CANCELED", "The client has left.")
            return
        try:
            self._run()
        except HttpError as error:
            self._fail(error.status, "BAD_REQUEST", error.sentence)
        except MemoryError:
            self._fail(503, "BACKEND", "There is not enough memory for this request.")
        except Exception as error:
            self._fail_in_model(error)

    def _run(self) -> None:
        model, request, times = self._model, self._exchange.request, self._times
        times.append(time.perf_counter())
        length = request.headers.get(inference.HEADER_LENGTH)
        body = content_of(request, self._max_body)
        call = inference.decode(body, length, model.inputs, model.outputs)
        self._batch = call.batch
        times.append(time.perf_counter())
        arrays = model.session.run(call.feeds, [wanted.name for wanted in call.wanted])
        times.append(time.perf_counter())
        self._response = inference.encode(
            model.name, model.version, call, arrays, model.outputs, model.headers
        )
        times.append(time.perf_counter())

    def _fail(self, status: int, reason: str, sentence: str) -> None:
        self._failure = reason
        self._response = Response.error(status, sentence, self._model.headers)

    def _fail_in_model(self, error: Exception) -> None:
        # onnxruntime's classes have no common base, and are found without importing it here.
        if type(error).__name__ == "InvalidArgument":
            self._fail(400, "BAD_REQUEST", "The model refuses the input: " + first_line(error))
            return
        self._fail(500, "BACKEND", "The model failed: " + first_line(error))

    def conclude(self) -> Response:
        """Count the outcome, in the event loop's thread; the response to send."""
        response, model = self._response, self._model
        assert response is not None
        statistics = model.statistics
        statistics.in_flight -= 1
        now = time.perf_counter()
        t = self._times
        if self._failure:
            statistics.failed_because(self._failure, now - t[0])
        else:
            timing = Timing(t[1] - t[0], t[2] - t[1], t[3] - t[2], t[4] - t[3], now - t[0])
            model.observe(timing.compute_infer)
            statistics.succeeded(time.monotonic(), int(time.time() * 1000), timing, self._batch)
        return response

    def done(self) -> None:
        """Send the answer of a call that ran on a thread."""
        self._exchange.answer(self.conclude())
