"""What became of a recipe: its steps, its gates, its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class StepReport:
    """What became of a step: ``succeeded``, ``failed`` or ``not run``."""

    id: str
    step: str
    state: str = "not run"
    seconds: float = 0.0
    result: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class GateReport:
    """Whether a gate was met. ``value`` is None when its step was not run."""

    name: str
    passed: bool
    value: float | None
    limit: str


@dataclass(frozen=True, slots=True)
class RecipeReport:
    """The outcome of a recipe.

    Attributes:
        exit_code: 0 done, 3 a gate was not met, otherwise that of the step that failed.
        report: Path of the HTML report; empty when it could not be written, for the
            ``report_problem``.
    """

    name: str
    title: str
    steps: tuple[StepReport, ...]
    gates: tuple[GateReport, ...]
    exit_code: int
    report: str = ""
    report_problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """The contract's keys (``steps``, ``gates``) and ours."""
        value = asdict(self)
        for step in value["steps"]:
            step["name"] = step.pop("id")
        return value
