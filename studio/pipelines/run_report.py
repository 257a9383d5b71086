"""What became of a pipeline: its steps, its gates, its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

DONE = ("succeeded", "unchanged")
"""States of a step that has a result."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """What became of a step.

    Attributes:
        state: ``succeeded``, ``unchanged`` (its result was kept from a run with the same inputs),
            ``failed`` or ``not run``.
        key: Digest of its inputs; empty for a step whose result is never kept.
        kept_from: The run whose result was taken.
    """

    id: str
    step: str
    state: str = "not run"
    seconds: float = 0.0
    result: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    key: str = ""
    kept_from: str = ""

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self.state in DONE


@dataclass(frozen=True, slots=True)
class GateReport:
    """Whether a gate was met.

    Attributes:
        value: None when its step was not run, or does not say it.
        kind: Which figure it is about.
        text: What the value is of, or why there is none.
    """

    name: str
    passed: bool
    value: float | None
    limit: str
    kind: str = "value"
    text: str = ""


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """The outcome of a pipeline.

    Attributes:
        exit_code: 0 done, 3 a gate was not met, otherwise that of the step that failed.
        report: Path of the HTML report; empty when it could not be written, for the
            ``report_problem``.
        run: The run's id; its folder has the journal, the results and the report.
        artefacts: Digests of what was made, by ``step.kind``; equal inputs give equal ones.
    """

    name: str
    title: str
    steps: tuple[StepReport, ...]
    gates: tuple[GateReport, ...]
    exit_code: int
    report: str = ""
    report_problem: str = ""
    run: str = ""
    folder: str = ""
    artefacts: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The contract's keys (``steps``, ``gates``) and ours."""
        value = asdict(self)
        for step in value["steps"]:
            step["name"] = step.pop("id")
        return value
