"""How long a profile takes, from its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from studio.gui import figures
from studio.gui.pages.profile import modes
from studio.gui.pages.shared import target_rows
from studio.lazy_dataclass import dataclass

_EACH_S = 3.0
"""Loading and warming up one variant on one runtime, and timing its operators."""

_RATES = 8
"""About as many rates are tried in a search for the highest."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The options of a run that its length follows from, as they were entered."""

    model: object = None
    backend: object = None
    target: object = None
    mode: object = None
    seconds: object = None
    minutes: object = None
    rate: object = None

    @classmethod
    def read(cls, options: Mapping[str, object]) -> RunPlan:
        """Read them from the values of a form, or from what a run has stored."""
        return cls(**{one.name: options.get(one.name) for one in fields(cls)})


def seconds(plan: RunPlan) -> float:
    """Return about how long a run takes, in seconds."""
    runs = max(1, _count(plan.model) * _count(plan.backend))
    mode = str(plan.mode or modes.LATENCY)
    measured = _number(plan.seconds, 20.0)
    if mode == "sustained":
        measured = 60 * runs * _number(plan.minutes, 5.0)
    elif mode == "open-loop":
        measured *= 1 if plan.rate else _RATES
    elif mode in (modes.LATENCY, modes.TOKENS_MODE) and runs > 1:
        runs += 1  # the A/A control
    return measured + _EACH_S * runs


def sentence(options: Mapping[str, object], count: int) -> str:
    """Return how long a run takes, in a sentence; empty without anything to measure."""
    if not count:
        return ""
    plan = RunPlan.read(options)
    target = target_rows.spoken(str(plan.target or ""))
    variants = figures.count(count, "variant")
    return f"Profiling {variants} on {target} takes about {figures.seconds(seconds(plan))}."


def _count(value: object) -> int:
    if isinstance(value, str):
        return 1
    return len(value) if isinstance(value, Sequence) else 1


def _number(value: object, default: float) -> float:
    known = figures.number(value)
    return default if known is None else known
