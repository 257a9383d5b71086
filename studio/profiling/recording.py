"""The events of one bench, collected as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TypeVar

from studio.api import StudioError
from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.runtime.bench.config import Config
from studio.runtime.bench.events import (
    EVENTS,
    BenchCancelled,
    BenchFailure,
    BenchResult,
    CandidateFacts,
    CandidateState,
    Event,
    InterimCheckMade,
    OperatorsMeasured,
    Round,
    Started,
)
from studio.runtime.bench.facts import Environment, PointMessage, SeriesPoint, Trial, TrialMessage
from studio.runtime.bench.measures.rounds import clean
from studio.runtime.bench.statistics.bootstrap import ALPHA

T = TypeVar("T")

TWIN = "#twin"
"""Suffix of the reference's second process among the bench's candidates."""


def read_event(document: Mapping[str, object]) -> Event | None:
    """Return the event that a line of the bench holds; None for those of a later version.

    Raises:
        StudioError: when the event does not have its form.
    """
    form = EVENTS.get(str(document.get("event")))
    try:
        return from_json(form, document) if form else None
    except InvalidDocument as error:
        raise StudioError(f"The bench wrote an event that cannot be read: {error}") from error


class Recording:
    """The events of one bench. It is useful from the first round on, however the bench ends.

    Attributes:
        config: The configuration of the bench.
        environment: The machine.
        rounds: The rounds, spoiled ones too.
        states: The last state of each candidate.
        operators: Kernel times by candidate.
        looks: The interim checks that were made.
        trials, points: Parts of ``open-loop`` and ``sustained`` by candidate.
        result: The last event; None until it came.
        error: Why nothing could be measured.
        interruption: Why the bench ended before its result.
        remarks: Sentences about what happened around the bench.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.environment = Environment()
        self.rounds: list[Round] = []
        self.states: dict[str, CandidateState] = {}
        self.operators: dict[str, OperatorsMeasured] = {}
        self.looks: list[InterimCheckMade] = []
        self.trials: dict[str, list[Trial]] = {}
        self.points: dict[str, list[SeriesPoint]] = {}
        self.result: BenchResult | None = None
        self.error = ""
        self.interruption = ""
        self.remarks: list[str] = []
        self.cancelled = False

    def add(self, event: Event) -> None:
        """Take one event; those that only say how far the bench is are passed over."""
        match event:
            case Started():
                self.environment = event.environment
            case CandidateState():
                self.states[event.id] = event
            case Round():
                self.rounds.append(event)
            case InterimCheckMade():
                self.looks.append(event)
            case TrialMessage():
                self.trials.setdefault(event.id, []).append(_plain(Trial, event))
            case PointMessage():
                self.points.setdefault(event.id, []).append(_plain(SeriesPoint, event))
            case OperatorsMeasured():
                self.operators[event.id] = event
            case BenchResult():
                self.result = event
            case BenchFailure():
                self.error = event.text
            case BenchCancelled():
                self.cancelled = True

    @property
    def complete(self) -> bool:
        """Whether the bench finished."""
        return self.result is not None

    @property
    def measured(self) -> bool:
        """Whether any round was measured."""
        return bool(self.rounds or self.trials or self.points)

    @property
    def facts(self) -> dict[str, CandidateFacts]:
        """The facts of each candidate, once the bench came to its end."""
        return {each.id: each for each in self.result.candidates} if self.result else {}

    @property
    def twin(self) -> str | None:
        """The reference's second process, if it was measured."""
        return next((each for each in self.states if each.endswith(TWIN)), None)

    @property
    def reference(self) -> str:
        """The candidate that the others are compared with: the first one that worked."""
        if self.result:
            return self.result.reference
        return next((each.id for each in self.states.values() if each.state == "ready"), "")

    @property
    def clean_rounds(self) -> Sequence[Round]:
        """The rounds that count."""
        return clean(self.rounds)

    @property
    def alpha(self) -> float:
        """The level of the last interim check: what verdicts may be tested at."""
        return self.looks[-1].alpha if self.looks else ALPHA


def _plain(form: type[T], event: object) -> T:
    """Return the base of an event, without the candidate's label."""
    return form(**{each.name: getattr(event, each.name) for each in fields(form)})  # type: ignore[arg-type]
