"""A candidate during the study: its process, its state, what is known of it."""

from __future__ import annotations

from typing import Any

from .config import Candidate
from .errors import CandidateError
from .process import CandidateProcess

TWIN = "#twin"
"""Suffix of the reference's second process."""

_AS_IN_THE_MODEL = "as in the model"


class BenchCandidate:
    """One candidate, or a further process of it.

    Attributes:
        facts: What its process told, by key; part of the result.
        hidden: Whether it is no row of the result (the same model with another batch).
    """

    def __init__(self, candidate: Candidate, id: str = "", hidden: bool = False) -> None:
        self.candidate = candidate
        self.id = id or candidate.id
        self.hidden = hidden
        self.process: CandidateProcess | None = None
        self.state = "waiting"
        self.reason = ""
        self.facts: dict[str, Any] = {}

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
        """Whether it says that it computes in less than the model's own precision."""
        precision = str(self.facts.get("describe", {}).get("precision") or _AS_IN_THE_MODEL)
        return precision not in (_AS_IN_THE_MODEL, "fp32", "fp64")

    def ask(self, state: str, timeout: float, **request: Any) -> dict[str, Any]:
        """Ask its process; see ``CandidateProcess.ask``."""
        assert self.process is not None
        return self.process.ask(state, timeout, **request)

    def drop(self, failure: CandidateError) -> None:
        """Take it out of the study, with the reason."""
        self.state, self.reason = failure.state, failure.reason
        self.end()

    def end(self) -> None:
        """Kill its process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process = None

    def to_json(self) -> dict[str, Any]:
        """Its part of the result."""
        return dict(self.facts, id=self.id, state=self.state, reason=self.reason)
