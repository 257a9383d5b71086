"""Live figures of an app in words: boxes, counts, stages and sources."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.documents.dataclass_json import JsonValue, from_json
from studio.gui import figures
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.features.apps.results import AppPart, AppProgress, AppRun

Table = Mapping[str, Mapping[str, JsonValue]]

_SPAN_S = 5.0
_AT_WORK = ("opening", "running")
_TONES = {"running": "good", "lost": "bad", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class SourceState:
    """State of one source.

    Attributes:
        reason: Why it is lost or has failed; empty while it runs.
        dropped: Frames that came while another one was at work.
        fps: Frames a second.
    """

    state: str = ""
    reason: str = ""
    frames: int = 0
    dropped: int = 0
    fps: float = 0.0


@dataclass(frozen=True, slots=True)
class StageTime:
    """Time of one stage in milliseconds; None before the first frame."""

    frames: int = 0
    p50: float | None = None
    p95: float | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a running or finished app.

    Attributes:
        fps: Frames a second of all sources.
        rates: Frames a second of each part.
        latency: From the arrival of a frame to its events.
        counts: Number of events by step and kind.
    """

    frames: int
    fps: float
    sources: Mapping[str, SourceState]
    steps: Mapping[str, StageTime]
    rates: Mapping[str, float]
    latency: StageTime
    counts: Mapping[str, int]


class Rates:
    """Frames a second of each step over the latest seconds, from its number of frames."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, float]]] = deque()

    def clear(self) -> None:
        """Forget all numbers, before another run."""
        self._samples.clear()

    def add(self, now: float, steps: Mapping[str, StageTime]) -> dict[str, float]:
        """Add the numbers of one moment, in seconds on any clock; return the rates."""
        frames = {name: float(one.frames) for name, one in steps.items()}
        self._samples.append((now, frames))
        while now - self._samples[0][0] > _SPAN_S:
            self._samples.popleft()
        began, first = self._samples[0]
        passed = now - began
        if passed <= 0:
            return {}
        return {name: (count - first.get(name, 0.0)) / passed for name, count in frames.items()}


def live_figures(progress: AppProgress, rates: Rates, now: float) -> Figures:
    """Return the figures of a running app.

    Args:
        rates: Of its steps; the numbers of this report are added.
        now: Seconds on any clock.
    """
    sources, steps = _sources(progress.sources), _stages(progress.steps)
    of_sources = {name: one.fps for name, one in sources.items()}
    return Figures(
        progress.frames,
        progress.fps,
        sources,
        steps,
        {**rates.add(now, steps), **of_sources},
        from_json(StageTime, progress.latency_ms),
        progress.counts,
    )


def final_figures(run: AppRun) -> Figures:
    """Return the figures of a whole run: rates are means over all of it."""
    seconds = max(run.seconds, 1e-3)
    sources, steps = _sources(run.sources), _stages(run.steps)
    rates = {name: one.frames / seconds for name, one in sources.items()}
    rates |= {name: one.frames / seconds for name, one in steps.items()}
    latency = from_json(StageTime, run.latency_ms)
    return stopped(Figures(run.frames, run.fps, sources, steps, rates, latency, run.counts))


def stopped(found: Figures) -> Figures:
    """Return the last figures of a run that has ended."""
    return replace(found, sources={name: _ended(one) for name, one in found.sources.items()})


def _ended(source: SourceState) -> SourceState:
    """Return the state of a source after a run: one that was read until then has stopped."""
    return replace(source, state="stopped") if source.state in _AT_WORK else source


def _sources(rows: Table) -> dict[str, SourceState]:
    return {name: from_json(SourceState, row) for name, row in rows.items()}


def _stages(rows: Table) -> dict[str, StageTime]:
    return {name: from_json(StageTime, row) for name, row in rows.items()}


def note(found: Figures) -> str:
    """Return the figures of the whole app in one line."""
    number = sum(found.counts.values())
    p50 = figures.milliseconds(found.latency.p50)
    events = figures.count(number, "event")
    return f"{figures.rate(found.fps)} frames/s, end to end {p50} ms p50, {events}"


def box_lines(part: AppPart, found: Figures | None) -> tuple[str, str]:
    """Return the words of a box below its type, and their tone."""
    if found is None:
        return "", ""
    rate = figures.rate(found.rates.get(part.name))
    if (source := found.sources.get(part.name)) is not None:
        dropped = f", {figures.whole(source.dropped)} dropped" if source.dropped else ""
        speed = f" {rate}/s" if source.state in ("running", "stopped") else ""
        reason = f": {source.reason}" if source.reason else ""
        words = f"{source.state.capitalize()}{speed}{reason}{dropped}"
        return words, _TONES.get(source.state, "")
    if (stage := found.steps.get(part.name)) is not None:
        p50, p95 = figures.milliseconds(stage.p50), figures.milliseconds(stage.p95)
        return f"{p50} / {p95} ms, {rate}/s", ""
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
        (name, *(figures.milliseconds(value) for value in (one.p50, one.p95, one.mean)))
        for name, one in steps
    ]


def source_rows(found: Figures) -> list[tuple[str, str, str, str]]:
    """Return name, state, rate and dropped frames of each source."""
    return [
        (
            name,
            one.state.capitalize(),
            figures.rate(found.rates.get(name)),
            figures.whole(one.dropped),
        )
        for name, one in found.sources.items()
    ]


def source_tone(state: str) -> str:
    """Return the tone of a state word."""
    return _TONES.get(state.lower(), "")


def lost_reasons(found: Figures) -> list[str]:
    """Return a sentence for each source that gives a reason for its state."""
    return [f"{name}: {one.reason}." for name, one in found.sources.items() if one.reason]


def latency_fields(found: Figures) -> list[tuple[str, str]]:
    """Return the end-to-end latency and throughput as name and value."""
    p50, p95 = figures.milliseconds(found.latency.p50), figures.milliseconds(found.latency.p95)
    return [
        ("End to end", f"{p50} ms p50, {p95} ms p95"),
        ("Frames", f"{figures.whole(found.frames)}, {figures.rate(found.fps)} a second"),
    ]
