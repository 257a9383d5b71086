"""The pull client as a service: polls with jitter, waits longer while the server is away."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from ..units.notify import Notifier
from .client import PullClient
from .errors import PullError, TryLater
from .settings import PullFolder

_SHORTEST_S = 5.0
_USUAL_S = 300.0
_LONGEST_S = 86400.0
_AWAY_S = 3600.0
_JITTER = 0.2


def wait_s(wanted_s: float, failures: int, after_s: float, draw: float) -> float:
    """Return the seconds until the next poll.

    Args:
        wanted_s: Between two polls, as the server or the settings want it; 0 where neither does.
        failures: Polls in a row that have failed.
        after_s: Least time that the server has named.
        draw: Random number from 0 to 1, so that boards do not poll at one moment.
    """
    usual = min(max(wanted_s or _USUAL_S, _SHORTEST_S), _LONGEST_S)
    if failures:
        usual = min(_SHORTEST_S * 2 ** min(failures, 12), max(_AWAY_S, _SHORTEST_S))
    spread = usual * (1 - _JITTER + 2 * _JITTER * draw)
    return min(max(spread, after_s * (1 + _JITTER * draw)), _LONGEST_S)


class PullService:
    """Polls until it is ended."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._over = threading.Event()
        self._notifier = Notifier.of(os.environ)
        self._failures = 0

    def run(self) -> int:
        """Poll until a signal arrives; return the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._over.set())
        with single(self._root):
            self._notifier.ready("polling")
            while not self._over.is_set():
                self._wait(self._poll())
        return 0

    def once(self) -> int:
        """Poll once; return the exit status."""
        with single(self._root):
            client = PullClient(self._root, say)
            client.poll()
        return 0

    def _poll(self) -> float:
        wanted, after = 0.0, 0.0
        try:
            client = PullClient(self._root, say)
            wanted = client.poll()
            self._failures = 0
            wanted = PullFolder(self._root).load().poll_s or wanted
            self._notifier.status("polled; action {}".format(client.state.action or "none"))
        except (TryLater, PullError, OSError) as error:
            self._failures += 1
            after = getattr(error, "after_s", 0.0)
            say(str(error))
            self._notifier.status(str(error)[:200])
        return wait_s(wanted, self._failures, after, random.random())

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._over.is_set() and time.monotonic() < until:
            self._notifier.beat()
            self._over.wait(min(5.0, max(0.0, until - time.monotonic())))


@contextmanager
def single(root: Path) -> Iterator[None]:
    """Hold the lock of the client: one polls at a time.

    Raises:
        PullError: when another one does, or none is set up.
    """
    folder = PullFolder(root)
    try:
        handle = os.open(str(folder.lock), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        raise PullError("No pull client is set up in {}.".format(root)) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise PullError("Another pull client works in {}.".format(root)) from None
    finally:
        os.close(handle)


def say(sentence: str) -> None:
    """Print a sentence for the journal."""
    print(sentence, file=sys.stderr, flush=True)
