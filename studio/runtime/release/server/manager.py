"""Choice of the service manager that runs the server of a folder of releases."""

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
    """Service manager: starts, observes and stops the server.

    Attributes:
        name: ``systemd``, ``systemd-user`` or ``process``.
        pid: Of the supervisor; 0 when none runs.
    """

    @property
    def name(self) -> str: ...

    @property
    def pid(self) -> int: ...

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> dict[str, object]:
        """Start the server; return the facts by which it is found again."""

    def settle(self, command: Sequence[str]) -> None:
        """Use this command for every automatic restart of the server."""

    def runs(self) -> bool:
        """Return whether the server lives."""

    def stop(self, seconds: float) -> bool:
        """Stop the server for good; return whether it ran."""

    def tail(self) -> str:
        """Return the end of its log."""

    def facts(self) -> dict[str, object]:
        """Return more facts about it, for people."""


def manager_here(layout: Layout) -> ServiceManager:
    """Return the service manager for a new server on this machine."""
    systemd = _systemd()
    lasts = systemd is not None and (systemd.starts_at_boot() or os.environ.get(VARIABLE) == LOGIN)
    return (
        DetachedProcess(layout, {})
        if systemd is None or not lasts
        else SystemdUnit(layout, systemd)
    )


def manager_of(layout: Layout, service: Mapping[str, object]) -> ServiceManager:
    """Return the manager that started the server: a unit if one exists, else the recorded one."""
    systemd = _systemd()
    unit = None if systemd is None else SystemdUnit(layout, systemd)
    return unit if unit is not None and unit.exists() else DetachedProcess(layout, service)


def _systemd() -> Systemd | None:
    return None if os.environ.get(VARIABLE) == "process" else Systemd.detect(os.environ)
