"""The end of a connection over a link that has died, or to a board that answers no more."""

from __future__ import annotations

import contextlib
import threading
import time

import paramiko

from studio_ssh.connection import DEAD_LINK_S, bytes_moved, seconds_without_answer
from studio_ssh.connection_loss import LOST
from studio_ssh.jump import JumpConnection, leads_on

STALLED_S = 60.0
"""Without any progress for this long, the other side counts as stuck although the link lives."""

TRANSFER_S = 8.0
"""Longest silence of a board's SSH server during a transfer, despite keepalive requests.

A proxy or a modem in between may acknowledge data for a board that is gone."""

COMMAND_S = 25.0
"""The same during a command, which may keep a small board busy."""

DOUBT_S = 4.0
"""Seconds of silence after which a jump host is probed for its connection to the board."""

_REACH_S = 3.5
_LOOK_S = 0.5
_PING_S = 2.0
_BULK_BYTES = 1 << 14
"""Fewer acknowledged bytes than this may be questions for a sign of life."""


class Watchdog:
    """Thread that closes a connection without progress, so that its waiting calls return.

    Attributes:
        barked: Why, in the words that follow "the connection was lost"; empty when it did not.
    """

    def __init__(self, transport: paramiko.Transport, patience_s: float | None = None) -> None:
        self.barked = ""
        self._transport = transport
        self._patience_s = TRANSFER_S if patience_s is None else patience_s
        self._last = self._heard = time.monotonic()
        self._moved = bytes_moved(transport)
        self._pings = self._answers = 0
        self._way: _JumpProbe | None = None
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, name="ssh watchdog", daemon=True),
            threading.Thread(target=self._ping, name="ssh sign of life", daemon=True),
        ]

    def __enter__(self) -> Watchdog:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._threads[0].join()  # the other may wait for an answer, and ends with it

    def touch(self) -> None:
        """Record progress."""
        self._last = time.monotonic()

    def _watch(self) -> None:
        while not self._done.wait(_LOOK_S):
            self.barked = self._verdict()
            if self.barked:
                self._transport.close()
                return

    def _ping(self) -> None:
        """Ask for signs of life, one at a time."""
        with contextlib.suppress(*LOST):
            while not self._done.wait(_PING_S) and self._transport.is_active():
                self._pings += 1
                self._transport.global_request("keepalive@openssh.com", wait=True)
                self._answers += 1
                self._heard = time.monotonic()

    def _verdict(self) -> str:
        if not self._transport.is_active():
            return "it was closed"
        unanswered = seconds_without_answer(self._transport)
        if unanswered >= DEAD_LINK_S:
            return f"no answer for {unanswered:.0f} s"
        silent = self._silent_s()
        if silent >= self._patience_s:
            return f"no sign of life for {silent:.0f} s"
        if self._is_cut_behind(silent):
            return f"the jump host reaches it no more; no sign of life for {silent:.0f} s"
        if time.monotonic() - self._last >= STALLED_S:
            return f"no progress for {STALLED_S:g} s"
        return ""

    def _is_cut_behind(self, silent: float) -> bool:
        """Return whether a jump host was probed in this silence without success."""
        if silent < DOUBT_S or not isinstance(self._transport, JumpConnection):
            self._way = None
            return False
        if self._way is None or self._way.is_open:
            self._way = _JumpProbe(self._transport)
        return self._way.is_open is False

    def _silent_s(self) -> float:
        """Return how long a reply has been due without traffic."""
        now, moved = time.monotonic(), bytes_moved(self._transport)
        if moved.received != self._moved.received or moved.sent - self._moved.sent > _BULK_BYTES:
            self._moved, self._heard = moved, now
        return now - self._heard if self._pings > self._answers else 0.0


class _JumpProbe:
    """Probe of a jump host, which may block as long as the connection is dead.

    Attributes:
        is_open: None until it is answered.
    """

    def __init__(self, transport: JumpConnection) -> None:
        self.is_open: bool | None = None
        self._transport = transport
        threading.Thread(target=self._probe, name="ssh way", daemon=True).start()

    def _probe(self) -> None:
        self.is_open = leads_on(self._transport, _REACH_S)
