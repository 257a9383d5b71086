"""Results of the steps about models, as the window, the command line and pipelines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.documents.dataclass_json import InvalidDocument, from_json, optional, to_json
from studio.lazy_dataclass import dataclass

GRAPH_FILE = "graph.json.gz"
"""The file of a graph with its layout, in the folder of the work that wrote it."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """An input or output of a model.

    Attributes:
        shape: Sizes, with names or None where they are open; None where nothing is known.
    """

    name: str = ""
    dtype: str = ""
    shape: tuple[int | str | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class IntakeFinding:
    """A finding of the safety check of a model file."""

    level: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class LanguageFacts:
    """Facts of a model that generates text; None or empty where the file has it not.

    Attributes:
        width: Numbers of a token between layers.
        context: Longest sequence that it was made for, in tokens.
        chat_template: Text of the template. It is never run here.
        cache_bytes: Bytes of keys and values for each token of the context, in float16.
        precisions: Number of weights by precision, the most frequent first.
    """

    architecture: str = ""
    layers: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    width: int | None = None
    vocabulary: int | None = None
    context: int | None = None
    tokenizer: str = ""
    chat_template: str = ""
    cache_bytes: int | None = None
    precisions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """Figures of a model's graph: work, memory, operators, precision.

    Attributes:
        macs_by_operator: The operators with most work first.
        macs_unknown: Number of nodes whose work is not known.
        assumed_shapes: The shapes that were fixed by assumption, by input.
        activation_bytes: Most bytes of activations that are alive at once.
        operators: Number of nodes of each operator, the most frequent first.
        opset: Versions of the operator sets by domain.
    """

    format: str = ""
    nodes: int | None = None
    parameters: int | None = None
    macs: int | None = None
    macs_by_operator: Mapping[str, int] = field(default_factory=dict)
    macs_unknown: int = 0
    assumed_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    weight_bytes: int | None = None
    activation_bytes: int | None = None
    operators: Mapping[str, int] = field(default_factory=dict)
    opset: Mapping[str, int] = field(default_factory=dict)
    ir_version: int = 0
    producer: str = ""
    licence: str = ""
    precision: str = ""
    quantized: bool = False
    functions: int = 0
    inputs: tuple[Terminal, ...] = ()
    outputs: tuple[Terminal, ...] = ()
    language: LanguageFacts | None = optional()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigures(ModelSummary):
    """The same with the size of the model's files, and what their safety check has found."""

    bytes: int = 0
    intake: tuple[IntakeFinding, ...] = ()

    @classmethod
    def read(cls, summary: Mapping[str, object]) -> ModelFigures:
        """Return the figures in the summary of a variant; none where it has others."""
        try:
            return from_json(cls, summary)
        except InvalidDocument:
            return cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenResult(ModelFigures):
    """A model that was opened, with its number in the registry.

    Attributes:
        source: The file that was opened.
        name: Name of the model.
        copied: Whether the registry has a copy of the files.
        digest_in_place: Digest for the content of files that were not copied; between the
            work and its record.
        model: Number of the model, which the record adds like the rest.
    """

    source: str
    name: str
    copied: bool
    digest_in_place: str = optional("")
    model: int = optional(0)
    variant: int = optional(0)
    variant_name: str = optional("")


@dataclass(frozen=True, slots=True)
class GraphResult:
    """A drawing of a graph.

    Attributes:
        constants: Nodes that have no box of their own.
        output: The file.
    """

    nodes: int
    constants: int
    edges: int
    seconds: float
    output: str


