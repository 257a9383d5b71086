"""The process that serves: loads, listens, swaps versions, drains."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Awaitable, Callable, Dict, List, Optional, Tuple

from ..shared.access_tokens import Tokens, load_chain, tls_of
from ..shared.errors import CannotListen, LoadError
from ..shared.sockets import listen
from ..shared.threads import (
    FAILURES_S,
    MOST_FAILURES,
    ThreadFailure,
    guarded_task,
    report_failures,
)
from .application import Application, ApplicationAdmission
from .apps.host import AppHost
from .decisions.switch import end_recording, follow_decisions, wait_for_recorders
from .endpoints import ROUTES
from .engine.catalog import Catalog
from .engine.executor import Executor
from .engine.memory import share_one_heap
from .engine.repository import Repository
from .engine.served_model import ServedModel
from .engine.source import ModelSource, from_bundle
from .fast_path.fast_path import answer_repeats
from .http.allowed_hosts import HostPolicy, is_loopback
from .http.body import HttpLimits
from .http.file_limits import clients_within
from .http.selector import ConnectionSelector, connection_selector
from .http.server import HttpServer
from .http.timed_connection import Timeouts
from .log import Log
from .model_loader import load_model, locate_model
from .options import Options
from .publication import check_publication, started_publication
from .quality.follow_requests import keep_following
from .quality.uncertain_samples import follow_samples
from .rest import telemetry
from .rpc import optional
from .service import Service
from .statistics.expiry import ExpiryMonitor
from .supervision.control import ControlLink, Message
from .supervision.heartbeat import LongestRun
from .supervision.server_report import endpoint, print_json

_STOP_GRACE_S = 0.3
"""An idle connection gets that long when the server ends, and no other takes over."""
_BROKEN_S = 2.0
"""Seconds for the requests under way when a thread that they may need has ended."""
_BROKEN = "The thread {} failed {} times within {:.0f} s, so the process ends: {}."
_HANDOVER_GRACE_S = 5.0
"""And that long when another one has taken over the port."""


def run(options: Options) -> int:
    """Serve one model, alone or for a supervisor; returns the exit status."""
    if options.grpc_port is not None:
        share_one_heap()
    control = None
    if options.control >= 0:
        control = ControlLink(socket.socket(fileno=options.control))
    try:
        optional.check(options)
        check_publication(options)
        models = [] if options.models else [load_model(options, locate_model(options))]
    except (LoadError, CannotListen) as error:
        if control is not None:
            control.send(event="failed", error=str(error))
        print(error, file=sys.stderr)
        return 1
    watch, loop = _event_loop(options.certificate is not None)
    asyncio.set_event_loop(loop)
    try:
        worker = Worker(options, models, control, loop, watch)
        loop.run_until_complete(worker.serve())
    except LoadError as error:  # the folder of models cannot be read
        print(error, file=sys.stderr)
        return 1
    finally:
        loop.close()
    return 1 if worker.failed else 0


def _event_loop(secure: bool) -> Tuple[Optional[ConnectionSelector], asyncio.AbstractEventLoop]:
    """Return the event loop, and the selector of its plain connections, if any.

    Without TLS that is quicker than uvloop: it knows how many clients send at once.
    """
    watch = None if secure else connection_selector()
    if watch is not None:
        return watch, asyncio.SelectorEventLoop(watch)
    try:
        import uvloop  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None, asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return None, loop


class Worker:
    """A server around models that can be exchanged while it answers."""

    def __init__(
        self,
        options: Options,
        models: List[ServedModel],
        control: Optional[ControlLink],
        loop: asyncio.AbstractEventLoop,
        watch: Optional[ConnectionSelector] = None,
    ) -> None:
        clients = clients_within(options.max_connections, 1 if options.grpc_port is None else 2)
        self._options = options = options._replace(max_connections=clients)
        self._control = control
        self._loop = loop
        self._log = Log(2, requests_per_s=options.log_rate)
        self._executor = Executor(loop, options.workers or 1, options.queue)
        self._tls = tls_of(options.certificate, options.key)
        self._service = Service(
            Repository(),
            self._executor,
            self._log,
            max_body=options.max_body,
            tokens=Tokens(options.token_file, os.environ),
            request_s=options.request_s or math.inf,
        )
        self._service.upkeep = ExpiryMonitor(options.certificate, options.place)
        self._service.app = self._apps = AppHost(self._log.event)
        self._application = Application(self._service, ROUTES)
        self._http = HttpServer(
            self._application,
            limits=HttpLimits(body=options.max_body),
            timeouts=Timeouts(answer=options.request_s or math.inf),
            max_connections=options.max_connections,
            on_answer=self._service.answered,
            selector=watch,
        )
        if watch is not None:
            answer_repeats(self._application, self._http, watch)
        self._rpc: Optional[optional.Rpc] = None
        self._stopping = asyncio.Event()
        self._grace_s = _STOP_GRACE_S
        self._limit_s = options.drain_s
        self.failed = False
        report_failures(self._thread_failed)
        self._longest = LongestRun()
        self._reloading: Optional[asyncio.Task[None]] = None
        self._reload_again: Optional[Callable[[], None]] = None
        self._use(models, options.generation)
        if options.models is not None:
            self._service.catalog = Catalog(
                options.models,
                self._service.repository,
                lambda source: load_model(options, source),
                self._fit_workers,
                options.on_demand,
            )
            self._service.catalog.fill()

    async def serve(self) -> None:
        """Answer requests until ordered to stop; then finish those that have started."""
        self._listen_to_signals()
        listener = self._listener()
        host, port = listener.getsockname()[:2]
        self._http.heads.admission = ApplicationAdmission(self._application, self._hosts(host))
        await self._http.start(listener, self._tls)
        self._rpc = await optional.started(self._service, self._http.budget, self._options, host)
        gc.collect()
        gc.freeze()  # what is loaded now stays: no collection needs to look at it again
        self._announce(endpoint(host, port, self._tls is not None))
        minutes = self._task("minutes", lambda: telemetry.record_minutes(self._service))
        switches = self._task("switches", lambda: keep_following(self._service.repository))
        self._service.machine.begin()
        end_export = started_publication(self._service, self._options)
        turns = self._take_turns(self._service.repository.all())
        await self._stopping.wait()
        minutes.cancel()
        switches.cancel()
        self._service.machine.end()
        if turns is not None:
            turns.cancel()
        self._service.ready = False
        await self._loop.run_in_executor(None, self._apps.end)
        self._log.event("draining", connections=self._http.connections)
        finished = await self._drain()
        await self._loop.run_in_executor(None, end_export)
        for model in self._service.repository.all():
            end_recording(model)
            if model.generator is not None:
                model.generator.loop.close()
        wait_for_recorders()
        self._log.event("stopped", finished=finished)
        self._executor.close()
        self._log.close()

    async def _drain(self) -> bool:
        drained = self._http.drain(self._grace_s, self._limit_s)
        if self._rpc is None:
            return await drained
        finished, _ = await asyncio.gather(drained, self._rpc.drain(self._limit_s))
        return finished

    def _task(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        return self._loop.create_task(guarded_task(name, work))

    def _thread_failed(self, failure: ThreadFailure) -> None:
        """Log a failure; a fatal one ends this process, which is then started again."""
        trace = "".join(traceback.format_tb(failure.error.__traceback__)[-3:])
        self._log.event(
            "thread failed", thread=failure.thread, error=failure.reason, trace=trace[-1500:]
        )
        if failure.fatal and not self.failed:
            self.failed = True
            self._service.ready = False
            with contextlib.suppress(RuntimeError):  # a closed event loop: the process ends
                self._loop.call_soon_threadsafe(self._end_broken, failure)

    def _end_broken(self, failure: ThreadFailure) -> None:
        self._limit_s = min(self._limit_s, _BROKEN_S)
        sentence = _BROKEN.format(
            failure.thread, MOST_FAILURES, FAILURES_S, failure.reason.rstrip(".")
        )
        self._report("failed", error=sentence)
        self.stop()

    def stop(self) -> None:
        """Begin to drain."""
        self._stopping.set()

    # Start

    def _hosts(self, address: str) -> HostPolicy:
        # At a gate others listen for it, at addresses of their own.
        local = is_loopback(address) and self._options.gate is None
        names = self._options.allowed_hosts
        return HostPolicy(names, local=local, guarded=self._service.wants_tokens)

    def _listener(self) -> socket.socket:
        if self._options.listener < 0:
            return listen(self._options.host, self._options.port)
        listener = socket.socket(fileno=self._options.listener)
        listener.setblocking(False)
        return listener

    def _take_turns(self, models: List[ServedModel]) -> Optional[asyncio.Task[None]]:
        """Also answer the clients of a gate, while it is this release's turn."""
        if self._options.gate is None or not models:
            return None
        from ..shared.listener_turns import Turns
        from ..shared.trial_note import hand_back
        from .borrower import Borrower

        self._grace_s = _HANDOVER_GRACE_S
        turns, release = Turns(self._options.gate), models[0].source.digest
        if hand_back(turns, release):
            self._log.event("taken back", reason="the server ended while it was on trial")
        borrower = Borrower(turns, release, self._http)
        return self._task("turns", borrower.follow)

    def _listen_to_signals(self) -> None:
        add = self._loop.add_signal_handler
        add(signal.SIGTERM, self.stop)
        if self._control is not None:
            self._loop.add_reader(self._control.fileno(), self._obey)
            add(signal.SIGINT, lambda: None)  # of a terminal: the supervisor decides
            add(signal.SIGHUP, lambda: None)
        else:
            add(signal.SIGINT, self.stop)
            add(signal.SIGHUP, self._hung_up)

    def _announce(self, address: str) -> None:
        models = self._service.repository.all()
        facts: Dict[str, object] = {"models": [m.name + ":" + m.version for m in models]}
        if self._service.catalog is None:
            facts = _facts(models[0])
        if self._rpc is not None:
            facts["grpc"] = self._rpc.address
        if self._control is not None:
            self._control.send(event="ready", heartbeat=True, **facts)
        else:
            print_json({"endpoint": address, "pid": os.getpid(), **facts})
        self._log.event("ready", endpoint=address, **facts)
        for model in models:
            if model.warning:
                self._log.event("not warmed up", name=model.name, reason=model.warning)
        for row in self._service.catalog.index() if self._service.catalog is not None else ():
            if row["reason"]:
                self._log.event("not loaded", **row)

    # Orders of the supervisor

    def _obey(self) -> None:
        assert self._control is not None
        messages = self._control.receive()
        if messages is None:  # the supervisor is gone: nothing would restart or stop this process
            self._loop.remove_reader(self._control.fileno())
            self.stop()
            return
        for message in messages:
            self._obey_one(message)

    def _obey_one(self, message: Message) -> None:
        if message.command == "drain":
            self._grace_s, self._limit_s = message.grace_s, message.limit_s
            self.stop()
        elif message.command == "reload":
            self._reload(lambda: from_bundle(Path(message.bundle)), message.generation)
        elif message.command == "ping":
            self._service.restarts = message.restarts or {}
            assert self._control is not None
            run_s = self._longest.poll(self._executor.running())
            self._control.send(event="alive", run_s=round(run_s, 1))

    # Hot swap

    def _hung_up(self) -> None:
        if self._service.catalog is not None:
            self._service.begin(self._service.catalog.refresh())
        else:
            self._reload(lambda: locate_model(self._options))

    def _reload(self, locate: Callable[[], ModelSource], generation: int = 0) -> None:
        """Load a version next to the served one; a second order waits for the first."""
        self._renew_certificate()
        if self._reloading is not None:
            self._reload_again = lambda: self._reload(locate, generation)
            return
        self._reloading = self._loop.create_task(self._load_and_use(locate, generation))

    def _renew_certificate(self) -> None:
        """Clients that come from now on are shown what the file holds now."""
        certificate, key = self._options.certificate, self._options.key
        if self._tls is None or certificate is None or key is None:
            return
        try:
            load_chain(self._tls, certificate, key)
        except CannotListen as error:  # the previous one continues
            self._log.event("certificate", error=str(error))

    async def _load_and_use(self, locate: Callable[[], ModelSource], generation: int) -> None:
        try:
            model = await self._loop.run_in_executor(
                None, lambda: load_model(self._options, locate())
            )
        except LoadError as error:
            self._report("failed", error=str(error))
        except Exception as error:  # whatever it is, the old version continues
            self._report("failed", error="Loading failed: {!r}.".format(error))
        else:
            self._use([model], generation or self._service.generation + 1)
            self._report("reloaded", generation=self._service.generation, **_facts(model))
        self._reloading = None
        again, self._reload_again = self._reload_again, None
        if again is not None:
            again()

    def _use(self, models: List[ServedModel], generation: int) -> None:
        """Run new requests on these models; those that have started keep theirs."""
        for model in self._service.repository.all():
            if model.mirror is not None:
                model.mirror.end()
            if model.sampler is not None:
                model.sampler.end()
            end_recording(model)
            if model.generator is not None and model not in models:
                model.generator.loop.retire()
        for model in models:
            follow_samples(model)
            follow_decisions(model)
        self._service.repository.replace(models)
        self._fit_workers()
        self._apps.use(models[0] if models else None)
        self._service.generation = generation

    def _fit_workers(self) -> None:
        wanted = [model.execution.workers for model in self._service.repository.all()]
        self._executor.resize(self._options.workers or max(wanted, default=1))

    def _report(self, event: str, **values: object) -> None:
        self._log.event(event, **values)
        if self._control is not None:
            self._control.send(event=event, **values)


def _facts(model: ServedModel) -> Dict[str, object]:
    return {"name": model.name, "version": model.version, "digest": model.source.digest}
