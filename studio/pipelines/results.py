"""The comparison of two runs, for the window and the command line."""

from __future__ import annotations

from studio.documents.dataclass_json import JsonValue
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run of the comparison."""

    run: str
    state: str
    started: str


@dataclass(frozen=True, slots=True)
class ComparedStep:
    """A step in both runs with its state and time; None in a run without the step.

    Attributes:
        same_inputs: Whether the digests of its inputs are equal.
    """

    name: str
    step: str
    a: str | None
    b: str | None
    seconds_a: float | None
    seconds_b: float | None
    same_inputs: bool


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """A number of a step's result in both runs."""

    step: str
    figure: str
    a: float | None
    b: float | None

    @property
    def change(self) -> str:
        """The difference as text: relative, or absolute if ``a`` is 0."""
        if self.a is None or self.b is None or self.a == self.b:
            return ""
        return f"{self.b - self.a:+.3g}" if not self.a else f"{100 * (self.b / self.a - 1):+.1f} %"


@dataclass(frozen=True, slots=True)
class ComparedGate:
    """A gate in both runs: its values, and whether it passed."""

    name: str
    a: float | None
    b: float | None
    passed_a: bool | None
    passed_b: bool | None
    limit: str


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """A digest, a variable or a tool's version in both runs."""

    name: str
    a: JsonValue
    b: JsonValue
    same: bool


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The comparison of two runs."""

    a: ComparedRun
    b: ComparedRun
    steps: tuple[ComparedStep, ...]
    figures: tuple[ComparedFigure, ...]
    gates: tuple[ComparedGate, ...]
    artefacts: tuple[ComparedValue, ...]
    variables: tuple[ComparedValue, ...]
    tools: tuple[ComparedValue, ...]
