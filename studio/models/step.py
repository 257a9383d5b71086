"""The steps of this stage: open, inspect, graph, diff, coverage, analyze, values, operator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import Kind, TargetSpec
from studio.api.inspection import OperatorDoc
from studio.documents.dataclass_json import optional
from studio.jobs.options_form import option
from studio.jobs.step import Effect, Limits, Step, Use
from studio.lazy_dataclass import dataclass
from studio.models.results import (
    AnalysisResult,
    ConstantResult,
    CoverageResult,
    DiffResult,
    GraphResult,
    ModelFigures,
    OpenResult,
    TargetFacts,
)
from studio.registry import ModelRef
from studio.settings.boards import names as board_names

PREVIEW = "preview"
"""Name of the message of ``open`` with the ``path`` of a preview; it lasts as long as the job."""

DRAWN = "drawn"
"""Name of the message of ``open`` with the ``path`` of the graph of a large model that has passed
its intake: all nodes and their layout, no types yet. The file grows until the job's end."""

NO_BOARD = "none"

_SHAPE: Mapping[str, Any] = {
    "advanced": True,
    "title": "Input shape",
    "help": "Shape of a dynamic input, for MACs and memory: x=1,3,224,224.",
}
_LIMITS = Limits(memory_mb=16_384, seconds=900.0)


@dataclass(frozen=True, slots=True)
class InspectOptions:
    """Options of the step ``inspect``."""

    model: Path = option(kind=Kind.FILE, folders=True, positional=True, help="The model's file.")
    shape: tuple[str, ...] | None = option(None, **_SHAPE)


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """Options of the step ``open``."""

    model: Path = option(kind=Kind.FILE, folders=True, positional=True, help="The model's file.")
    name: str | None = option(None, help="Name in the registry (default: the file name).")
    shape: tuple[str, ...] | None = option(None, **_SHAPE)


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """Options of the step ``graph``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    out: Path = option(kind=Kind.OUTPUT, help="Output file: .svg, .html or .png.")
    overlay: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Node metrics as colours: a JSON file, a profile's JSON, or analyzer:ID.",
    )
    cost: str = option(
        "none",
        kind=Kind.CHOICE,
        choices=("none", "macs", "weights", "activations"),
        help="Colour the nodes by their cost.",
    )
    analyzer: str | None = option(
        None,
        kind=Kind.CHOICE,
        plugins="analyzers",
        help="Colour the nodes by the metrics of an analyzer, such as sparsity.",
    )
    detail: str = option(
        "all",
        kind=Kind.CHOICE,
        choices=("all", "blocks"),
        help="Level of detail in SVG and PNG: all nodes, or blocks.",
    )
    part: str | None = option(
        None, help="Draw only this block, branch or function in SVG and PNG, such as layer.3."
    )
    unfold: tuple[str, ...] | None = option(None, help="Block to expand in SVG and PNG, or all.")
    across: bool = option(False, title="From left to right", help="In SVG and PNG: inputs at left.")
    shape: tuple[str, ...] | None = option(None, **_SHAPE)


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """Options of the step ``diff``."""

    a: ModelRef = option(kind=Kind.MODEL, positional=True, title="Before", help="First model.")
    b: ModelRef = option(kind=Kind.MODEL, positional=True, title="After", help="Second model.")


@dataclass(frozen=True, slots=True)
class CoverageOptions:
    """Options of the step ``coverage``; ``facts`` is what is known of the target."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    runtime: str | None = option(
        None,
        help="Release of ONNX Runtime, such as 1.19 (default: the release on the target, "
        "else the newest).",
    )
    target: TargetSpec | None = option(None, kind=Kind.TARGET, help="Name of a probed target.")
    board: str = option(
        NO_BOARD,
        kind=Kind.CHOICE,
        choices=(NO_BOARD, *board_names()),
        help="Board type with its default system (see studio target boards).",
    )
    facts: TargetFacts = optional(TargetFacts())


