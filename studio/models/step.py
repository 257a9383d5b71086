"""The steps of this stage: open, inspect, graph, diff, coverage, analyze, values, operator."""

from __future__ import annotations

from studio.api import Kind, Option
from studio.jobs.step import Arguments, Effect, Limits, Result, Step, Use
from studio.settings.boards import names as board_names

PREVIEW = "preview"
"""Name of the message of ``open`` with the ``path`` of a preview; it lasts as long as the job."""

DRAWN = "drawn"
"""Name of the message of ``open`` with the ``path`` of the graph of a large model that has passed
its intake: all nodes and their layout, no types yet. The file grows until the job's end."""

NO_BOARD = "none"

_SHAPE = Option(
    "shape",
    many=True,
    advanced=True,
    title="Input shape",
    help="Size of an input that leaves it open, for MACs and memory: x=1,3,224,224.",
)
_LIMITS = Limits(memory_mb=16_384, seconds=900.0)

OPEN: Step[Arguments, Result] = Step(
    name="open",
    title="Open",
    summary="Check a model file, read its graph, and keep it in the registry.",
    options=(
        Option("model", Kind.FILE, required=True, positional=True, help="The model's file."),
        Option("name", help="Name in the registry; the file's name if left out."),
        _SHAPE,
    ),
    work="studio.models.work:open_model",
    record="studio.models.record:opened",
    limits=_LIMITS,
    effect=Effect.PURE,
)

INSPECT: Step[Arguments, Result] = Step(
    name="inspect",
    title="Inspect",
    summary="Check a model file and say what is in it.",
    options=(
        Option("model", Kind.FILE, required=True, positional=True, help="The model's file."),
        _SHAPE,
    ),
    work="studio.models.work:inspect_model",
    limits=_LIMITS,
    effect=Effect.PURE,
    in_history=False,
)

GRAPH: Step[Arguments, Result] = Step(
    name="graph",
    title="Draw the graph",
    summary="Draw the graph of a model as SVG, PNG or one HTML file.",
    options=(
        Option("model", Kind.MODEL, required=True, positional=True, help="The model."),
        Option("out", Kind.OUTPUT, required=True, help="A file that ends in .svg, .html or .png."),
        Option(
            "overlay",
            Kind.FILE,
            help="JSON with numbers of nodes, a profile's, or analyzer:ID.",
        ),
        Option(
            "cost",
            Kind.CHOICE,
            default="none",
            choices=("none", "macs", "weights", "activations"),
            help="Colour the nodes by their cost instead.",
        ),
        Option(
            "analyzer",
            Kind.CHOICE,
            plugins="analyzers",
            help="Colour the nodes by the numbers of an analyzer instead (sparsity).",
        ),
        Option(
            "detail",
            Kind.CHOICE,
            default="all",
            choices=("all", "blocks"),
            help="In SVG and PNG: all nodes, or the blocks that they fold into.",
        ),
        Option("part", help="In SVG and PNG: only this block, branch or function (layer.3)."),
        Option(
            "unfold",
            many=True,
            help="In SVG and PNG: a block to unfold in place, or all.",
        ),
        _SHAPE,
    ),
    work="studio.models.work:draw",
    record="studio.models.record:drawn",
    limits=_LIMITS,
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
)

DIFF: Step[Arguments, Result] = Step(
    name="diff",
    title="Compare",
    summary="Compare the graphs of two models: what was matched, changed, fused, added, removed.",
    options=(
        Option("a", Kind.MODEL, required=True, positional=True, title="Before", help="A model."),
        Option(
            "b", Kind.MODEL, required=True, positional=True, title="After", help="What it became."
        ),
    ),
    work="studio.models.work:diff",
    limits=_LIMITS,
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
)

COVERAGE: Step[Arguments, Result] = Step(
    name="coverage",
    title="Check compatibility",
    summary="Hold a model against a release of ONNX Runtime, a target, or a kind of board.",
    options=(
        Option("model", Kind.MODEL, required=True, positional=True, help="The model."),
        Option(
            "runtime",
            help="Release of ONNX Runtime (1.19); by default the target's, else the newest.",
        ),
        Option("target", Kind.TARGET, help="A target that was probed."),
        Option(
            "board",
            Kind.CHOICE,
            default=NO_BOARD,
            choices=(NO_BOARD, *board_names()),
            help="A kind of board that need not be there, with the system that a new one has.",
        ),
    ),
    work="studio.models.coverage.work:coverage",
    prepare="studio.models.coverage.work:prepare",
    limits=_LIMITS,
    effect=Effect.LOOKS,
    use=Use.COVER,
    in_history=False,
)

ANALYZE: Step[Arguments, Result] = Step(
    name="analyze",
    title="Analyze",
    summary="Compute the numbers of one analyzer for the nodes of a model.",
    options=(
        Option("model", Kind.MODEL, required=True, positional=True, help="The model."),
        Option(
            "analyzer",
            Kind.CHOICE,
            required=True,
            positional=True,
            plugins="analyzers",
            help="The id of an analyzer, such as sparsity (studio plugins list).",
        ),
        _SHAPE,
    ),
    work="studio.models.analysis:analyze",
    limits=_LIMITS,
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
)

VALUES: Step[Arguments, Result] = Step(
    name="values",
    title="Values",
    summary="Say what is in a constant of a model: figures, histogram, the first values.",
    options=(
        Option("model", Kind.MODEL, required=True, positional=True, help="The model."),
        Option("name", required=True, positional=True, help="Name of the constant."),
    ),
    work="studio.models.details:values",
    limits=_LIMITS,
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
)

OPERATOR: Step[Arguments, Result] = Step(
    name="operator",
    title="Operator",
    summary="Say what an operator does in a version of its operator set.",
    options=(
        Option("model", Kind.MODEL, required=True, positional=True, help="A model of its format."),
        Option("operator", required=True, positional=True, help="Conv, or DOMAIN:OPERATOR."),
        Option("version", Kind.INTEGER, default=21, minimum=1, help="Of the operator set."),
    ),
    work="studio.models.details:operator",
    limits=_LIMITS,
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
)
