"""Parent process of a root's server: it holds the listening socket while workers come and go.

A release that runs on the same interpreter and runtime is swapped inside the worker. For another
one a new worker is started on the same socket, and the old one drains when the new one is ready.
As the socket is never closed, no client is refused in between. A worker that crashes, or misses its
heartbeat, is replaced, while new clients wait in the socket's queue. The service manager's own
watchdog gets its heartbeat only while a worker gives one.

It must not import numpy or onnxruntime: it stays small, and it stays when an environment goes.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import IO

from ...release.boot_count import before_start
from ...shared.errors import CannotListen
from ...shared.sockets import listen, reserve
from ...units.notify import Notifier
from ..options import Options
from ..release_root import current_release, runner_of
from .control import Message
from .restarts import Restarts
from .server_report import ServerReport, described, endpoint, print_json
from .worker_pool import READY_LIMIT_S, Wakeup, WorkerPool
from .worker_process import WorkerProcess

HANDOVER_GRACE_S = 5.0
STOP_GRACE_S = 0.3
_HANDLED = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


class Supervisor:
    """Keeps the current release of a root served."""

    def __init__(self, options: Options) -> None:
        assert options.root is not None
        self._options = options
        self._root = options.root
        self._run = options.root / "run"
        self._report: ServerReport
        self._listener: socket.socket
        self._crew = WorkerPool(options.root)
        self._restarts = Restarts()
        self._reloading = False
        self._again = False  # ordered to reload during a reload
        self._stopping = False
        self._served = False  # some worker was ready since the start
        self._status = 0
        self._notifier = Notifier.of(os.environ)

    def run(self) -> int:
        """Supervise until a signal ends it; return the exit status.

        Raises:
            CannotListen: when the address is taken, or the root is served already.
        """
        self._run.mkdir(parents=True, exist_ok=True)
        lock = self._lock()
        self._report = ServerReport(self._run)
        try:
            self._listener = listen(self._options.host, self._options.port)
            self._reserve_grpc_port()
        except CannotListen as error:
            self._report.update(state="failed", error=str(error))
            raise
        with lock, self._listener:
            host, port = self._listener.getsockname()[:2]
            manager = "systemd" if self._notifier.listened_to else "process"
            grpc_port = self._options.grpc_port
            self._report.update(host=host, port=port, grpc_port=grpc_port, manager=manager)
            self._wakeup = Wakeup(_HANDLED)
            self._crew.watch(self._wakeup)
            self._start_current()
            while self._crew.all() or not self._stopping:
                self._step()
        return self._status

    def _reserve_grpc_port(self) -> None:
        """Reserve the gRPC port: workers listen on it themselves, two of them during a swap."""
        port = self._options.grpc_port
        if port is not None:
            self._grpc = reserve(self._options.host, port)
            self._options = self._options._replace(grpc_port=self._grpc.getsockname()[1])

    def _lock(self) -> IO[str]:
        lock = (self._run / "server.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise CannotListen("{} is served already.".format(self._root)) from None
        return lock

    # What happens

    def _step(self) -> None:
        """Wait for the next event, and handle it."""
        beat = self._notifier.next_beat if self._is_alive else float("inf")
        speakers, is_signalled = self._crew.wait(min(beat, self._restarts.due))
        for child in speakers:
            self._receive(child)
        for number in self._wakeup.numbers() if is_signalled else ():
            if number == signal.SIGHUP:
                self._reload()
            elif number in (signal.SIGTERM, signal.SIGINT):
                self._stop()
        self._reap()
        self._enforce_deadlines()

    @property
    def _is_alive(self) -> bool:
        """Whether the service manager may believe that all is well."""
        return self._crew.answers or self._stopping

    def _receive(self, child: WorkerProcess) -> None:
        messages = child.link.receive()
        if messages is None:
            self._crew.deaf_to(child)
            return
        for message in messages:
            if message.event == "alive":
                child.on_heartbeat(message.run_s)
            elif message.event == "ready":
                self._ready(child, message)
            elif message.event == "reloaded":
                self._reloaded(child, message)
            elif message.event == "failed":
                self._failed(child, message.error)

    def _enforce_deadlines(self) -> None:
        if self._is_alive:
            self._notifier.beat()
        now = time.monotonic()
        for child in self._crew.all():
            child.ping(now, self._restarts.counts)
            # Loading a model next to the served one may block a worker's event loop.
            loads = self._reloading and child is self._crew.active
            child.enforce_limits(now, READY_LIMIT_S if loads else 0.0)
        if self._restarts.due <= now:
            self._restarts.never()
            self._start_current()

    # Starting and reloading

    def _spawn(self, release: Path) -> WorkerProcess:
        listener, generation = self._listener.fileno(), self._generation + 1
        return self._crew.spawn(release, self._options, listener, generation)

    def _start_current(self) -> None:
        """Start a worker while none serves."""
        note = before_start(self._root)
        if note:
            print(json.dumps({"event": "went back", "reason": note}), file=sys.stderr, flush=True)
        release = current_release(self._root)
        if release is None:
            self._give_up("There is no current release below {}.".format(self._root))
            return
        try:
            self._crew.active = self._spawn(release)
        except OSError as error:
            self._give_up("{} cannot be started: {}.".format(error.filename, error.strerror))

    @property
    def _generation(self) -> int:
        return int(self._report.values["generation"])

    def _reload(self) -> None:
        """Serve what ``current`` points to now."""
        if self._stopping:
            return
        if self._reloading or self._crew.next is not None:
            self._again = True
            return
        release, active = current_release(self._root), self._crew.active
        if release is None:
            self._refuse("There is no current release below {}.".format(self._root))
        elif active is None or not active.loaded:
            # Nothing serves yet: leave the worker that was starting, and start the right one.
            self._crew.release(active, 0.0, self._options.drain_s)
            self._restarts.at_once()
        elif runner_of(self._root, release) == active.runner:
            self._reloading = True
            self._notifier.reloading()
            active.reload(release, self._generation + 1)
        else:
            self._start_beside(release)

    def _start_beside(self, release: Path) -> None:
        self._notifier.reloading()
        try:
            self._crew.next = self._spawn(release)
        except OSError as error:
            self._refuse("{} cannot be started: {}.".format(error.filename, error.strerror))

    def _ready(self, child: WorkerProcess, message: Message) -> None:
        if child in self._crew.leaving:
            return
        child.ready(message.heartbeat)
        self._served = True
        if child is self._crew.next:
            self._crew.promote(HANDOVER_GRACE_S, self._options.drain_s)
        self._settled(child, message, child.generation)

    def _reloaded(self, child: WorkerProcess, message: Message) -> None:
        if child is not self._crew.active:
            return
        self._reloading = False
        child.release = child.release.with_name(message.digest)
        self._settled(child, message, message.generation)

    def _settled(self, child: WorkerProcess, message: Message, generation: int) -> None:
        """Record that a worker serves the requested release."""
        facts = {"digest": message.digest, "name": message.name, "version": message.version}
        self._report.values.update(described(self._options, os.environ))
        first = self._generation == 0
        self._report.update(
            state="ready", error="", generation=generation, worker=child.pid, **facts
        )
        self._notifier.ready("serving {name} version {version}".format(**facts))
        if first:
            host, port = self._report.values["host"], self._report.values["port"]
            secure = self._options.certificate is not None
            if message.grpc is not None:
                facts["grpc"] = message.grpc
            print_json({"endpoint": endpoint(host, port, secure), "pid": os.getpid(), **facts})
        self._reload_again()

    def _reload_again(self) -> None:
        if self._again:
            self._again = False
            self._reload()

    # Failures

    def _failed(self, child: WorkerProcess, sentence: str) -> None:
        """Handle a worker's report that it cannot load a release."""
        child.failure = sentence
        if child is self._crew.active and self._reloading:
            child.failure = ""
            self._reloading = False
            self._refuse(sentence)

    def _refuse(self, sentence: str) -> None:
        """Report that the requested release cannot be served; the previous one continues."""
        if self._again:  # the answer would be taken for that of the later request
            self._reload_again()
            return
        self._report.update(state="failed", error=sentence)
        self._notifier.ready("still serving what it served before: " + sentence)

    def _give_up(self, sentence: str) -> None:
        """Nothing can be served."""
        self._report.update(state="failed", error=sentence)
        if self._served:
            self._restarts.later()
            return
        print(sentence, file=sys.stderr, flush=True)
        self._status = 1
        self._stopping = True

    def _reap(self) -> None:
        for child in self._crew.all():
            status = child.ended()
            if status is None:
                continue
            for message in child.receive():  # its last words may still be unread
                if message.event == "failed":
                    self._failed(child, message.error)
            was_active, was_next = child is self._crew.active, child is self._crew.next
            self._crew.forget(child)
            if was_next:
                self._refuse(child.obituary(status))
            elif was_active:
                self._crashed(child, child.obituary(status))

    def _crashed(self, child: WorkerProcess, sentence: str) -> None:
        """Handle the end of the serving worker, by a crash or a kill after a hang."""
        self._reloading = False
        if self._stopping:
            return
        self._restarts.ended(time.monotonic() - child.started, child.loaded, child.hung)
        if not self._served and (child.failure or self._restarts.tried_enough):
            self._give_up(sentence)
            return
        line = json.dumps({"event": "worker ended", "hung": child.hung, "reason": sentence})
        print(line, file=sys.stderr, flush=True)
        self._report.update(state="failed", error=sentence, worker=0)
        self._notifier.status(sentence)
        if self._crew.next is not None:  # it was about to take over anyway
            self._crew.active, self._crew.next = self._crew.next, None
            return
        self._restarts.later()

    # The end

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._notifier.stopping()
        self._restarts.never()
        self._listener.close()  # new clients are refused now, not left waiting
        for child in (self._crew.active, self._crew.next):
            self._crew.release(child, STOP_GRACE_S, self._options.drain_s)
        self._report.update(state="stopped", worker=0)
