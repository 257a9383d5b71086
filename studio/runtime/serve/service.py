"""Service behind every endpoint: the models, the threads that run them, tokens, the log."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Coroutine, Dict, List, Optional, Protocol, Sequence, Set, Tuple

from ..backends.backend_model import RunOptions
from ..shared.access_tokens import Tokens
from .engine.call import InferenceCall, run_together
from .engine.catalog import Catalog
from .engine.executor import Executor, InlineGuard, QueueFull
from .engine.repository import Repository
from .engine.served_model import ServedModel
from .http.exchange import Exchange
from .http.message import HttpError, Response
from .log import Log
from .statistics.board_state import BoardMonitor
from .statistics.expiry import ExpiryMonitor
from .statistics.offline_log import OfflineLog

if TYPE_CHECKING:
    from .engine.pending_call import PendingCall
    from .engine.text_desk import TextDesk

_LARGE_JSON = 16 * 1024
"""Bytes of JSON whose reading would keep the event loop from other clients."""

_CHALLENGE = 'WWW-Authenticate: Bearer realm="edgewright"\r\n'
_FULL = "Too many queued requests. Retry later."


def unauthorized() -> HttpError:
    """Return the error for unauthenticated clients."""
    return HttpError(401, "Missing or invalid bearer token.", headers=_CHALLENGE)


class HostedApp(Protocol):
    """The app of the served release, if it has one."""

    def status(self) -> Optional[Dict[str, object]]:
        """Return its state as plain data; None without an app."""

    def frames(self) -> Tuple[int, int]:
        """Return the number of its frames, and of those that failed."""


class RequestTraces(Protocol):
    """The traces that requests are parts of."""

    def begin(self, exchange: Exchange) -> None:
        """Give an exchange its span, if its client traces it."""


class Service:
    """Service that every endpoint uses.

    Attributes:
        ready: Whether the server wants to get requests; false while it ends.
        catalog: The folder of models, where models come and go by their names.
        ledger: Counts that are stored until the link is up again.
        generation: Number of the loaded release, counted by its loader.
        restarts: How often the supervisor replaced workers, by the reason; empty without one.
        max_body: Bytes that a body may have once it is decompressed.
        machine: Monitor of the board, which samples once it is started.
        upkeep: Expiry of the certificate and the disk.
        guard: Ends runs in the event loop that take too long.
        app: Runs the app of the release; None where apps are not run.
        overriding: Overrides of answers that are being recorded.
        desk: Answers of language models under way; None before the first one.
        started: Wall clock at the start, seconds since the epoch.
        traces: Of requests; None where no collector takes them.
    """

    def __init__(
        self,
        repository: Repository,
        executor: Executor,
        log: Log,
        max_body: int,
        tokens: Optional[Tokens] = None,
        request_s: float = math.inf,
    ) -> None:
        self.repository = repository
        self.executor = executor
        self.log = log
        self.ready = True
        self.generation = 1
        self.started = time.time()
        self.max_body = max_body
        self.restarts: Dict[str, int] = {}
        self.app: Optional[HostedApp] = None
        self.catalog: Optional[Catalog] = None
        self.ledger: Optional[OfflineLog] = None
        self.overriding = 0
        self.traces: Optional[RequestTraces] = None
        self.desk: Optional[TextDesk] = None
        self._tokens = tokens if tokens is not None and tokens.required else None
        self.guard = InlineGuard(request_s)
        self.machine = BoardMonitor()
        self.upkeep = ExpiryMonitor()
        self._tasks: Set[asyncio.Task[None]] = set()
        self._began = time.monotonic()

    @property
    def is_ready(self) -> bool:
        """Whether requests are welcome: it does not end, and has a model or waits for some."""
        waits = self.catalog is not None and self.catalog.on_demand
        return self.ready and (waits or bool(self.repository.all()))

    @property
    def uptime_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    @property
    def wants_tokens(self) -> bool:
        """Whether some may ask and others may not."""
        return self._tokens is not None

    def admits(self, authorization: str) -> bool:
        """Return whether the value of the Authorization header admits a client."""
        return self._tokens is None or self._tokens.admit(authorization)

    def begin(self, work: Coroutine[object, None, None]) -> None:
        """Start a task next to the requests; it has to answer its exchange itself."""
        task = self.executor.loop.create_task(work)
        self._tasks.add(task)  # the loop alone would not keep it
        task.add_done_callback(self._tasks.discard)

    def infer(
        self, exchange: Exchange, model: ServedModel, call: Optional[InferenceCall] = None
    ) -> Optional[Response]:
        """Run an infer request on a model: here when it is quick, otherwise on a thread.

        Args:
            call: The request, where it is not one of the Open Inference Protocol.
        """
        if call is None:
            call = InferenceCall(exchange, model, self.max_body)
        request = exchange.request
        quick = model.inline and call.is_read_quickly(request, _LARGE_JSON)
        if quick and model.stays_alone():
            model.statistics.in_flight += 1
            run_together(model, (call,), self.guard.begin(model.session.new_options))
            self.guard.end()
            return call.conclude()
        if quick:
            self._run_soon(model)
            model.waiting.append(call)
        else:
            self._run_on_a_thread(model, call)
        model.statistics.in_flight += 1
        return None

    def run_now(
        self, exchanges: Sequence[Exchange], model: ServedModel, options: RunOptions
    ) -> None:
        """Run requests here and each alone, after a run of all of them has failed.

        Args:
            options: Of that run; where it was ended, none of these begins.
        """
        for exchange in exchanges:
            call = InferenceCall(exchange, model, self.max_body)
            model.statistics.in_flight += 1
            if not options.terminate:
                options = self.guard.begin(model.session.new_options)
            run_together(model, (call,), options)
            self.guard.end()
            call.answer()

    def _run_soon(self, model: ServedModel) -> None:
        """Run what waits for a model when all that has come by now is read."""
        # A queue of none still has the one that is about to be run.
        if len(model.waiting) >= max(self.executor.capacity, 1):
            raise self._full(model)
        if not model.turn_is_due:
            model.turn_is_due = True
            self.executor.loop.call_soon(self._run_here, model)

    def _run_here(self, model: ServedModel) -> None:
        count = len(model.waiting)
        if model.seen < count < model.batch_rows:
            # Others are on their way: another look at the sockets costs less than another run.
            model.seen = count
            self.executor.loop.call_soon(self._run_here, model)
            return
        model.seen = 0
        model.alone = model.alone + 1 if count == 1 else 0
        self.run_earliest(model)
        if model.waiting:  # first read what has come since: the order is that of arrival
            self.executor.loop.call_soon(self._run_here, model)
        else:
            model.turn_is_due = False

    def run_earliest(self, model: ServedModel) -> None:
        """Run the longest waiting requests in this thread, and send the answers."""
        turn = Turn(model)
        turn.run_waiting(self.guard.begin(model.session.new_options))
        self.guard.end()
        turn.finish()

    def _run_on_a_thread(self, model: ServedModel, call: InferenceCall) -> None:
        if len(model.waiting) >= self.executor.capacity + self.executor.idle:
            raise self._full(model)
        model.waiting.append(call)
        # Turns are left over when others took along what they were for. They will do: a queue full
        # of them would turn clients away while few wait.
        if len(model.turns) >= len(model.waiting):
            return
        turn = Turn(model)
        model.turns.append(turn)
        try:
            self.executor.submit(turn)
        except QueueFull:
            model.turns.pop()
            try:
                model.waiting.remove(call)
            except ValueError:  # a thread has just taken it
                return
            raise self._full(model) from None

    def _full(self, model: ServedModel) -> HttpError:
        model.statistics.failed_because("REJECTED", 0.0)
        return HttpError(503, _FULL, headers="Retry-After: 1\r\n")

    def answered(self, exchange: Optional[Exchange], response: Response, peer: str) -> None:
        """Log an answer, if it is its turn; its span ends."""
        span = None if exchange is None else exchange.span
        if span is not None and not span.streamed:
            span.end(response.status)
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


class Turn:
    """One turn at the requests that wait for a model; work for the executor."""

    def __init__(self, model: ServedModel) -> None:
        self._model = model
        self._calls: List[PendingCall] = []
        self._options: Optional[RunOptions] = None

    def run(self) -> None:
        """Run the waiting requests, on a thread."""
        self._model.turns.popleft()  # before any request is taken: a later one needs another turn
        self.run_waiting()

    def run_waiting(self, options: Optional[RunOptions] = None) -> None:
        """Run the waiting requests, if no other turn has taken them.

        Args:
            options: Options by which the run can be terminated; new ones by default.
        """
        self._calls = self._model.next_batch()
        if self._calls:
            self._options = options or self._model.session.new_options()
            run_together(self._model, self._calls, self._options)

    def cancel_if_abandoned(self) -> None:
        """Terminate the run when no client waits for it any more."""
        if self._options is not None and all(call.is_in_vain for call in self._calls):
            self._options.terminate = True

    def finish(self) -> None:
        """Send the answers."""
        for call in self._calls:
            call.answer()
