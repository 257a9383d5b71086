"""Which service manager keeps the server of a folder of releases."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Protocol

from ...units.systemd import Systemd
from ..store.layout import Layout
from .process import DetachedProcess
from .unit import SystemdUnit

VARIABLE = "EDGEWRIGHT_SERVICE"
"""``process`` keeps systemd out, ``login`` takes also one that ends when its user logs out;
anything else lets the machine decide."""

LOGIN = "login"


class ServiceManager(Protocol):
    """What starts, knows and ends the server.

    Attributes:
        name: ``systemd``, ``systemd-user`` or ``process``.
        pid: Of the supervisor; 0 when none runs.
    """

    @property
    def name(self) -> str: ...

    @property
    def pid(self) -> int: ...

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> dict[str, object]:
        """Start the server; returns what finds it again."""

    def settle(self, command: Sequence[str]) -> None:
        """Use this command whenever the server is started again by itself."""

    def runs(self) -> bool:
        """Whether the server lives."""

    def stop(self, seconds: float) -> bool:
        """End the server, and nothing starts it again; whether it ran."""

    def tail(self) -> str:
        """The end of what it has logged."""

    def facts(self) -> dict[str, object]:
        """More about it, for people."""


def manager_here(layout: Layout) -> ServiceManager:
    """What a server is to be started with on this machine."""
    systemd = _systemd()
    lasts = systemd is not None and (systemd.starts_at_boot() or os.environ.get(VARIABLE) == LOGIN)
    return (
        DetachedProcess(layout, {})
        if systemd is None or not lasts
        else SystemdUnit(layout, systemd)
    )


def manager_of(layout: Layout, service: Mapping[str, object]) -> ServiceManager:
    """What the server was started with: a unit where there is one, else what was noted."""
    systemd = _systemd()
    unit = None if systemd is None else SystemdUnit(layout, systemd)
    return unit if unit is not None and unit.exists() else DetachedProcess(layout, service)


def _systemd() -> Systemd | None:
    return None if os.environ.get(VARIABLE) == "process" else Systemd.detect(os.environ)
