"""Live figures of an app in words: boxes, counts, stages and sources."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.documents.dataclass_json import JsonValue
from studio.gui import figures
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.apps.results import AppPart, AppProgress, AppRun

Table = Mapping[str, Mapping[str, JsonValue]]

_SPAN_S = 5.0
_AT_WORK = ("opening", "running")
_TONES = {"running": "good", "lost": "bad", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a running or finished app.

    Attributes:
        fps: Frames a second of all sources.
        rates: Frames a second of each part.
        latency: Milliseconds from the arrival of a frame to its events.
        counts: Number of events by step and kind.
    """

    frames: int
    fps: float
    sources: Table
    steps: Table
    rates: Mapping[str, float]
    latency: Mapping[str, JsonValue]
    counts: Mapping[str, int]


class Rates:
    """Frames a second of each step over the latest seconds, from its number of frames."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, float]]] = deque()

    def clear(self) -> None:
        """Forget all numbers, before another run."""
        self._samples.clear()

    def add(self, now: float, steps: Table) -> dict[str, float]:
        """Add the numbers of one moment, in seconds on any clock; return the rates."""
        frames = {name: figures.number(one.get("frames")) or 0.0 for name, one in steps.items()}
        self._samples.append((now, frames))
        while now - self._samples[0][0] > _SPAN_S:
            self._samples.popleft()
        began, first = self._samples[0]
        passed = now - began
        if passed <= 0:
            return {}
        return {name: (count - first.get(name, 0.0)) / passed for name, count in frames.items()}


def live_figures(progress: AppProgress, rates: Mapping[str, float]) -> Figures:
    """Return the figures of a running app."""
    return Figures(
        progress.frames,
        progress.fps,
        progress.sources,
        progress.steps,
        {**rates, **_source_rates(progress.sources)},
        progress.latency_ms,
        progress.counts,
    )


def final_figures(run: AppRun) -> Figures:
    """Return the figures of a whole run: rates are means over all of it."""
    seconds = max(run.seconds, 1e-3)
    parts = {**run.sources, **run.steps}
    rates = {
        name: (figures.number(one.get("frames")) or 0) / seconds for name, one in parts.items()
    }
    sources = {name: _ended(one) for name, one in run.sources.items()}
    return Figures(run.frames, run.fps, sources, run.steps, rates, run.latency_ms, run.counts)


def stopped(found: Figures) -> Figures:
    """Return the last figures of a run that was stopped."""
    return replace(found, sources={name: _ended(one) for name, one in found.sources.items()})


def _ended(source: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Return the state of a source after a run: one that was read until then has stopped."""
    return {**source, "state": "stopped"} if source.get("state") in _AT_WORK else source


def _source_rates(sources: Table) -> dict[str, float]:
    return {name: figures.number(one.get("fps")) or 0.0 for name, one in sources.items()}


def note(found: Figures) -> str:
    """Return the figures of the whole app in one line."""
    number = sum(found.counts.values())
    p50 = figures.milliseconds(found.latency.get("p50"))
    events = figures.count(number, "event")
    return f"{figures.rate(found.fps)} frames/s, end to end {p50} ms p50, {events}"


def box_lines(part: AppPart, found: Figures | None) -> tuple[str, str]:
    """Return the words of a box below its type, and their tone."""
    if found is None:
        return "", ""
    if part.name in found.sources:
        source = found.sources[part.name]
        state = str(source.get("state", ""))
        lost = figures.number(source.get("dropped"))
        dropped = f", {figures.whole(lost)} dropped" if lost else ""
        rate = (
            f" {figures.rate(found.rates.get(part.name))}/s"
            if state in ("running", "stopped")
            else ""
        )
        return f"{state.capitalize()}{rate}{dropped}", _TONES.get(state, "")
    if part.name in found.steps:
        times = found.steps[part.name]
        p50, p95 = (figures.milliseconds(times.get(name)) for name in ("p50", "p95"))
        return f"{p50} / {p95} ms, {figures.rate(found.rates.get(part.name))}/s", ""
    return ("No delivery here", "dim") if part.group == "sink" else ("", "")


def count_rows(found: Figures) -> list[tuple[str, str, str]]:
    """Return step, kind and number of the events, the most frequent first."""
    ordered = sorted(found.counts.items(), key=lambda one: (-one[1], one[0]))
    rows = []
    for name, number in ordered:
        step, _, kind = name.partition(" ")
        rows.append((step, kind, figures.whole(number)))
    return rows


def stage_rows(found: Figures, order: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Return name, p50, p95 and mean in milliseconds of each stage.

    Args:
        order: Names of the steps in the order in which they run.
    """
    places = {name: at for at, name in enumerate(order)}
    steps = sorted(found.steps.items(), key=lambda one: places.get(one[0], len(places)))
    return [
        (name, *(figures.milliseconds(one.get(key)) for key in ("p50", "p95", "mean")))
        for name, one in steps
    ]


def source_rows(found: Figures) -> list[tuple[str, str, str, str]]:
    """Return name, state, rate and dropped frames of each source."""
    rows = []
    for name, one in found.sources.items():
        state = str(one.get("state", "")).capitalize()
        rate = figures.rate(found.rates.get(name))
        rows.append((name, state, rate, figures.whole(one.get("dropped"))))
    return rows


def source_tone(state: str) -> str:
    """Return the tone of a state word."""
    return _TONES.get(state.lower(), "")


def lost_reasons(found: Figures) -> list[str]:
    """Return a sentence for each source that gives a reason for its state."""
    return [f"{name}: {one['reason']}." for name, one in found.sources.items() if one.get("reason")]


def latency_fields(found: Figures) -> list[tuple[str, str]]:
    """Return the end-to-end latency and throughput as name and value."""
    p50, p95 = (figures.milliseconds(found.latency.get(name)) for name in ("p50", "p95"))
    return [
        ("End to end", f"{p50} ms p50, {p95} ms p95"),
        ("Frames", f"{figures.whole(found.frames)}, {figures.rate(found.fps)} a second"),
    ]
