"""Notifications of a service to systemd: datagrams to the socket that NOTIFY_SOCKET names."""

from __future__ import annotations

import os
import socket
import time
from typing import Mapping, Optional

_PATIENCE_S = 1.0
"""For a systemd that does not read at the moment: ten messages fill its queue."""


class Notifier:
    """One service's line to systemd; does nothing where there is no systemd.

    Attributes:
        beat_s: Seconds between two signs of life, half of what the watchdog allows; infinite
            where there is no watchdog.
    """

    def __init__(self, address: str, beat_s: float = float("inf")) -> None:
        self._address = address
        self.beat_s = beat_s
        self._last_beat = float("-inf")
        self._unsaid: Mapping[str, str] = {}

    @staticmethod
    def of(environment: Mapping[str, str], pid: Optional[int] = None) -> Notifier:
        """Return the line that the variables of systemd describe."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return Notifier("")
        own = str(os.getpid() if pid is None else pid)
        allowed = environment.get("WATCHDOG_USEC", "")
        watched = allowed.isdigit() and environment.get("WATCHDOG_PID", own) == own
        return Notifier(address, int(allowed) / 2e6 if watched and int(allowed) else float("inf"))

    @property
    def listened_to(self) -> bool:
        """Whether there is a systemd that wants to know."""
        return bool(self._address)

    def ready(self, status: str) -> None:
        """The service does its work (again)."""
        self._send(READY="1", STATUS=status)

    def reloading(self) -> None:
        """Another version is being loaded; ``ready`` follows, whether it could be or not."""
        self._send(RELOADING="1", MONOTONIC_USEC=str(time.monotonic_ns() // 1000))

    def stopping(self) -> None:
        """No new work is taken."""
        self._send(STOPPING="1", STATUS="draining")

    def status(self, text: str) -> None:
        """A line for ``systemctl status``."""
        self._send(STATUS=text)

    def beat(self) -> None:
        """A sign of life, if it is time for one."""
        now = time.monotonic()
        if now - self._last_beat >= self.beat_s:
            self._last_beat = now
            if self._address and self._sent({"WATCHDOG": "1", **self._unsaid}, 0.0):
                self._unsaid = {}

    @property
    def next_beat(self) -> float:
        """Monotonic time of the next sign of life."""
        return self._last_beat + self.beat_s if self.beat_s != float("inf") else float("inf")

    def _send(self, **fields: str) -> None:
        """Say something; the last that could not be said is said with the next sign of life."""
        if not self._address:
            return
        said = {name: value.replace("\n", " ") for name, value in fields.items()}
        self._unsaid = {} if self._sent(said, _PATIENCE_S) else said

    def _sent(self, fields: Mapping[str, str], seconds: float) -> bool:
        lines = ["{}={}".format(name, value) for name, value in fields.items()]
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.settimeout(seconds)  # a systemd that hangs must not take the service along
                line.sendto("\n".join(lines).encode("utf-8"), address)
        except OSError:  # the service is more important than its notification
            return False
        return True
