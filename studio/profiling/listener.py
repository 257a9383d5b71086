"""The bench's events as the progress and the live messages of a job."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from studio.jobs import Job
from studio.profiling.plan import Candidate
from studio.runtime.bench.measures.throughput import cell_parts

_PREPARATION = 0.2
"""Share of the progress bar that loading and warming up get."""

_PHASES = {"load": 0.0, "warm-up": _PREPARATION / 2}
_MEASURING = ("open-loop", "sustained")
"""Phases that say themselves how far they are; where there are rounds, those do."""


class BenchListener:
    """Told each event of the bench as it comes.

    It sends the job's watchers a message ``run`` whenever something new is known of a candidate:
    the keys of a row of the result, as far as they are known; and in the modes that have them
    ``setting``, ``trial`` and ``point``, a row of each.
    """

    def __init__(self, job: Job, chosen: Sequence[Candidate]) -> None:
        self._job = job
        self._chosen = {each.label: each for each in chosen}
        self._samples: dict[str, list[float]] = {}
        self._medians: dict[str, list[float]] = {each.label: [] for each in chosen}

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Take one event."""
        kind = event.get("event")
        if kind == "progress":
            self._progress(event)
        elif kind == "round":
            self._round(event)
        elif kind == "candidate":
            self._candidate(event)
        elif kind in ("trial", "point"):
            self._job.event(kind, **{key: value for key, value in event.items() if key != "event"})

    def _progress(self, event: Mapping[str, Any]) -> None:
        if event["phase"] in _MEASURING:
            share = event["done"] / event["total"] if event["total"] else 0.0
            self._job.progress(_PREPARATION + share * (1 - _PREPARATION), 1.0, event["text"])
            return
        base = _PHASES.get(event["phase"])
        if base is None:
            self._job.progress(1.0, 1.0, event["text"])
            return
        share = event["done"] / event["total"] if event["total"] else 0.0
        self._job.progress(base + share * _PREPARATION / 2, 1.0, event["text"])

    def _round(self, event: Mapping[str, Any]) -> None:
        left = (1 - _PREPARATION) * (1 - event["round"] / event["of"])
        text = f"Round {event['round']} of {event['of']}"
        self._job.progress(1.0 - left, 1.0, text)
        for label, times in event["times_ns"].items():
            if label in self._medians:
                self._medians[label].append(statistics.median(times) / 1e6)
                middle = statistics.median(self._medians[label])
                self._tell(label, state="measuring", latency_ms={"p50": middle})
        for cell in event.get("blocks", {}):
            self._setting(cell, event["times_ns"][cell][0])

    def _setting(self, cell: str, sample_ns: float) -> None:
        """What is known so far of a number of streams with a batch."""
        label, streams, batch = cell_parts(cell)
        if label in self._chosen:
            taken = self._samples.setdefault(cell, [])
            taken.append(sample_ns)
            rate = 1e9 / statistics.median(taken)
            self._job.event("setting", id=label, streams=streams, batch=batch, per_second=rate)

    def _candidate(self, event: Mapping[str, Any]) -> None:
        if event["reason"]:
            self._job.log(f"{event['id']}: {event['state']}: {event['reason']}")
        self._tell(event["id"], state=event["state"], reason=event["reason"])

    def _tell(self, label: str, **values: Any) -> None:
        candidate = self._chosen.get(label)
        if candidate is not None:  # the twin is no row of its own
            self._job.event(
                "run",
                id=label,
                model=candidate.model_label,
                variant=candidate.model.name,
                backend=candidate.backend,
                runtime=candidate.runtime,
                **values,
            )
