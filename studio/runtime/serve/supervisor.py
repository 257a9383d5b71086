"""The parent of a root's server: it holds the listening socket while workers come and go.

A release that runs on the same interpreter and runtime is swapped inside the worker. For another
one a new worker is started on the same socket, and the old one drains when the new one is ready;
as the socket is never closed, no client is refused in between. A worker that crashes is started
again, while new clients wait in the socket's queue.

It must not import numpy or onnxruntime: it stays small, and it stays when an environment goes.
"""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from typing import IO, List, Optional

from ..units.notify import Notifier
from .access import described
from .child import Child
from .control import Message
from .errors import CannotListen
from .options import Options, listen, reserve
from .releases import current_release, runner_of
from .state import ServerReport, endpoint, say

READY_LIMIT_S = 120.0
HANDOVER_GRACE_S = 5.0
STOP_GRACE_S = 0.3
_FIRST_BACK_OFF_S = 0.2
_LAST_BACK_OFF_S = 10.0
_STEADY_S = 60.0
_FIRST_TRIES = 3
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
        self._selector = selectors.DefaultSelector()
        self._active: Optional[Child] = None  # serves, or is the one that shall
        self._next: Optional[Child] = None  # loads, and will take over from the active one
        self._leaving: List[Child] = []
        self._reloading = False
        self._again = False  # told to reload while that was going on
        self._stopping = False
        self._served = False  # some worker was ready since the start
        self._failures = 0
        self._restart_at = float("inf")
        self._status = 0
        self._notifier = Notifier.of(os.environ)

    def run(self) -> int:
        """Supervise until told to end; returns the exit status.

        Raises:
            CannotListen: when the address is taken, or the root is served already.
        """
        self._run.mkdir(parents=True, exist_ok=True)
        lock = self._lock()
        self._report = ServerReport(self._run)
        try:
            self._listener = listen(self._options.host, self._options.port)
            self._keep_port_of_grpc()
        except CannotListen as error:
            self._report.update(state="failed", error=str(error))
            raise
        with lock, self._listener, self._selector:
            host, port = self._listener.getsockname()[:2]
            self._report.update(host=host, port=port, grpc_port=self._options.grpc_port)
            self._listen_to_signals()
            self._start_current()
            while not self._finished():
                self._step()
        return self._status

    def _keep_port_of_grpc(self) -> None:
        """Workers listen there themselves, the next one beside the last."""
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

    def _finished(self) -> bool:
        return self._stopping and not self._children()

    def _children(self) -> List[Child]:
        return [child for child in (self._active, self._next) if child] + self._leaving

    # What happens

    def _listen_to_signals(self) -> None:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        for number in _HANDLED:
            signal.signal(number, lambda number, frame: None)  # the byte in the pipe is enough
        self._wakeup = (ours, theirs)
        self._selector.register(ours, selectors.EVENT_READ, None)

    def _step(self) -> None:
        """Wait for the next thing to happen, and deal with it."""
        for key, _ in self._selector.select(self._patience()):
            if key.data is not None:
                self._hear(key.data)
                continue
            for number in set(self._wakeup[0].recv(4096)):
                if number == signal.SIGHUP:
                    self._reload()
                elif number in (signal.SIGTERM, signal.SIGINT):
                    self._stop()
        self._reap()
        self._keep_deadlines()

    def _patience(self) -> Optional[float]:
        moments = [child.deadline for child in self._children()]
        moment = min([*moments, self._restart_at, self._notifier.next_beat])
        return None if moment == float("inf") else max(0.0, moment - time.monotonic())

    def _hear(self, child: Child) -> None:
        messages = child.link.receive()
        if messages is None:
            self._selector.unregister(child.link)
            return
        for message in messages:
            if message["event"] == "ready":
                self._ready(child, message)
            elif message["event"] == "reloaded":
                self._reloaded(child, message)
            elif message["event"] == "failed":
                self._failed(child, str(message["error"]))

    def _keep_deadlines(self) -> None:
        self._notifier.beat()
        now = time.monotonic()
        for child in self._children():
            if child.deadline <= now:
                child.failure = child.failure or "it was not ready in time"
                child.deadline = float("inf")
                child.kill()
        if self._restart_at <= now:
            self._restart_at = float("inf")
            self._start_current()

    # Starting and reloading

    def _spawn(self, release: Path, generation: int) -> Child:
        runner = runner_of(self._root, release)
        child = Child(runner, release, self._options, self._listener.fileno(), generation)
        child.deadline = time.monotonic() + READY_LIMIT_S
        self._selector.register(child.link, selectors.EVENT_READ, child)
        return child

    def _start_current(self) -> None:
        """Start a worker while none serves."""
        release = current_release(self._root)
        if release is None:
            self._give_up("There is no current release below {}.".format(self._root))
            return
        try:
            self._active = self._spawn(release, self._generation + 1)
        except OSError as error:
            self._give_up("{} cannot be started: {}.".format(error.filename, error.strerror))

    @property
    def _generation(self) -> int:
        return int(self._report.values["generation"])

    def _reload(self) -> None:
        """Serve what ``current`` points to now."""
        if self._stopping:
            return
        if self._reloading or self._next is not None:
            self._again = True
            return
        release = current_release(self._root)
        if release is None:
            self._refuse("There is no current release below {}.".format(self._root))
        elif self._active is None or not self._active.loaded:
            self._start_instead()
        elif runner_of(self._root, release) == self._active.runner:
            self._reloading = True
            self._notifier.reloading()
            self._active.reload(release, self._generation + 1)
        else:
            self._start_beside(release)

    def _start_instead(self) -> None:
        """Nothing serves yet: leave the worker that was starting, and start the right one."""
        if self._active is not None:
            self._leave(self._active, 0.0)
            self._active = None
        self._failures = 0
        self._restart_at = time.monotonic()

    def _start_beside(self, release: Path) -> None:
        self._notifier.reloading()
        try:
            self._next = self._spawn(release, self._generation + 1)
        except OSError as error:
            self._refuse("{} cannot be started: {}.".format(error.filename, error.strerror))

    def _ready(self, child: Child, message: Message) -> None:
        if child in self._leaving:
            return
        child.loaded = True
        child.deadline = float("inf")
        self._served = True
        if child is self._next:
            old, self._active, self._next = self._active, child, None
            if old is not None:
                self._leave(old, HANDOVER_GRACE_S)
        self._settled(child, message, child.generation)

    def _reloaded(self, child: Child, message: Message) -> None:
        if child is not self._active:
            return
        self._reloading = False
        child.release = child.release.with_name(str(message["digest"]))
        self._settled(child, message, int(message["generation"]))

    def _settled(self, child: Child, message: Message, generation: int) -> None:
        """A worker serves what was asked for."""
        facts = {key: message[key] for key in ("digest", "name", "version")}
        self._report.values.update(described(self._options, os.environ))
        first = self._generation == 0
        self._report.update(
            state="ready", error="", generation=generation, worker=child.pid, **facts
        )
        self._notifier.ready("serving {name} version {version}".format(**facts))
        if first:
            host, port = self._report.values["host"], self._report.values["port"]
            secure = self._options.certificate is not None
            if "grpc" in message:
                facts["grpc"] = message["grpc"]
            say({"endpoint": endpoint(host, port, secure), "pid": os.getpid(), **facts})
        self._reload_again()

    def _reload_again(self) -> None:
        if self._again:
            self._again = False
            self._reload()

    # Failures

    def _failed(self, child: Child, sentence: str) -> None:
        """A worker says that it cannot load a release."""
        child.failure = sentence
        if child is self._active and self._reloading:
            child.failure = ""
            self._reloading = False
            self._refuse(sentence)

    def _refuse(self, sentence: str) -> None:
        """What was asked for cannot be served; what was served before goes on."""
        if self._again:  # the answer would be taken for that of the later request
            self._reload_again()
            return
        self._report.update(state="failed", error=sentence)
        self._notifier.ready("still serving what it served before: " + sentence)

    def _give_up(self, sentence: str) -> None:
        """Nothing can be served."""
        self._report.update(state="failed", error=sentence)
        if self._served:
            self._restart_later()
            return
        print(sentence, file=sys.stderr, flush=True)
        self._status = 1
        self._stopping = True

    def _reap(self) -> None:
        for child in self._children():
            status = child.ended()
            if status is None:
                continue
            for message in child.receive():  # its last words may still be unread
                if message["event"] == "failed":
                    self._failed(child, str(message["error"]))
            self._forget(child)
            if child in self._leaving:
                self._leaving.remove(child)
            elif child is self._next:
                self._next = None
                self._refuse(_obituary(child, status))
            else:
                self._active = None
                self._crashed(child, status)

    def _forget(self, child: Child) -> None:
        try:
            self._selector.unregister(child.link)
        except KeyError:  # its end was noticed before
            pass
        child.link.close()

    def _crashed(self, child: Child, status: int) -> None:
        """The serving worker has ended by itself."""
        self._reloading = False
        if self._stopping:
            return
        sentence = _obituary(child, status)
        lived = time.monotonic() - child.started
        self._failures = 0 if child.loaded and lived > _STEADY_S else self._failures + 1
        if not self._served and (child.failure or self._failures >= _FIRST_TRIES):
            self._give_up(sentence)
            return
        line = json.dumps({"event": "worker ended", "reason": sentence})
        print(line, file=sys.stderr, flush=True)
        self._report.update(state="failed", error=sentence, worker=0)
        self._notifier.status(sentence)
        if self._next is not None:  # it was about to take over anyway
            self._active, self._next = self._next, None
            return
        self._restart_later()

    def _restart_later(self) -> None:
        pause = min(_LAST_BACK_OFF_S, _FIRST_BACK_OFF_S * 2 ** max(0, self._failures - 1))
        self._restart_at = time.monotonic() + pause

    # The end

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._notifier.stopping()
        self._restart_at = float("inf")
        self._listener.close()  # new clients are refused now, not left waiting
        for child in (self._active, self._next):
            if child is not None:
                self._leave(child, STOP_GRACE_S)
        self._active = self._next = None
        self._report.update(state="stopped", worker=0)

    def _leave(self, child: Child, grace_s: float) -> None:
        child.drain(grace_s, self._options.drain_s)
        if not child.loaded:
            child.kill()  # it serves nobody yet, and does not listen while it loads
        self._leaving.append(child)


def _obituary(child: Child, status: int) -> str:
    """One sentence on why a worker has ended."""
    if child.failure:
        return child.failure
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = str(-status)
        return "The process that serves release {} was ended by {}.".format(
            child.release.name[:12], name
        )
    return "The process that serves release {} ended with status {}.".format(
        child.release.name[:12], status
    )
