"""The bench's events as the progress and the live messages of a job."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from studio.documents.dataclass_json import to_json
from studio.jobs import Job
from studio.profiling.plan import Candidate
from studio.profiling.results import RunMessage, SettingMessage
from studio.runtime.bench.events import BenchProgress, CandidateState, Event, Round
from studio.runtime.bench.facts import Percentiles, PointMessage, TrialMessage
from studio.runtime.bench.measures.throughput import cell_parts

_PREPARATION = 0.2
"""Share of the progress bar that loading and warming up get."""

_PREPARATION_S = 2.0
"""Usual seconds in which one candidate is loaded and warmed up."""

_MEASURED = 0.97
"""Share after the last round; operators, energy and the end of the processes come then."""

_PHASES = {"load": 0.0, "warm-up": 0.5}
"""Where a phase of the preparation begins, as a share of the preparation."""

_MEASURING = ("open-loop", "sustained")
"""Phases that say themselves how far they are; where there are rounds, those do."""


def preparation_share(measured_s: float, candidates: int) -> float:
    """Return the share of the bar for loading and warming up, where the rest takes a known time.

    Args:
        measured_s: Seconds in which each candidate is measured.
    """
    prepared = _PREPARATION_S * candidates
    return min(prepared / (prepared + measured_s * candidates or 1.0), _PREPARATION)


class BenchListener:
    """Progress and live messages of a job from the bench's events.

    It sends a message ``run`` for each news of a candidate. Some modes also send
    ``setting``, ``trial`` and ``point``.

    Args:
        preparation: Share of the bar for loading and warming up.
        cells: Label by the name of its times in the rounds, where that is another.
    """

    def __init__(
        self,
        job: Job,
        chosen: Sequence[Candidate],
        clock: Callable[[], float] = time.monotonic,
        preparation: float = _PREPARATION,
        cells: Mapping[str, str] | None = None,
    ) -> None:
        self._cells = cells or {}
        self._preparation = preparation
        self._job = job
        self._chosen = {each.label: each for each in chosen}
        self._samples: dict[str, list[float]] = {}
        self._medians: dict[str, list[float]] = {each.label: [] for each in chosen}
        self._clock = clock
        self._began = clock()
        self._first: tuple[int, float] | None = None
        self._done = 0.0

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case BenchProgress():
                self._progress(event)
            case Round():
                self._round(event)
            case CandidateState():
                self._candidate(event)
            case TrialMessage():
                self._job.event("trial", **to_json(event))
            case PointMessage():
                self._job.event("point", **to_json(event))

    def _progress(self, event: BenchProgress) -> None:
        share = event.done / event.total if event.total else 0.0
        if event.phase in _MEASURING:
            done = self._preparation + share * (_MEASURED - self._preparation)
        elif event.phase in _PHASES:
            done = (_PHASES[event.phase] + share / 2) * self._preparation
        else:
            done = _MEASURED
        self._job.progress(done, 1.0, event.text)

    def _round(self, event: Round) -> None:
        self._done = max(self._done, _MEASURED * self._share(event))
        self._job.progress(self._done, 1.0, f"Round {event.round} of {event.of}")
        for name, times in event.times_ns.items():
            label = self._cells.get(name, name)
            if label in self._medians:
                self._medians[label].append(statistics.median(times) / 1e6)
                middle = statistics.median(self._medians[label])
                self._send(label, "measuring", latency_ms=Percentiles(middle))
        for cell in event.blocks or {}:
            self._setting(cell, event.times_ns[cell][0])

    def _share(self, event: Round) -> float:
        """Return the share of the whole time that has passed, at the pace of the rounds so far."""
        now = self._clock()
        if self._first is None:
            self._first = (event.round, now)
        first, began = self._first
        if event.round == first:
            return self._preparation + (1 - self._preparation) * event.round / event.of
        left = (now - began) / (event.round - first) * (event.of - event.round)
        passed = now - self._began
        return passed / ((passed + left) or 1.0)

    def _setting(self, cell: str, sample_ns: float) -> None:
        """Report the rate so far of a number of streams with a batch."""
        label, streams, batch = cell_parts(cell)
        if label in self._chosen:
            taken = self._samples.setdefault(cell, [])
            taken.append(sample_ns)
            rate = 1e9 / statistics.median(taken)
            self._job.event("setting", **to_json(SettingMessage(label, streams, batch, rate)))

    def _candidate(self, event: CandidateState) -> None:
        if event.reason:
            self._job.log(f"{event.id}: {event.state}: {event.reason}")
        self._send(event.id, event.state, event.reason)

    def _send(
        self,
        label: str,
        state: str,
        reason: str | None = None,
        latency_ms: Percentiles | None = None,
    ) -> None:
        candidate = self._chosen.get(label)
        if candidate is not None:  # the twin is no row of its own
            message = RunMessage(
                id=label,
                model=candidate.model_label,
                variant=candidate.model.name,
                backend=candidate.backend,
                runtime=candidate.runtime,
                state=state,
                reason=reason,
                latency_ms=latency_ms,
            )
            self._job.event("run", **to_json(message))
