"""Worker process from its supervisor's side: started, commanded, watched, ended."""

from __future__ import annotations

import functools
import math
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import List, Mapping, Optional

from ...backends.providers import VARIABLE as PROVIDERS
from ...shared.host_names import ALLOWED_HOSTS
from ..options import Options
from ..release_root import Runner
from .control import ControlLink, Message
from .heartbeat import Heartbeat, processor_s


class WorkerProcess:
    """Worker process that serves one release.

    Attributes:
        release: Folder of the bundle that it serves (or is about to).
        loaded: It has said that it is ready.
        deadline: Monotonic time by which it must be ready, or must have ended.
        failure: Why it could not load, as it said itself, or why it was ended.
        hung: It was ended because it missed its heartbeat.
    """

    def __init__(
        self, runner: Runner, release: Path, options: Options, listener: int, generation: int
    ) -> None:
        ours, theirs = socket.socketpair()
        given = options.for_worker(release, listener, theirs.fileno(), generation)
        try:
            self._process = subprocess.Popen(
                [*runner.command, "serve", *given],
                stdin=subprocess.DEVNULL,
                pass_fds=(listener, theirs.fileno()),
                env=_environment(options),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.link = ControlLink(ours)
        self.runner = runner
        self.release = release
        self.generation = generation
        self.loaded = False
        self.failure = ""
        self.hung = False
        self._heartbeat: Optional[Heartbeat] = None
        self._limits = (options.hang_s, options.request_s or math.inf)
        self.started = time.monotonic()
        self.deadline = math.inf

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def ended(self) -> Optional[int]:
        """Return its exit status (negative: the signal that ended it), or None while it runs."""
        return self._process.poll()

    def receive(self) -> List[Message]:
        """Return its messages."""
        return self.link.receive() or []

    @property
    def next_check(self) -> float:
        """Monotonic time of its next ping or verdict."""
        look = self._heartbeat.next_check if self._heartbeat is not None else math.inf
        return min(self.deadline, look)

    def ready(self, has_heartbeat: bool) -> None:
        """Record that it serves.

        Args:
            has_heartbeat: It answers pings; an old runtime does not.
        """
        self.loaded = True
        self.deadline = math.inf
        limit_s, answer_s = self._limits
        if has_heartbeat and limit_s:
            used_s = functools.partial(processor_s, self.pid)
            self._heartbeat = Heartbeat(limit_s, answer_s, used_s)

    def ping(self, now: float, restarts: Mapping[str, int]) -> None:
        """Send a ping if it is due, with the counts of replaced workers."""
        if self._heartbeat is not None and self._heartbeat.start_ping(now):
            self.link.send(command="ping", restarts=dict(restarts))

    def on_heartbeat(self, run_s: float) -> None:
        """Record its heartbeat, with the duration of its longest present run."""
        if self._heartbeat is not None:
            self._heartbeat.on_answer(time.monotonic(), run_s)

    def enforce_limits(self, now: float, patience_s: float) -> None:
        """Kill it when its time is up, or when it hangs.

        Args:
            patience_s: Silence that is accepted at the moment.
        """
        if self.deadline <= now:
            self._end("it was not ready in time")
        elif self._heartbeat is not None and not self.hung and math.isinf(self.deadline):
            reason = self._heartbeat.verdict(now, patience_s)
            if reason:
                self.hung = True
                text = "The process that serves release {} {}."
                self._end(text.format(self.release.name[:12], reason))

    def _end(self, reason: str) -> None:
        self.failure = self.failure or reason
        self.deadline = math.inf
        self._heartbeat = None
        self.kill()

    def obituary(self, status: int) -> str:
        """Return one sentence on why it has ended."""
        if self.failure:
            return self.failure
        name = self.release.name[:12]
        if status >= 0:
            return "The process that serves release {} ended with status {}.".format(name, status)
        try:
            number = signal.Signals(-status).name
        except ValueError:
            number = str(-status)
        return "Worker of release {} killed by {}.".format(name, number)

    def reload(self, release: Path, generation: int) -> None:
        """Ask it to serve another release."""
        self.link.send(command="reload", bundle=str(release), generation=generation)

    def drain(self, grace_s: float, limit_s: float) -> None:
        """Ask it to finish its requests and end; it is killed when it takes too long."""
        self.link.send(command="drain", grace_s=grace_s, limit_s=limit_s)
        self._heartbeat = None  # its time is limited from now on
        self.deadline = time.monotonic() + limit_s + 2.0

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def wait(self) -> None:
        """Wait for its end, after it was killed."""
        self._process.wait()


def _environment(options: Options) -> Mapping[str, str]:
    names = ",".join(options.allowed_hosts)
    more = {ALLOWED_HOSTS: names} if names else {}
    more[PROVIDERS] = options.providers
    return {**os.environ, "ORT_DISABLE_TELEMETRY": "1", **more}
