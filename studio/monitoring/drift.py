"""Drift as a target tells it: one row a signal, with the reason of its state in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ENDS = "The alarm ends after three windows in a row that are as usual."
_NAMED = 3
"""Signals that an alarm names; the others are counted."""
_STATE = ("alarm", "alarms", "windows", "window", "differing", "frames", "stride", "fault")


def drift_of(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The signals of a server's status; none of a server that watches nothing.

    Each has ``drifts`` and ``why``, a sentence. A runtime older than drift does not tell it, and
    another vendor's never does.
    """
    told = status.get("drift")
    if not isinstance(told, Mapping):
        return []
    causes = [str(name) for name in told.get("causes") or ()]
    found = []
    for signal in told.get("signals") or ():
        if isinstance(signal, Mapping):
            drifts = str(signal.get("name")) in causes
            found.append({**signal, "drifts": drifts, "why": why(signal, told, drifts=drifts)})
    return found


def drift_state(status: Mapping[str, Any]) -> dict[str, Any]:
    """Whether something is watched, and since how many windows; older runtimes tell less."""
    told = status.get("drift")
    if not isinstance(told, Mapping):
        return {}
    state = {key: told[key] for key in (*_STATE, "causes", "last", "estimate") if key in told}
    return {**state, "why": state_text(told)}


def state_text(told: Mapping[str, Any]) -> str:
    """All signals in a sentence, and what ends an alarm in another."""
    if told.get("fault"):
        return f"Drift is not watched: {_lower(str(told['fault']))}"
    if told.get("alarm"):
        return f"{alarm_text(told)} {ENDS}"
    windows, frames, size = (int(told.get(key) or 0) for key in ("windows", "frames", "window"))
    if not windows:
        of = f" of {size}" if size else ""
        return f"No window{of} requests is full yet; {frames} were looked at."
    last = [bool(one) for one in told.get("last") or ()]
    if any(last):
        return (
            f"{sum(last)} of the last {len(last)} windows is unlike the reference data; "
            "an alarm needs two of three."
        )
    return f"The last windows are as in the reference data; {windows} were judged."


def alarm_text(told: Mapping[str, Any]) -> str:
    """Why there is an alarm: which signals, in how many of the last windows, and whether still."""
    signals = {str(one.get("name")): one for one in told.get("signals") or ()}
    names = [str(name) for name in told.get("causes") or ()]
    if not names:
        return "What the model sees or answers differs from its reference data."
    first = f"{names[0]} differs from the reference data{_extent(signals.get(names[0], {}), told)}"
    others = [_with_count(name, signals.get(name, {})) for name in names[1:_NAMED]]
    if len(names) > _NAMED:
        others.append(f"{len(names) - _NAMED} more")
    if not others:
        return f"{first}."
    verb = "so does" if len(others) == 1 else "so do"
    return f"{first}; {verb} {_listed(others)}."


def why(signal: Mapping[str, Any], told: Mapping[str, Any], *, drifts: bool) -> str:
    """Why a signal has its state, in a sentence.

    Args:
        told: What the server says of drift as a whole.
    """
    statistic, limit = signal.get("statistic"), float(signal.get("limit") or 0.0)
    if statistic is None:
        size = int(told.get("window") or 0)
        return f"No window{f' of {size} requests' if size else ''} is full yet."
    over = float(statistic) > limit
    if drifts:
        return f"It differs from the reference data{_extent(signal, told)}."
    beyond = int(signal.get("beyond") or over)
    if not beyond:
        return "It is as in the reference data."
    if over:
        return "The last window is beyond the limit; an alarm needs two of three."
    seen = len(told.get("last") or ()) or 3
    return f"{beyond} of the last {seen} windows was beyond the limit; an alarm needs two of three."


def _extent(signal: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """In how many windows, and whether in the last: it may be below its limit there."""
    statistic, limit = signal.get("statistic"), float(signal.get("limit") or 0.0)
    over = statistic is not None and float(statistic) > limit
    if "beyond" not in signal:  # a runtime that does not count
        return "" if over or statistic is None else " in one of the last windows, not in the last"
    beyond, seen = int(signal["beyond"]), len(told.get("last") or ())
    if not beyond:
        return " in the last windows taken as one, though in none alone (a small shift that stays)"
    if beyond == 1 and signal.get("together"):
        return f" in 1 of the last {seen} windows, and in these taken as one"
    still = "" if over else ", though not in the last"
    return f" in {beyond} of the last {seen} windows{still}"


def _with_count(name: str, signal: Mapping[str, Any]) -> str:
    return f"{name} (in {signal['beyond']})" if signal.get("beyond") else name


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
