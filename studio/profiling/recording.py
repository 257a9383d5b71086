"""What a bench said: its events, collected as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.runtime.bench.measures.rounds import clean
from studio.runtime.bench.statistics.bootstrap import ALPHA

TWIN = "#twin"
"""Suffix of the reference's second process among the bench's candidates."""


class Recording:
    """The events of one bench. It is useful from the first round on, however the bench ends.

    Attributes:
        config: What the bench was told.
        environment: The machine.
        rounds: The raw round events.
        states: State and reason by candidate.
        operators: Kernel times by candidate.
        profiled: Microseconds of an inference without and with profiling, by candidate.
        looks: Where it was looked whether all is decided.
        trials, points: What ``open-loop`` and ``sustained`` said of each candidate.
        result: The last event, empty until it came.
        error: Why nothing could be measured.
        interruption: Why the bench ended before its result.
    """

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self.config: Mapping[str, Any] = config or {}
        self.environment: dict[str, Any] = {}
        self.rounds: list[dict[str, Any]] = []
        self.states: dict[str, tuple[str, str]] = {}
        self.operators: dict[str, list[dict[str, Any]]] = {}
        self.profiled: dict[str, tuple[float, float]] = {}
        self.looks: list[dict[str, Any]] = []
        self.trials: dict[str, list[dict[str, Any]]] = {}
        self.points: dict[str, list[dict[str, Any]]] = {}
        self.result: dict[str, Any] = {}
        self.error = ""
        self.interruption = ""
        self.cancelled = False

    def add(self, event: Mapping[str, Any]) -> None:
        """Take one event; unknown ones are of a later version and ignored."""
        take = getattr(self, f"_{event.get('event')}", None)
        if take is not None:
            take(event)

    @property
    def complete(self) -> bool:
        """Whether the bench came to its end."""
        return bool(self.result)

    @property
    def measured(self) -> bool:
        """Whether anything was measured."""
        return bool(self.rounds or self.trials or self.points)

    @property
    def twin(self) -> str | None:
        """The reference's second process, if it was measured."""
        return next((each for each in self.states if each.endswith(TWIN)), None)

    @property
    def reference(self) -> str:
        """The candidate that the others are compared with: the first one that worked."""
        if self.result:
            return str(self.result["reference"])
        worked = (each for each, (state, _) in self.states.items() if state == "ready")
        return next(worked, "")

    @property
    def clean_rounds(self) -> Sequence[Mapping[str, Any]]:
        """The rounds that count."""
        return clean(self.rounds)

    @property
    def alpha(self) -> float:
        """The level of the last look: what verdicts on these rounds may be tested at."""
        return float(self.looks[-1]["alpha"]) if self.looks else ALPHA

    def _started(self, event: Mapping[str, Any]) -> None:
        self.environment = dict(event["environment"])

    def _candidate(self, event: Mapping[str, Any]) -> None:
        self.states[event["id"]] = (event["state"], event["reason"])

    def _round(self, event: Mapping[str, Any]) -> None:
        self.rounds.append(dict(event))

    def _look(self, event: Mapping[str, Any]) -> None:
        self.looks.append(dict(event))

    def _trial(self, event: Mapping[str, Any]) -> None:
        self.trials.setdefault(event["id"], []).append(_row(event))

    def _point(self, event: Mapping[str, Any]) -> None:
        self.points.setdefault(event["id"], []).append(_row(event))

    def _operators(self, event: Mapping[str, Any]) -> None:
        self.operators[event["id"]] = list(event["operators"])
        if event.get("plain_us") and event.get("profiled_us"):
            self.profiled[event["id"]] = (event["plain_us"], event["profiled_us"])

    def _result(self, event: Mapping[str, Any]) -> None:
        self.result = dict(event)

    def _error(self, event: Mapping[str, Any]) -> None:
        self.error = str(event["text"])

    def _cancelled(self, event: Mapping[str, Any]) -> None:
        self.cancelled = True


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in ("event", "id")}
