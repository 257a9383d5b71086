"""A second profile with as many rounds as would probably decide the first one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from studio.api import Kind, Option
from studio.gui import figures
from studio.gui.pages.profile import modes, verdict
from studio.gui.pages.profile.estimate import RunPlan
from studio.gui.pages.profile.verdict import MoreRounds
from studio.profiling.results import ProfileResult

_MODELS = "models"
_SECONDS = 20.0
_NO_DATA = "none"


def proposed(
    result: ProfileResult, options: Mapping[str, object], known: Iterable[int]
) -> tuple[MoreRounds | None, str]:
    """Return the run that would decide what is open, and why it cannot be started.

    Args:
        options: Those of the result; empty where they are not known.
        known: Numbers of the variants that are there.
    """
    if not options or result.mode != modes.LATENCY:
        return None, ""
    looks = result.looks
    planned = looks.planned[-1] if looks and looks.planned else 0
    is_whole = set(_numbers(options.get(_MODELS))) <= set(known)
    reason = "" if is_whole else "A variant of this profile was removed."
    return verdict.more_rounds(result, planned), reason


def options(
    more: MoreRounds, shown: Mapping[str, object], form: Iterable[Option]
) -> dict[str, object]:
    """Return the options of the shown profile with more rounds, each as long as before."""
    values: dict[str, object] = {"data": _NO_DATA}  # unless the shown profile had a sample
    for option in form:
        if option.kind is Kind.MODEL:
            values[option.name] = [f"#{number}" for number in _numbers(shown.get(_MODELS))]
        elif shown.get(option.name) is not None:
            values[option.name] = shown[option.name]
    seconds = figures.number(RunPlan.read(shown).seconds) or _SECONDS
    longer = round(max(seconds, seconds * more.factor), 1)
    return {**values, "rounds": more.rounds, "seconds": longer}


def _numbers(value: object) -> list[int]:
    """Return the numbers of a stored list."""
    return [each for each in value if isinstance(each, int)] if isinstance(value, list) else []
