"""Explanations of the drift that a target reports: one per signal, and one for all."""

from __future__ import annotations

from dataclasses import fields, replace

from studio.monitoring.endpoint.results import DriftSignal, DriftState
from studio.monitoring.endpoint.status import DriftReport

ENDS = "The alarm ends after three windows in a row that are as usual."
_NAMED = 3
"""Number of signals named in an alarm; the others are counted."""
_STATE = tuple(field.name for field in fields(DriftState) if field.name != "why")


def drift_of(drift: DriftReport | None) -> tuple[DriftSignal, ...]:
    """Return the signals with their explanations; none if the server watches no drift."""
    if drift is None:
        return ()
    causes = drift.causes or ()
    return tuple(
        replace(one, drifts=one.name in causes, why=why(one, drift, drifts=one.name in causes))
        for one in drift.signals
    )


def drift_state(drift: DriftReport | None) -> DriftState:
    """Return the state of the drift watch with its explanation; older runtimes report less."""
    if drift is None:
        return DriftState()
    state = {name: getattr(drift, name) for name in _STATE}
    return DriftState(**state, why=state_text(drift))


def state_text(drift: DriftReport) -> str:
    """Return a sentence about all signals, and one about what has none."""
    text = _state_text(drift)
    return f"{text} Not watched: {', '.join(drift.unwatched)}." if drift.unwatched else text


def _state_text(drift: DriftReport) -> str:
    if drift.fault:
        return f"Drift is not watched: {_lower(drift.fault)}"
    if drift.learns:
        seen = drift.frames or 0
        return f"The first {drift.learns} requests become the reference; {seen} are there."
    if drift.alarm:
        return f"{alarm_text(drift)} {ENDS}"
    if not drift.windows:
        of = f" of {drift.window}" if drift.window else ""
        return f"No window{of} requests is full yet; {drift.frames or 0} were looked at."
    last = drift.last or ()
    if any(last):
        return (
            f"{sum(last)} of the last {len(last)} windows is unlike the reference data; "
            "an alarm needs two of three."
        )
    return f"The last windows are as in the reference data; {drift.windows} were judged."


def alarm_text(drift: DriftReport) -> str:
    """Return the explanation of an alarm: its signals, their windows, and the present state."""
    signals = {signal.name: signal for signal in drift.signals}
    names = drift.causes or ()
    if not names:
        return "What the model sees or answers differs from its reference data."
    causes = [signals.get(name) or DriftSignal(name) for name in names]
    first = f"{names[0]} differs from the reference data{_extent(causes[0], drift)}"
    if names[0] in drift.stuck:
        first = f"{names[0]} repeats one value"
    others = [_with_count(signal) for signal in causes[1:_NAMED]]
    if len(names) > _NAMED:
        others.append(f"{len(names) - _NAMED} more")
    if not others:
        return f"{first}."
    verb = "so does" if len(others) == 1 else "so do"
    return f"{first}; {verb} {_listed(others)}."


def why(signal: DriftSignal, drift: DriftReport, *, drifts: bool) -> str:
    """Return the explanation of a signal's state in a sentence."""
    if signal.statistic is None:
        of = f" of {drift.window} requests" if drift.window else ""
        return f"No window{of} is full yet."
    if signal.name in drift.stuck:
        return "It repeats one value."
    if drifts:
        return f"It differs from the reference data{_extent(signal, drift)}."
    beyond = signal.beyond or int(signal.is_over)
    if not beyond:
        return "It is as in the reference data."
    if signal.is_over:
        return "The last window is beyond the limit; an alarm needs two of three."
    seen = len(drift.last or ()) or 3
    return f"{beyond} of the last {seen} windows was beyond the limit; an alarm needs two of three."


def _extent(signal: DriftSignal, drift: DriftReport) -> str:
    """Return the number of windows above the limit, and whether the last one is."""
    if signal.beyond is None:  # a runtime that does not count
        over = signal.is_over or signal.statistic is None
        return "" if over else " in one of the last windows, not in the last"
    beyond, seen = signal.beyond, len(drift.last or ())
    if not beyond:
        return " in the last windows taken as one, though in none alone (a small shift that stays)"
    if beyond == 1 and signal.together:
        return f" in 1 of the last {seen} windows, and in these taken as one"
    still = "" if signal.is_over else ", though not in the last"
    return f" in {beyond} of the last {seen} windows{still}"


def _with_count(signal: DriftSignal) -> str:
    return f"{signal.name} (in {signal.beyond})" if signal.beyond else signal.name


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
