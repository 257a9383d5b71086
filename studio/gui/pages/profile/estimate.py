"""How long a profile takes, from its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.gui import figures
from studio.gui.pages.profile import modes

_EACH_S = 3.0
"""Loading and warming up one variant on one runtime, and timing its operators."""

_RATES = 8
"""About as many rates are tried in a search for the highest."""


def seconds(options: Mapping[str, object]) -> float:
    """Return about how long a run with these options takes, in seconds."""
    runs = max(1, _count(options.get("model")) * _count(options.get("backend")))
    mode = str(options.get("mode") or modes.LATENCY)
    measured = _number(options.get("seconds"), 20.0)
    if mode == "sustained":
        measured = 60 * runs * _number(options.get("minutes"), 5.0)
    elif mode == "open-loop":
        measured *= 1 if options.get("rate") else _RATES
    elif mode == modes.LATENCY and runs > 1:
        runs += 1  # the A/A control
    return measured + _EACH_S * runs


def _count(value: object) -> int:
    if isinstance(value, str):
        return 1
    return len(value) if isinstance(value, Sequence) else 1


def _number(value: object, default: float) -> float:
    known = figures.number(value)
    return default if known is None else known
