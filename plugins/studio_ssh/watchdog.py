"""The end of a transfer over a link that has died."""

from __future__ import annotations

import threading
import time

import paramiko

from studio_ssh.connection import DEAD_LINK_S, seconds_without_answer

STALLED_S = 60.0
"""Without any progress for this long, the other side counts as stuck although the link lives."""

_LOOK_S = 0.5


class Watchdog:
    """Closes a connection that makes no progress, so that whoever waits for it wakes up.

    Attributes:
        barked: Why, in the words that follow "the connection was lost"; empty when it did not.
    """

    def __init__(self, transport: paramiko.Transport) -> None:
        self.barked = ""
        self._transport = transport
        self._last = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ssh watchdog", daemon=True)

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def touch(self) -> None:
        """There was progress."""
        self._last = time.monotonic()

    def _watch(self) -> None:
        while not self._done.wait(_LOOK_S):
            self.barked = self._verdict()
            if self.barked:
                self._transport.close()
                return

    def _verdict(self) -> str:
        if not self._transport.is_active():
            return "it was closed"
        silent = seconds_without_answer(self._transport)
        if silent >= DEAD_LINK_S:
            return f"no answer for {silent:.0f} s"
        if time.monotonic() - self._last >= STALLED_S:
            return f"no progress for {STALLED_S:g} s"
        return ""
