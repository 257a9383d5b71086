"""The process that serves: loads, listens, swaps versions, drains."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Callable, Optional

from . import metrics, observation, open_inference
from .contracts.table import routes
from .control import ControlLink, Message
from .errors import LoadError
from .executor import Executor
from .http.parser import HttpLimits
from .http.server import HttpServer
from .log import Log
from .model import Repository, ServedModel, load
from .options import Options, listen
from .service import Service
from .source import ModelSource, from_bundle, from_file
from .state import endpoint, say

ROUTES = open_inference.ROUTES + observation.ROUTES + metrics.ROUTES + routes(os.environ)
_STOP_GRACE_S = 0.3
"""An idle connection gets that long when the server ends, and no other takes over."""


def run(options: Options) -> int:
    """Serve one model, alone or for a supervisor; returns the exit status."""
    control = None
    if options.control >= 0:
        control = ControlLink(socket.socket(fileno=options.control))
    try:
        model = load(_locate(options), options.threads, options.max_batch)
    except LoadError as error:
        if control is not None:
            control.send(event="failed", error=str(error))
        print(error, file=sys.stderr)
        return 1
    loop = _event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(Worker(options, model, control, loop).serve())
    finally:
        loop.close()
    return 0


def _locate(options: Options) -> ModelSource:
    if options.bundle is not None:
        return from_bundle(options.bundle)
    assert options.model is not None
    return from_file(options.model)


def _event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


class Worker:
    """A server around one model that can be exchanged while it answers."""

    def __init__(
        self,
        options: Options,
        model: ServedModel,
        control: Optional[ControlLink],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._options = options
        self._control = control
        self._loop = loop
        self._log = Log(2, requests_per_s=options.log_rate)
        self._executor = Executor(loop, model.execution.workers, options.queue)
        self._service = Service(
            Repository(), self._executor, ROUTES, self._log, max_body=options.max_body
        )
        self._http = HttpServer(
            self._service,
            limits=HttpLimits(body=options.max_body),
            max_connections=options.max_connections,
            on_answer=self._service.answered,
        )
        self._stopping = asyncio.Event()
        self._grace_s = _STOP_GRACE_S
        self._limit_s = options.drain_s
        self._reloading: Optional[asyncio.Task[None]] = None
        self._reload_again: Optional[Callable[[], None]] = None
        self._use(model, options.generation)

    async def serve(self) -> None:
        """Answer requests until told to stop; then finish those that have begun."""
        self._listen_to_signals()
        listener = self._listener()
        host, port = listener.getsockname()[:2]
        await self._http.start(listener)
        gc.collect()
        gc.freeze()  # what is loaded now stays: no collection needs to look at it again
        self._announce(endpoint(host, port))
        await self._stopping.wait()
        self._service.ready = False
        self._log.event("draining", connections=self._http.connections)
        finished = await self._http.drain(self._grace_s, self._limit_s)
        self._log.event("stopped", finished=finished)
        self._executor.close()
        self._log.close()

    def stop(self) -> None:
        """Begin to drain."""
        self._stopping.set()

    # Start

    def _listener(self) -> socket.socket:
        if self._options.listener < 0:
            return listen(self._options.host, self._options.port)
        listener = socket.socket(fileno=self._options.listener)
        listener.setblocking(False)
        return listener

    def _listen_to_signals(self) -> None:
        add = self._loop.add_signal_handler
        add(signal.SIGTERM, self.stop)
        if self._control is not None:
            self._loop.add_reader(self._control.fileno(), self._obey)
            add(signal.SIGINT, lambda: None)  # of a terminal: the supervisor decides
            add(signal.SIGHUP, lambda: None)
        else:
            add(signal.SIGINT, self.stop)
            add(signal.SIGHUP, lambda: self._reload(lambda: _locate(self._options)))

    def _announce(self, address: str) -> None:
        model = self._service.repository.all()[0]
        facts = {"name": model.name, "version": model.version, "digest": model.source.digest}
        if self._control is not None:
            self._control.send(event="ready", **facts)
        else:
            say({"endpoint": address, "pid": os.getpid(), **facts})
        self._log.event("ready", endpoint=address, **facts)
        if model.warning:
            self._log.event("not warmed up", reason=model.warning)

    # Orders of the supervisor

    def _obey(self) -> None:
        assert self._control is not None
        messages = self._control.receive()
        if messages is None:  # the supervisor is gone: nobody would restart or stop this process
            self._loop.remove_reader(self._control.fileno())
            self.stop()
            return
        for message in messages:
            self._obey_one(message)

    def _obey_one(self, message: Message) -> None:
        if message["command"] == "drain":
            self._grace_s = float(message["grace_s"])
            self._limit_s = float(message["limit_s"])
            self.stop()
        elif message["command"] == "reload":
            bundle, generation = Path(message["bundle"]), int(message["generation"])
            self._reload(lambda: from_bundle(bundle), generation)

    # Hot swap

    def _reload(self, locate: Callable[[], ModelSource], generation: int = 0) -> None:
        """Load a version beside the served one; a second order waits for the first."""
        if self._reloading is not None:
            self._reload_again = lambda: self._reload(locate, generation)
            return
        self._reloading = self._loop.create_task(self._load_and_use(locate, generation))

    async def _load_and_use(self, locate: Callable[[], ModelSource], generation: int) -> None:
        try:
            model = await self._loop.run_in_executor(
                None, lambda: load(locate(), self._options.threads, self._options.max_batch)
            )
        except LoadError as error:
            self._tell("failed", error=str(error))
        except Exception as error:  # whatever it is, the old version goes on
            self._tell("failed", error="Loading failed: {!r}.".format(error))
        else:
            self._use(model, generation or self._service.generation + 1)
            facts = {"name": model.name, "version": model.version, "digest": model.source.digest}
            self._tell("reloaded", generation=self._service.generation, **facts)
        self._reloading = None
        again, self._reload_again = self._reload_again, None
        if again is not None:
            again()

    def _use(self, model: ServedModel, generation: int) -> None:
        """From here on new requests run on this model; those that have begun keep theirs."""
        self._executor.resize(self._options.workers or model.execution.workers)
        self._service.repository.replace([model])
        self._service.generation = generation

    def _tell(self, event: str, **values: object) -> None:
        self._log.event(event, **values)
        if self._control is not None:
            self._control.send(event=event, **values)
