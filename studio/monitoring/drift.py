"""Drift as a target tells it: one row a signal, for people and for ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def drift_of(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The signals of a server's status; none of a server that watches nothing.

    A runtime older than drift does not tell it, and another vendor's never does.
    """
    told = status.get("drift")
    if not isinstance(told, Mapping):
        return []
    causes = [str(name) for name in told.get("causes") or ()]
    return [
        {**signal, "drifts": str(signal.get("name")) in causes}
        for signal in told.get("signals") or ()
        if isinstance(signal, Mapping)
    ]


def drift_state(status: Mapping[str, Any]) -> dict[str, Any]:
    """Whether something is watched, and since how many windows; older runtimes tell less."""
    told = status.get("drift")
    if not isinstance(told, Mapping):
        return {}
    keys = ("alarm", "alarms", "windows", "differing", "frames", "stride", "fault", "causes")
    return {key: told[key] for key in keys if key in told}
