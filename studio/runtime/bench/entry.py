"""Candidate during the study: its process, its state and its facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, TypeVar

from .config import Candidate
from .errors import CandidateError
from .events import CandidateFacts
from .process import CandidateProcess

T = TypeVar("T")

TWIN = "#twin"
"""Suffix of the reference's second process."""

_AS_IN_THE_MODEL = "as in the model"


class BenchCandidate:
    """One candidate, or a further process of it.

    Attributes:
        facts: Answers of its process; part of the result.
        hidden: Whether it is no row of the result (the same model with another batch).
    """

    def __init__(self, candidate: Candidate, id: str = "", hidden: bool = False) -> None:
        self.candidate = candidate
        self.id = id or candidate.id
        self.hidden = hidden
        self.process: CandidateProcess | None = None
        self.state = "waiting"
        self.reason = ""
        self.facts = CandidateFacts()

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self.process is not None

    @property
    def twin(self) -> bool:
        """Whether it is the reference's second process."""
        return self.id.endswith(TWIN)

    @property
    def reduced(self) -> bool:
        """Whether it reports to compute in less than the model's own precision."""
        described = self.facts.describe
        precision = described.precision if described else None
        return (precision or _AS_IN_THE_MODEL) not in (_AS_IN_THE_MODEL, "fp32", "fp64")

    @property
    def median_ns(self) -> int:
        """Time of an inference after the warm-up."""
        assert self.facts.warm_up is not None
        return self.facts.warm_up.median_ns

    def call(self, state: str, timeout: float, form: Callable[..., T], **request: Any) -> T:
        """Call its process; see ``CandidateProcess.call``."""
        assert self.process is not None
        return self.process.call(state, timeout, form, **request)

    def learn(self, answer: object) -> None:
        """Store an answer of its process among the facts of the same names."""
        self.facts = replace(self.facts, **vars(answer))

    def drop(self, failure: CandidateError) -> None:
        """Remove it from the study, with the reason."""
        self.state, self.reason = failure.state, failure.reason
        self.end()

    def end(self) -> None:
        """Kill its process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process = None

    def result(self) -> CandidateFacts:
        """Return its part of the result."""
        return replace(self.facts, id=self.id, state=self.state, reason=self.reason)