@dataclass(frozen=True, slots=True)
class AnalyzeOptions:
    """Options of the step ``analyze``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    analyzer: str = option(
        kind=Kind.CHOICE,
        positional=True,
        plugins="analyzers",
        help="Analyzer ID, such as sparsity (see studio plugins list).",
    )
    shape: tuple[str, ...] | None = option(None, **_SHAPE)


@dataclass(frozen=True, slots=True)
class ValuesOptions:
    """Options of the step ``values``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    name: str = option(positional=True, help="Name of the constant.")


@dataclass(frozen=True, slots=True)
class OperatorOptions:
    """Options of the step ``operator``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="A model of its format.")
    operator: str = option(positional=True, help="Conv, or DOMAIN:OPERATOR.")
    version: int = option(21, minimum=1, help="Of the operator set.")


OPEN: Step[OpenOptions, OpenResult] = Step(
    name="open",
    title="Open",
    summary="Check a model file, read its graph and store it in the registry.",
    options=OpenOptions,
    result=OpenResult,
    work="studio.models.work:open_model",
    record="studio.models.record:opened",
    limits=_LIMITS,
    effect=Effect.PURE,
)

INSPECT: Step[InspectOptions, ModelFigures] = Step(
    name="inspect",
    title="Inspect",
    summary="Check a model file and print its summary.",
    options=InspectOptions,
    result=ModelFigures,
    work="studio.models.work:inspect_model",
    limits=_LIMITS,
    effect=Effect.PURE,
    in_history=False,
    texts="studio.models.texts:inspected",
)

GRAPH: Step[GraphOptions, GraphResult] = Step(
    name="graph",
    title="Draw the graph",
    summary="Export the graph of a model as SVG, PNG or HTML.",
    options=GraphOptions,
    result=GraphResult,
    work="studio.models.drawing.work:draw",
    record="studio.models.record:drawn",
    limits=_LIMITS,
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
    texts="studio.models.texts:drawn",
)

DIFF: Step[DiffOptions, DiffResult] = Step(
    name="diff",
    title="Compare",
    summary="Compare the graphs of two models: matched, changed, fused, added and removed nodes.",
    options=DiffOptions,
    result=DiffResult,
    work="studio.models.diff.work:diff",
    limits=_LIMITS,
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
    texts="studio.models.texts:compared",
)

COVERAGE: Step[CoverageOptions, CoverageResult] = Step(
    name="coverage",
    title="Check compatibility",
    summary="Check compatibility with a release of ONNX Runtime, a target or a board type.",
    options=CoverageOptions,
    result=CoverageResult,
    work="studio.models.coverage.work:coverage",
    prepare="studio.models.coverage.work:prepare",
    limits=_LIMITS,
    effect=Effect.LOOKS,
    use=Use.COVER,
    in_history=False,
    texts="studio.models.texts:coverage",
    exit_code="studio.models.texts:coverage_code",
)

ANALYZE: Step[AnalyzeOptions, AnalysisResult] = Step(
    name="analyze",
    title="Analyze",
    summary="Compute per-node metrics with an analyzer.",
    options=AnalyzeOptions,
    result=AnalysisResult,
    work="studio.models.analysis:analyze",
    limits=_LIMITS,
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
    texts="studio.models.texts:analyzed",
)

VALUES: Step[ValuesOptions, ConstantResult] = Step(
    name="values",
    title="Values",
    summary="Say what is in a constant of a model: figures, histogram, the first values.",
    options=ValuesOptions,
    result=ConstantResult,
    work="studio.models.details:values",
    limits=_LIMITS,
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
)

OPERATOR: Step[OperatorOptions, OperatorDoc] = Step(
    name="operator",
    title="Operator",
    summary="Say what an operator does in a version of its operator set.",
    options=OperatorOptions,
    result=OperatorDoc,
    work="studio.models.details:operator",
    limits=_LIMITS,
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
)
