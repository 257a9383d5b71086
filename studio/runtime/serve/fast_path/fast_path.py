"""Fast path for requests that differ from an earlier one in their values alone.

Clients send the same head and the same JSON again and again; only the bytes of the tensors differ.
Once a connection has done so, requests are compared in one step, and the model reads the values
where they were received. The gain is not the microseconds of parsing in a loop: a model evicts
all else from the processor's caches. The general path through parser, routes, calls and responses
touches some forty functions, and then takes ten times as long.

Unusual cases (another version is served now, the connection ends, a run fails) are left to the
general path, which alone can refuse a request.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Dict, Hashable, Mapping, Optional, Protocol, Sequence, Tuple

import numpy as np

from ...backends.backend_model import RunOptions
from ..engine.served_model import ServedModel
from ..http.connection import Connection
from ..http.message import BINARY, Request, Response
from ..http.selector import ConnectionSelector
from ..protocol.request_template import RequestTemplate
from ..protocol.tensor_data import bytes_of
from ..service import Service
from .dynamic_batch import DynamicBatch, kind_of_batch

if TYPE_CHECKING:
    from ..http.server import HttpServer

_clock = time.monotonic
_ALIGNED = 64
"""Bytes that the values of a request are aligned to where they are received."""
_KEPT = 128
_KEPT_BYTES = 8192
_FEW = 16
"""When more clients than that are heard in one look, they are put into the queue, which ends."""


class FastPathHost(Protocol):
    """The application, as the fast path sees it.

    Attributes:
        service: Runs the models.
    """

    service: Service

    def answers_for(self, request: Request) -> Optional[ServedModel]:
        """Return the model that answers an infer request of the Open Inference Protocol now."""


def answer_repeats(
    application: FastPathHost, server: HttpServer, selector: ConnectionSelector
) -> None:
    """From now on requests that come again to this server are answered without being read."""
    repeats = FastPath(application, server.scratch, selector)
    server.learn = repeats.learn
    application.service.repository.replaced = repeats.forget


class FastPath:
    """Known requests and their prepared answers.

    Attributes:
        scratch: Where all connections receive.
        selector: Selector of the connections.
    """

    def __init__(
        self, application: FastPathHost, scratch: bytearray, selector: ConnectionSelector
    ) -> None:
        self.service = application.service
        self._answers_for = application.answers_for
        self.scratch = scratch
        self.selector = selector
        self._known: Dict[bytes, KnownRequest] = {}
        self._batches: Dict[Tuple[ServedModel, Hashable], DynamicBatch] = {}

    def learn(self, head: bytes, request: Request, response: Response) -> Optional[KnownRequest]:
        """What answers requests like this one; None where only the general way does.

        Args:
            head: The bytes of the request before its body.
            response: The answer to it, with ``again`` set.
        """
        assert response.again is not None
        plan = response.again[1]
        lead = head + plan.text
        found = self._known.get(lead)
        if found is not None or not self._can(lead, request, response):
            return found
        if len(self._known) >= _KEPT:  # a client sends ever new ones
            self.forget()
        self._known[lead] = found = KnownRequest(self, lead, request, response)
        return found

    def _can(self, lead: bytes, request: Request, response: Response) -> bool:
        assert response.again is not None
        model, plan, _ = response.again
        served = self._answers_for(request)
        return (
            served is not None
            and served is model  # not replaced while this request was on its way
            and served.session.binds
            and not served.is_recorded
            and len(request.body) == len(plan.text) + plan.size  # else it was compressed
            and len(lead) <= _KEPT_BYTES
            and len(lead) + plan.size + _ALIGNED <= len(self.scratch)
            and all(slot.begin % slot.dtype.itemsize == 0 for slot in plan.slots)
        )

    def forget(self) -> None:
        """Other models are served from now on."""
        for repeat in self._known.values():
            repeat.forget()
        self._known.clear()
        self._batches.clear()

    def batch_of(
        self,
        model: ServedModel,
        plan: RequestTemplate,
        feeds: Mapping[str, np.ndarray],
        results: Mapping[str, np.ndarray],
    ) -> Optional[DynamicBatch]:
        """Return the batch of requests like this; None where they cannot share a run.

        Args:
            feeds: Inputs of one request.
            results: Outputs of one.
        """
        kind = kind_of_batch(model, plan, feeds, results)
        if kind is None:
            return None
        found = self._batches.get((model, kind))
        if found is None:
            found = DynamicBatch(model, feeds, results, self.service, self.selector.soon)
            self._batches[model, kind] = found
        return found


class KnownRequest:
    """Known request without its values.

    Attributes:
        size: Bytes of it, with its values.
        input_bytes: Of its values alone.
        place: Where the next one like it is received best.
        request: Without a body.
        rows: Samples in it.
        values: Its inputs where they were received, as bytes.
    """

    def __init__(
        self, repeats: FastPath, lead: bytes, request: Request, response: Response
    ) -> None:
        assert response.again is not None
        assert response.start is not None
        self._model, plan, arrays = response.again
        self._service, self._selector = repeats.service, repeats.selector
        self._guarded = self._service.wants_tokens
        self._scratch = repeats.scratch
        self._lead = lead
        self._json = plan.text
        self._begin = -len(lead) % _ALIGNED
        self._head, self._tail = response.start, b"\r\n" + response.body
        self._sent = response.length
        self._authorization = request.headers.get("authorization", "")
        self.size = len(lead) + plan.size
        self.input_bytes = plan.size
        self.place = memoryview(self._scratch)[self._begin :]
        self.request = request.without_body()
        self.rows = plan.batch
        begin = self._begin + len(lead)
        feeds = {s.name: s.array(self._scratch, begin) for s in plan.slots}
        self.values = [bytes_of(array) for array in feeds.values()]
        self._results = {w.name: np.empty_like(a) for w, a in zip(plan.wanted, arrays)}
        self._bound = self._model.session.bind(feeds, self._results)
        self._parts = [bytes_of(array) for array in self._results.values()]
        self._together = repeats.batch_of(self._model, plan, feeds, self._results)

    def forget(self) -> None:
        """Leave it to the general path from now on, and keep no model alive."""
        self._model = self._bound = self._together = None

    def try_answer(self, connection: Connection) -> Optional[bool]:
        """Answer a request of this size if it matches; return None if it does not.

        Returns:
            Otherwise, whether all work is done (see ``selector.Callback``).
        """
        model = self._model
        if model is None or not model.inline or connection.is_ending:
            return None
        if not self._scratch.startswith(self._lead, self._begin):
            return None
        if self._guarded and not self._service.admits(self._authorization):
            return None
        crowd = self._selector.crowd
        if self._together is not None and (crowd > 1 or not model.stays_alone()):
            return self._together.add(connection, self)
        if crowd > _FEW:
            return None
        if model.waiting:  # who has come before is not overtaken
            self._service.run_earliest(model)
        if self._together is None:
            self._selector.slow = True
        return self._answer(connection, model)

    def _answer(self, connection: Connection, model: ServedModel) -> bool:
        """Run the model for this one alone."""
        guard, session = self._service.guard, model.session
        received = _clock()
        options = guard.begin(session.new_options)
        begun = _clock()
        try:
            session.run_bound(self._bound, options)
        except Exception:
            guard.end()
            return self._fail(connection, model, options, begun)
        inferred = _clock()
        guard.end(inferred)
        data = b"".join((self._head, connection.server.date, self._tail, *self._parts))
        now = _clock()
        connection.reply(data, now)
        model.observe(min(inferred - begun, session.busy_s))
        model.statistics.succeeded(
            0.0,
            begun - received,
            inferred - begun,
            now - inferred,
            now,
            self.rows,
            size=self.input_bytes,
        )
        self.log(connection.peer, now)
        return True

    def _fail(
        self, connection: Connection, model: ServedModel, options: RunOptions, begun: float
    ) -> bool:
        """Leave the request to the general path, which reports the error or succeeds."""
        if options.terminate:
            model.observe(_clock() - begun)  # it would have taken even longer
        exchange = connection.begin(self.whole(self.values), begun)
        self.forget()
        self._service.run_now([exchange], model, options)
        return False

    def rendered(self, date: bytes, parts: Sequence[memoryview]) -> bytes:
        """Return the bytes of an answer.

        Args:
            date: The line of the Date header.
            parts: The outputs.
        """
        return b"".join((self._head, date, self._tail, *parts))

    def response(self, parts: Sequence[memoryview]) -> Response:
        """The same for the general way."""
        response = Response(200, self._tail[2:], BINARY)
        response.start, response.parts = self._head, parts
        return response

    def whole(self, values: Sequence[memoryview]) -> Request:
        """The request with values, for the general way."""
        request = self.request.without_body()
        request.body = b"".join((self._json, *values))
        return request

    def log(self, peer: str, now: float) -> None:
        """Write a line about an answer, if it is its turn.

        Args:
            now: The monotonic clock.
        """
        log = self._service.log
        if now >= log.answered.due and log.wants(200):
            request = self.request
            log.request(
                status=200,
                bytes=self._sent,
                peer=peer,
                method=request.method,
                path=request.path[:200],
                received=len(self._json) + sum(map(len, self.values)),
            )