@dataclass(frozen=True, slots=True)
class Change:
    """One property of a node with its value before and after; empty where a side lacks it."""

    what: str
    before: str
    after: str

    def text(self, arrow: str) -> str:
        """Return the change in words."""
        return f"{self.what}: {self.before or 'none'} {arrow} {self.after or 'none'}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Nodes that stand for each other.

    Attributes:
        a, b: Their names on either side, in topological order; more than one where nodes were
            fused, split up, or replaced together.
        kind: ``same``, ``changed``, ``fused``, ``split`` or ``replaced``; ``added`` where nothing
            stood before.
    """

    a: tuple[str, ...]
    b: tuple[str, ...]
    kind: str
    changes: tuple[Change, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class SingleNode:
    """A node that only one of two graphs has, and why."""

    name: str
    operator: str
    text: str


@dataclass(frozen=True, slots=True)
class DiffResult:
    """The differences between two graphs.

    Attributes:
        matched, compute: How many of the first graph's computing nodes have a counterpart.
        folded: Nodes of the first graph that only prepared constants, and that the second lacks.
        inserted: Nodes that only the second graph has.
        lost: Nodes that only the first graph has, and what became of them.
    """

    added: int
    removed: int
    changed: int
    matched: int
    compute: int
    folded: int
    pairs: tuple[Pair, ...]
    inserted: tuple[SingleNode, ...]
    lost: tuple[SingleNode, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a model will not run there.

    Attributes:
        code: ``opset``, ``ir``, ``domain``, ``type``, ``memory`` or ``system``.
        nodes: Names of the nodes at fault; empty where it is the model as a whole.
    """

    code: str
    text: str
    hint: str = ""
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SystemCoverage:
    """System of a board, with its problems.

    Attributes:
        runtime: The runtime that is sent to it; empty where none is.
    """

    name: str
    runtime: str
    covered: bool
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class CoverageResult:
    """Result of a compatibility check with a runtime, a target or a kind of board.

    Attributes:
        target: The target, or the board with its system.
        memory_mb: What model and activations take.
        board, systems, notes, source: Of a kind of board only: its id, its systems with the usual
            one first, further notes, and their source.
    """

    covered: bool
    runtime: str
    target: str | None
    opset: int | None
    ir: int | None
    memory_mb: float
    problems: tuple[Problem, ...]
    board: str | None = optional()
    systems: tuple[SystemCoverage, ...] | None = optional()
    notes: tuple[str, ...] | None = optional()
    source: str | None = optional()

    @property
    def where(self) -> str:
        """The runtime and the machine in words."""
        return " on ".join(filter(None, (self.runtime, self.target)))

    @property
    def other_systems(self) -> tuple[SystemCoverage, ...]:
        """The systems of the board but for the usual one."""
        return (self.systems or ())[1:]


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """The facts of a target that this check reads."""

    memory_mb: float | None = None
    runtimes: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """The numbers of an analyzer by node."""

    analyzer: str
    title: str
    unit: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ConstantResult:
    """Figures of a constant, of its first values if it is large.

    Attributes:
        read: How many values were looked at.
        not_finite: How many of them are no finite numbers.
        zeros: The share of zeros.
        preview: The first values; what is not finite as text.
        histogram: Counts in equal bins; empty where no value is finite.
        edges: Both ends of the histogram.
    """

    name: str
    read: int
    not_finite: int
    zeros: float
    preview: tuple[float | str, ...]
    histogram: tuple[int, ...]
    min: float | None = optional()
    max: float | None = optional()
    mean: float | None = optional()
    std: float | None = optional()
    edges: tuple[float, float] | None = optional()


@dataclass(frozen=True, slots=True)
class ScoredClass:
    """A class with its score; the label is its number where it has no name."""

    label: str
    index: int
    score: float


@dataclass(frozen=True, slots=True)
class Box:
    """Something found in the picture.

    Attributes:
        box: Left, top, right and bottom as fractions of the picture's width and height.
    """

    box: tuple[float, float, float, float]
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a model for one frame.

    Attributes:
        kind: ``classes``, ``text``, ``boxes``, or ``values`` where none of these fits.
        classes: The likeliest first.
        text, score: What was read, and how sure the model was of its characters on average.
        values: One line for each output.
    """

    kind: str
    classes: tuple[ScoredClass, ...] = ()
    text: str = ""
    score: float = 0.0
    boxes: tuple[Box, ...] = ()
    values: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return its JSON form; what does not belong to its kind is left out."""
        whole: dict[str, object] = to_json(self)
        names = ("text", "score") if self.kind == "text" else (self.kind,)
        return {"kind": self.kind, **{name: whole[name] for name in names}}
