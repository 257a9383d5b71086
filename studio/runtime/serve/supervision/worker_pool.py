"""The worker processes of a supervisor: the one that serves, its successor, those that leave."""

from __future__ import annotations

import selectors
import signal
import socket
import time
from pathlib import Path
from typing import Iterable, List, Optional, Tuple

from ..options import Options
from ..release_root import probe_seconds, runner_of
from .worker_process import WorkerProcess

READY_LIMIT_S = 120.0
_PROBES = 8.0
"""Multiple of a probe's time, in which the model was loaded and run, until a worker is ready."""


class Wakeup:
    """Signals as something that a selector can wait for.

    Attributes:
        end: Readable when a signal has come.
    """

    def __init__(self, numbers: Iterable[int]) -> None:
        self.end, self._kept = socket.socketpair()
        for end in (self.end, self._kept):
            end.setblocking(False)
        signal.set_wakeup_fd(self._kept.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda number, frame: None)  # the byte in the pipe is enough

    def numbers(self) -> List[int]:
        """Return the signals that have come, each once."""
        return sorted(set(self.end.recv(4096)))


class WorkerPool:
    """Pool of worker processes, and the wait for their messages.

    Attributes:
        active: Serves, or is the one that shall.
        next: Loads, and will take over from the active one.
        leaving: Finish their requests.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._selector = selectors.DefaultSelector()
        self.active: Optional[WorkerProcess] = None
        self.next: Optional[WorkerProcess] = None
        self.leaving: List[WorkerProcess] = []

    def all(self) -> List[WorkerProcess]:
        """Every process that has not been waited for."""
        return [child for child in (self.active, self.next) if child] + self.leaving

    def watch(self, wakeup: Wakeup) -> None:
        """Wait for signals, too."""
        self._selector.register(wakeup.end, selectors.EVENT_READ, None)

    def spawn(
        self, release: Path, options: Options, listener: int, generation: int
    ) -> WorkerProcess:
        """Start a worker for a release.

        Raises:
            OSError: when its interpreter cannot be started.
        """
        runner = runner_of(self._root, release)
        child = WorkerProcess(runner, release, options, listener, generation)
        slow_s = _PROBES * probe_seconds(release)
        child.deadline = time.monotonic() + max(READY_LIMIT_S, slow_s)
        self._selector.register(child.link, selectors.EVENT_READ, child)
        return child

    def wait(self, until: float) -> Tuple[List[WorkerProcess], bool]:
        """Wait for the next thing to happen, not longer than to a moment (monotonic).

        Returns:
            Who has something to say, and whether a signal has come.
        """
        moment = min([until, *(child.next_check for child in self.all())])
        pause = None if moment == float("inf") else max(0.0, moment - time.monotonic())
        found = [key.data for key, _ in self._selector.select(pause)]
        return [child for child in found if child is not None], None in found

    def deaf_to(self, child: WorkerProcess) -> None:
        """Stop listening to a worker whose end of the channel is closed."""
        try:
            self._selector.unregister(child.link)
        except KeyError:  # that was noticed before
            return

    def forget(self, child: WorkerProcess) -> None:
        """Remove a worker that has ended."""
        self.deaf_to(child)
        child.link.close()
        self._vacate(child)

    def release(self, child: Optional[WorkerProcess], grace_s: float, limit_s: float) -> None:
        """Let it finish its requests and end."""
        if child is None:
            return
        self._vacate(child)
        child.drain(grace_s, limit_s)
        if not child.loaded:
            child.kill()  # it serves no client yet, and does not listen while it loads
        self.leaving.append(child)

    def promote(self, grace_s: float, limit_s: float) -> None:
        """Make the next worker the active one, and let the active one leave."""
        self.release(self.active, grace_s, limit_s)
        self.active, self.next = self.next, None

    def _vacate(self, child: WorkerProcess) -> None:
        if child in self.leaving:
            self.leaving.remove(child)
        elif child is self.next:
            self.next = None
        elif child is self.active:
            self.active = None

    @property
    def answers(self) -> bool:
        """Whether a worker serves without a hang, or loads within its time."""
        return any(child is not None and not child.hung for child in (self.active, self.next))
