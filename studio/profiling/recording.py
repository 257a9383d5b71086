"""What a bench said: its events, collected as they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TWIN = "#twin"
"""Suffix of the reference's second process among the bench's candidates."""


class Recording:
    """The events of one bench. It is useful from the first round on, however the bench ends.

    Attributes:
        environment: The machine.
        rounds: The raw round events.
        states: State and reason by candidate.
        operators: Kernel times by candidate.
        profiled: Microseconds of an inference without and with profiling, by candidate.
        result: The last event, empty until it came.
        error: Why nothing could be measured.
        interruption: Why the bench ended before its result.
    """

    def __init__(self) -> None:
        self.environment: dict[str, Any] = {}
        self.rounds: list[dict[str, Any]] = []
        self.states: dict[str, tuple[str, str]] = {}
        self.operators: dict[str, list[dict[str, Any]]] = {}
        self.profiled: dict[str, tuple[float, float]] = {}
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
    def clean_rounds(self) -> list[dict[str, Any]]:
        """The rounds that nothing spoiled; all of them where the machine was never quiet.

        Dropping more than half would leave a selection rather than a measurement.
        """
        clean = [each for each in self.rounds if not each.get("spoiled")]
        return clean if 2 * len(clean) >= len(self.rounds) else self.rounds

    def _started(self, event: Mapping[str, Any]) -> None:
        self.environment = dict(event["environment"])

    def _candidate(self, event: Mapping[str, Any]) -> None:
        self.states[event["id"]] = (event["state"], event["reason"])

    def _round(self, event: Mapping[str, Any]) -> None:
        self.rounds.append(dict(event))

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
