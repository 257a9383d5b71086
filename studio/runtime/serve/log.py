"""The log: one JSON object a line, sampled, and never blocking an answer."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import queue
import stat
import threading
import time
from typing import Optional

from ..shared.threads import guarded_thread

_QUEUED = 1000


class Log:
    """Writer of JSON lines on a thread of its own, so that a slow reader cannot block the server.

    A log that is a regular file becomes ``NAME.1`` when it grows beyond its limit, and is emptied:
    a board's card must not fill up with it, and last night's lines must be there in the morning.

    Attributes:
        answered: How many requests may have a line, if the server has not failed them.
    """

    def __init__(self, descriptor: int, *, requests_per_s: float, limit: int = 8 << 20) -> None:
        """Start with nothing written.

        Args:
            descriptor: File descriptor to write to.
            requests_per_s: Lines for requests a second, at most; and as many for failed ones.
            limit: Bytes that the file may have; the one before it has as many.
        """
        self._descriptor = descriptor
        self._limit = limit
        self._rate = requests_per_s
        self.answered, self._failed = Budget(requests_per_s), Budget(requests_per_s)
        self._queue: queue.SimpleQueue[Optional[bytes]] = queue.SimpleQueue()
        self._thread: Optional[threading.Thread] = None

    @property
    def rate(self) -> float:
        """Lines for requests a second, at most."""
        return self._rate

    def event(self, name: str, /, **values: object) -> None:
        """Write a line about the server itself."""
        self._enqueue({"at": _now(), "event": name, **values})

    def wants(self, status: int) -> bool:
        """Return whether a request with this outcome may have its line now."""
        return (self._failed if status >= 500 else self.answered).acquire()

    def request(self, **values: object) -> None:
        """Write a line about a request that ``wants`` has admitted."""
        self._enqueue({"at": _now(), "event": "request", **values})

    def close(self) -> None:
        """Write what is queued, for a second at most."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(1.0)

    def _enqueue(self, document: object) -> None:
        if self._thread is None:
            self._thread = guarded_thread("log", self._write)
            self._thread.start()
        if self._queue.qsize() < _QUEUED:
            self._queue.put(json.dumps(document).encode("utf-8") + b"\n")

    def _write(self) -> None:
        while True:
            line = self._queue.get()
            if line is None:
                return
            try:
                self._rotate()
                os.write(self._descriptor, line)
            except OSError:  # the disk is full, or the reader has left: serving continues
                continue

    def _rotate(self) -> None:
        status = os.fstat(self._descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_size > self._limit:
            try:
                _copy_aside(self._descriptor)
            except OSError:  # the disk is full: to give its room back comes first
                pass
            # Others write to the same file (the supervisor, another worker): it stays, and is cut.
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)


def _copy_aside(descriptor: int) -> None:
    """Copy the content of a log into the file next to it, whole or not at all.

    Raises:
        OSError: when there is no room for it, or no name that it can be found by.
    """
    import shutil  # late: it loads three decompressors, and few logs reach the limit

    own = "/proc/self/fd/{}".format(descriptor)
    path = os.readlink(own)
    if not os.path.samestat(os.stat(path), os.fstat(descriptor)):
        raise OSError(errno.ENOENT, "the log has no name any more")
    aside = path + ".1.tmp"
    try:
        shutil.copyfile(own, aside)
        os.chmod(aside, stat.S_IMODE(os.fstat(descriptor).st_mode))
        os.replace(aside, path + ".1")
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise


class Budget:
    """Rate limit per second; unused permits last for a second.

    Attributes:
        due: Monotonic clock of the next permit.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._left = max(rate, 1.0)
        self._at = time.monotonic()
        self.due = self._at if rate > 0 else float("inf")

    def acquire(self) -> bool:
        now = time.monotonic()
        if now < self.due:
            return False
        self._left = min(max(self._rate, 1.0), self._left + (now - self._at) * self._rate) - 1.0
        self._at = now
        if self._left < 1.0:
            self.due = now + (1.0 - self._left) / self._rate
        return True


def _now() -> str:
    now = time.time()
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return "{}.{:03d}Z".format(whole, int(now * 1000) % 1000)
