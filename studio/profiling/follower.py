"""The bench's events as the progress and the live messages of a job."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from studio.jobs import Job
from studio.profiling.plan import Candidate

_PREPARATION = 0.2
"""Share of the progress bar that loading and warming up get."""

_PHASES = {"load": 0.0, "warm-up": _PREPARATION / 2}


class Follower:
    """Told each event of the bench as it comes.

    It sends the job's watchers a message ``run`` whenever something new is known of a candidate:
    the keys of a row of the result, as far as they are known.
    """

    def __init__(self, job: Job, chosen: Sequence[Candidate]) -> None:
        self._job = job
        self._chosen = {each.label: each for each in chosen}
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

    def _progress(self, event: Mapping[str, Any]) -> None:
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
