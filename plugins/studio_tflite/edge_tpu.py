"""The documented rules of Google's Edge TPU (Coral), applied to TFLite models.

Source: "TensorFlow models on the Edge TPU" of Coral's documentation, its model requirements and
its table of supported operations, for runtime 14. The compiler itself is not part of the studio.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path

from studio.api import Graph, Node, PlacedNode, Progress, TensorType
from studio.api.chip_rules import (
    FIXED,
    BrokenRule,
    NodeRule,
    OperatorTable,
    RulesCompiler,
    first_broken,
    read_operators,
    values_of,
)
from studio_tflite.format import TfliteFormat

RUNTIME = "rules of runtime 14"
ON_CHIP_BYTES = 8_000_000
"""Memory of the chip for parameters; a compiler takes a share of it for itself."""

_TABLE = OperatorTable("the Edge TPU", read_operators(Path(__file__).with_suffix(".json")))
_EIGHT_BITS = frozenset({"int8", "uint8"})
_SEPARATE = frozenset({"AVERAGE_POOL_2D", "CONCATENATION", "MAX_POOL_2D"})
"""Operators that take no activation fused into them."""
_ENDS = frozenset({"QUANTIZE", "DEQUANTIZE"})
_LONGEST_SOFTMAX = 16_000
_INNER_AXES = 3

_AT_END = BrokenRule("Floats at the ends of the model are converted on the processor.")
_IN_FLOAT = "Export the model with --precision int8-io, so that all operators compute in 8 bits."
_LEFT_IN_FLOAT = "The export in 8 bits leaves this operator in float: replace it in the model."


class EdgeTpu(RulesCompiler):
    """The rules as a compiler that writes nothing."""

    id = "edge-tpu"
    title = "Edge TPU"
    chip = "the Edge TPU"
    rules_version = RUNTIME

    def graph(self, model: Path, folder: Path, progress: Progress) -> Graph:
        """Read the first graph of a TFLite file."""
        return TfliteFormat().read(model, progress).graph

    def rules(self, settings: Mapping[str, object]) -> Sequence[NodeRule]:
        """Return the rules of a node alone; its neighbours count, too."""
        return (_TABLE.broken, _of_values, _of_operator)

    def place(self, graph: Graph, settings: Mapping[str, object]) -> Iterator[PlacedNode]:
        """Yield the nodes: the compiler makes one part for the chip, up to the first refused."""
        behind = ""
        for node in graph.nodes:
            end = _is_float_end(graph, node)
            broken = _AT_END if end else first_broken(graph, node, self.rules(settings))
            if broken is None and behind:
                broken = BrokenRule(f"It comes after {behind}, which is not mapped.")
            if broken is None:
                yield PlacedNode(node.name, node.operator, True)
                continue
            yield PlacedNode(node.name, node.operator, False, broken.reason, broken.remedy)
            if not end:
                behind = behind or node.name

    def warnings(
        self, graph: Graph, nodes: Sequence[PlacedNode], settings: Mapping[str, object]
    ) -> Iterator[str]:
        """Yield what the rules do not know, and the memory of the chip."""
        yield (
            "Rules alone: Google's compiler also leaves out operators for reasons of its own. "
            "Compile with edgetpu_compiler before you buy boards."
        )
        weights = sum(one.nbytes for one in graph.initializers.values())
        if weights > ON_CHIP_BYTES:
            yield (
                f"The parameters have {weights / 1e6:,.1f} MB, more than the chip's 8 MB: the rest "
                "is sent to it for each inference."
            )


def _is_float_end(graph: Graph, node: Node) -> bool:
    ends = {value.name for value in (*graph.inputs, *graph.outputs)}
    return node.operator in _ENDS and bool(ends & {*node.inputs, *node.outputs})


def _of_values(graph: Graph, node: Node) -> BrokenRule | None:
    for name, kind in values_of(graph, (*node.inputs, *node.outputs)):
        if rule := _of_value(name, kind, _remedy(graph)):
            return rule
    return None


def _of_operator(graph: Graph, node: Node) -> BrokenRule | None:
    """Return the rule of the operator itself that a node breaks."""
    if node.operator in _SEPARATE and _text(node, "fused_activation_function") != "NONE":
        return BrokenRule(f"{node.operator} takes no fused activation.")
    own = _OWN.get(node.operator)
    kinds = [graph.type_of(name) for name in dict.fromkeys((*node.inputs, *node.outputs)) if name]
    return own(node, [kind for kind in kinds if kind is not None]) if own else None


def _remedy(graph: Graph) -> str:
    """Return the remedy for floats; the export in 8 bits only where it was not used already."""
    types = [one.type.dtype for one in graph.inputs if one.type]
    return _LEFT_IN_FLOAT if _EIGHT_BITS.issuperset(types) else _IN_FLOAT


def _of_value(name: str, kind: TensorType | None, floats: str) -> BrokenRule | None:
    """Return the rule that an input or output of a node breaks."""
    if kind is None:
        return BrokenRule(f"The type of {name!r} is unknown.")
    if kind.dtype not in _EIGHT_BITS:
        return BrokenRule(f"{name!r} is {kind.dtype}, not 8 bits.", floats)
    if kind.shape is None or not all(isinstance(size, int) for size in kind.shape[1:]):
        return BrokenRule(f"{name!r} has open sizes.", FIXED)
    outer = [size for size in kind.shape[:-_INNER_AXES] if isinstance(size, int)]
    if any(size > 1 for size in outer):
        return BrokenRule(f"{name!r} has more than {_INNER_AXES} axes that are larger than 1.")
    return None


def _softmax(node: Node, kinds: Sequence[TensorType]) -> BrokenRule | None:
    sizes = [prod(size for size in kind.shape or () if isinstance(size, int)) for kind in kinds]
    if max(sizes, default=0) > _LONGEST_SOFTMAX:
        return BrokenRule(f"SOFTMAX takes at most {_LONGEST_SOFTMAX:,} values.")
    rows = [prod(s for s in (kind.shape or ())[:-1] if isinstance(s, int)) for kind in kinds]
    return BrokenRule("SOFTMAX takes one axis alone.") if max(rows, default=1) > 1 else None


def _strided_slice(node: Node, kinds: Sequence[TensorType]) -> BrokenRule | None:
    masks = [name for name in ("ellipsis_mask", "new_axis_mask") if node.attributes.get(name)]
    return BrokenRule(f"STRIDED_SLICE takes no {masks[0].replace('_', ' ')}.") if masks else None


def _fully_connected(node: Node, kinds: Sequence[TensorType]) -> BrokenRule | None:
    if _text(node, "weights_format", "DEFAULT") != "DEFAULT":
        return BrokenRule("FULLY_CONNECTED takes weights in the default format alone.")
    return None


def _convolution(node: Node, kinds: Sequence[TensorType]) -> BrokenRule | None:
    found = [node.attributes.get(f"dilation_{axis}_factor") for axis in "wh"]
    if found[0] != found[1]:
        return BrokenRule(f"{node.operator} takes equal dilations of both axes alone.")
    return None


_OWN: Mapping[str, Callable[[Node, Sequence[TensorType]], BrokenRule | None]] = {
    "SOFTMAX": _softmax,
    "STRIDED_SLICE": _strided_slice,
    "FULLY_CONNECTED": _fully_connected,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
}


def _text(node: Node, name: str, usual: str = "NONE") -> str:
    return str(node.attributes.get(name, usual))
