"""Requests that came again, gathered in the rows of one batch as they are received."""

from __future__ import annotations

import time
from typing import (
    Callable,
    Dict,
    Hashable,
    List,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Tuple,
)

import numpy as np

from ...backends.backend_model import RunOptions
from ...backends.onnx_runtime import BoundArrays
from ..engine.served_model import ServedModel
from ..http.connection import Connection
from ..http.exchange import Exchange
from ..http.message import Request, Response
from ..http.selector import Turn
from ..protocol.request_template import RequestTemplate
from ..protocol.tensor_data import bytes_of
from ..service import Service

_clock = time.monotonic
_MOST_BYTES = 8 << 20
"""What the rows of all inputs may take."""


class Rows:
    """Arrays with room for several requests, one behind the other.

    Attributes:
        views: Their bytes.
        sizes: Bytes of a row of each.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], capacity: int) -> None:
        """Make room.

        Args:
            arrays: Like those that will lie there.
            capacity: Rows.
        """
        self._arrays = {
            name: np.empty((capacity, *array.shape[1:]), array.dtype)
            for name, array in arrays.items()
        }
        self.views = [bytes_of(array) for array in self._arrays.values()]
        self.sizes = [len(view) // capacity for view in self.views]

    def first(self, count: int) -> Dict[str, np.ndarray]:
        """Return the first rows."""
        return {name: array[:count] for name, array in self._arrays.items()}

    def between(self, begin: int, end: int) -> List[memoryview]:
        """Return the bytes of some rows, of each array."""
        return [view[begin * size : end * size] for view, size in zip(self.views, self.sizes)]


class BatchedRequest(Protocol):
    """A request that came again, as its batch sees it.

    Attributes:
        input_bytes: Of its values.
        request: Without a body.
        rows: Samples in it.
        values: Its inputs where they were received, as bytes.
    """

    input_bytes: int
    request: Request
    rows: int
    values: List[memoryview]

    def whole(self, values: Sequence[memoryview]) -> Request:
        """The request with values, for the general way."""

    def response(self, parts: Sequence[memoryview]) -> Response:
        """Return the answer with these outputs, for the general way."""

    def rendered(self, date: bytes, parts: Sequence[memoryview]) -> bytes:
        """Return the bytes of an answer."""

    def log(self, peer: str, now: float) -> None:
        """Write a line about an answer, if it is its turn."""

    def forget(self) -> None:
        """Leave it to the general way from now on."""


PendingRequest = Tuple[Exchange, Connection, BatchedRequest]


def kind_of_batch(
    model: ServedModel,
    plan: RequestTemplate,
    feeds: Mapping[str, np.ndarray],
    results: Mapping[str, np.ndarray],
) -> Optional[Hashable]:
    """Return the common key of requests that can share a run; None where they cannot.

    Args:
        feeds: Inputs of one request.
        results: Outputs of one.
    """
    bytes_of_all = model.batch_rows * sum(array.nbytes for array in feeds.values())
    if (
        not 1 <= plan.batch < model.batch_rows
        or plan.kind is None
        or bytes_of_all > _MOST_BYTES * plan.batch
        or any(not a.ndim or a.shape[0] != plan.batch for a in results.values())
    ):
        return None
    return (plan.kind, tuple(array.shape[1:] for array in results.values()))


class DynamicBatch:
    """The batch that is being gathered for one model, of requests of one kind."""

    def __init__(
        self,
        model: ServedModel,
        feeds: Mapping[str, np.ndarray],
        results: Mapping[str, np.ndarray],
        service: Service,
        soon: Callable[[Turn], None],
    ) -> None:
        """Make room for requests.

        Args:
            feeds: Inputs of one request.
            results: Outputs of one.
            soon: Has something called when all that has come by now is read.
        """
        self._model = model
        self._service = service
        self._soon = soon
        self._capacity = model.batch_rows
        self._inputs = Rows(feeds, self._capacity)
        self._outputs = Rows(results, self._capacity)
        self._bound: Dict[int, BoundArrays] = {}
        self._waiting: List[PendingRequest] = []
        self._filled = 0
        self._seen = 0
        self._is_due = False

    def add(self, connection: Connection, repeat: BatchedRequest) -> bool:
        """Take a request that was just received; returns as ``selector.Callback`` does."""
        done = True
        begin, end = self._filled, self._filled + repeat.rows
        if end > self._capacity:
            done = self._run()
            begin, end = 0, repeat.rows
        for view, size, values in zip(self._inputs.views, self._inputs.sizes, repeat.values):
            view[begin * size : end * size] = values
        self._filled = end
        exchange = connection.begin(repeat.request, _clock())
        self._waiting.append((exchange, connection, repeat))
        self._model.statistics.in_flight += 1
        if not self._is_due:
            self._is_due = True
            self._soon(self._turn)
        return done

    def _turn(self) -> bool:
        """Run what has come, unless others are on their way: a look costs less than a run."""
        if self._seen < self._filled < self._capacity:
            self._seen = self._filled
            self._soon(self._turn)
            return True
        self._is_due = False
        return self._run()

    def _run(self) -> bool:
        waiting, self._waiting = self._waiting, []
        filled, self._filled, self._seen = self._filled, 0, 0
        model, guard = self._model, self._service.guard
        model.alone = model.alone + 1 if len(waiting) == 1 else 0
        begun = _clock()
        options = guard.begin(model.session.new_options)
        try:
            bound = self._bound_to(filled)
            decoded = _clock()
            model.session.run_bound(bound, options)
        except Exception:
            guard.end()
            return self._fail(waiting, options, begun)
        inferred = _clock()
        guard.end(inferred)
        model.observe(min(inferred - decoded, model.session.busy_s))
        times = (begun, decoded, inferred)
        done, row = True, 0
        for asked in waiting:
            rows = asked[2].rows
            parts = self._outputs.between(row, row + rows)
            done &= self._answer(asked, parts, times, int(row == 0), filled)
            row += rows
        return done

    def _answer(
        self,
        asked: PendingRequest,
        parts: List[memoryview],
        times: Tuple[float, float, float],
        runs: int,
        rows: int,
    ) -> bool:
        """Send an answer and count it; returns as ``selector.Callback`` does."""
        exchange, connection, repeat = asked
        begun, decoded, inferred = times
        statistics = self._model.statistics
        statistics.in_flight -= 1
        received, now = exchange.received, _clock()
        if exchange.gone:
            statistics.failed_because("CANCELED", now - received)
            return False
        statistics.succeeded(
            begun - received,
            decoded - begun,
            inferred - decoded,
            now - inferred,
            now,
            repeat.rows,
            runs,
            rows,
            repeat.input_bytes,
        )
        if connection.is_ending:
            exchange.answer(repeat.response(parts))
            return False
        repeat.log(connection.peer, now)
        return connection.finish_again(repeat.rendered(connection.server.date, parts), now)

    def _fail(self, waiting: List[PendingRequest], options: RunOptions, begun: float) -> bool:
        """Leave the requests to the general path, which reports the error or succeeds."""
        model = self._model
        if options.terminate:
            model.observe(_clock() - begun)  # it would have taken even longer
        model.statistics.in_flight -= len(waiting)
        exchanges, row = [], 0
        for exchange, _, repeat in waiting:
            values = self._inputs.between(row, row + repeat.rows)
            exchange.request = repeat.whole(values)
            exchanges.append(exchange)
            row += repeat.rows
            repeat.forget()
        self._service.run_now(exchanges, model, options)
        return False

    def _bound_to(self, rows: int) -> BoundArrays:
        bound = self._bound.get(rows)
        if bound is None:
            first = self._inputs.first(rows), self._outputs.first(rows)
            self._bound[rows] = bound = self._model.session.bind(*first)
        return bound
