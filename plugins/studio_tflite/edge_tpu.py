"""The documented rules of Google's Edge TPU (Coral), applied to TFLite models.

Source: "TensorFlow models on the Edge TPU" of Coral's documentation, its model requirements and
its table of supported operations, for runtime 14. The compiler itself is not part of the studio.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from studio.api import (
    Compiled,
    Graph,
    InvalidModel,
    Node,
    PlacedNode,
    Progress,
    TensorType,
    Unavailable,
)
from studio_tflite.format import TfliteFormat

RUNTIME = "rules of runtime 14"
ON_CHIP_BYTES = 8_000_000
"""Memory of the chip for parameters; a compiler takes a share of it for itself."""

_TABLE = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
_SUPPORTED = frozenset(_TABLE["operators"])
_EIGHT_BITS = frozenset({"int8", "uint8"})
_SEPARATE = frozenset({"AVERAGE_POOL_2D", "CONCATENATION", "MAX_POOL_2D"})
"""Operators that take no activation fused into them."""
_ENDS = frozenset({"QUANTIZE", "DEQUANTIZE"})
_LONGEST_SOFTMAX = 16_000
_INNER_AXES = 3

_IN_FLOAT = "Export the model with --precision int8-io, so that all operators compute in 8 bits."
_FIXED = "Fix the open sizes with --input when the model is exported."


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that a node breaks, with its reason and a remedy."""

    reason: str
    remedy: str = ""


class EdgeTpu:
    """The rules as a compiler that writes nothing."""

    id = "edge-tpu"
    title = "Edge TPU"
    how = "rules"

    def version(self) -> str:
        """Return the runtime whose rules these are."""
        return RUNTIME

    def compile(
        self,
        model: Path,
        output: Path,
        settings: Mapping[str, object],
        inputs: Mapping[str, Sequence[int]],
        folder: Path,
        progress: Progress,
    ) -> Compiled:
        """Place every node by the rules.

        Raises:
            InvalidModel: when no layer computes in 8 bits.
        """
        graph = TfliteFormat().read(model, progress).graph
        nodes = tuple(_placed(graph))
        if not any(node.on_chip for node in nodes):
            raise InvalidModel(f"No operator runs on the Edge TPU. {_first_reason(nodes)}")
        weights = sum(one.nbytes for one in graph.initializers.values())
        return Compiled(
            f"{self.title}, {RUNTIME}",
            nodes,
            {"parameter_bytes": float(weights)},
            warnings=tuple(_warnings(nodes, weights)),
        )

    def answer(
        self,
        model: Path,
        samples: Path,
        answers: Path,
        folder: Path,
        progress: Progress,
        *,
        values: Sequence[str] = (),
    ) -> Mapping[str, str]:
        """Refuse: nothing here computes as the chip does."""
        raise Unavailable("These are rules, and nothing here computes as the Edge TPU does.")


def _placed(graph: Graph) -> Iterator[PlacedNode]:
    """Yield the nodes; its compiler makes one part for the chip, up to the first refused node."""
    behind = ""
    for node in graph.nodes:
        end = _is_float_end(graph, node)
        rule = Rule("Floats at the ends of the model are converted on the processor.")
        broken = rule if end else _broken(graph, node)
        if broken is None and behind:
            broken = Rule(f"It comes after {behind}, which is not mapped.")
        if broken is None:
            yield PlacedNode(node.name, node.operator, True)
            continue
        yield PlacedNode(node.name, node.operator, False, broken.reason, broken.remedy)
        if not end:
            behind = behind or node.name


def _is_float_end(graph: Graph, node: Node) -> bool:
    ends = {value.name for value in (*graph.inputs, *graph.outputs)}
    return node.operator in _ENDS and bool(ends & {*node.inputs, *node.outputs})


def _broken(graph: Graph, node: Node) -> Rule | None:
    if node.operator not in _SUPPORTED:
        return Rule(f"The Edge TPU has no {node.operator}.")
    types = {name: graph.type_of(name) for name in (*node.inputs, *node.outputs) if name}
    for name, kind in types.items():
        if name not in graph.initializers and (rule := _of_value(name, kind)):
            return rule
    if node.operator in _SEPARATE and _text(node, "fused_activation_function") != "NONE":
        return Rule(f"{node.operator} takes no fused activation.")
    own = _OWN.get(node.operator)
    return own(node, [kind for kind in types.values() if kind is not None]) if own else None


def _of_value(name: str, kind: TensorType | None) -> Rule | None:
    """Return the rule that an input or output of a node breaks."""
    if kind is None:
        return Rule(f"The type of {name!r} is unknown.")
    if kind.dtype not in _EIGHT_BITS:
        return Rule(f"{name!r} is {kind.dtype}, not 8 bits.", _IN_FLOAT)
    if kind.shape is None or not all(isinstance(size, int) for size in kind.shape[1:]):
        return Rule(f"{name!r} has open sizes.", _FIXED)
    outer = [size for size in kind.shape[:-_INNER_AXES] if isinstance(size, int)]
    if any(size > 1 for size in outer):
        return Rule(f"{name!r} has more than {_INNER_AXES} axes that are larger than 1.")
    return None


def _softmax(node: Node, kinds: Sequence[TensorType]) -> Rule | None:
    sizes = [prod(size for size in kind.shape or () if isinstance(size, int)) for kind in kinds]
    if max(sizes, default=0) > _LONGEST_SOFTMAX:
        return Rule(f"SOFTMAX takes at most {_LONGEST_SOFTMAX:,} values.")
    rows = [prod(s for s in (kind.shape or ())[:-1] if isinstance(s, int)) for kind in kinds]
    return Rule("SOFTMAX takes one axis alone.") if max(rows, default=1) > 1 else None


def _strided_slice(node: Node, kinds: Sequence[TensorType]) -> Rule | None:
    masks = [name for name in ("ellipsis_mask", "new_axis_mask") if node.attributes.get(name)]
    return Rule(f"STRIDED_SLICE takes no {masks[0].replace('_', ' ')}.") if masks else None


def _fully_connected(node: Node, kinds: Sequence[TensorType]) -> Rule | None:
    if _text(node, "weights_format", "DEFAULT") != "DEFAULT":
        return Rule("FULLY_CONNECTED takes weights in the default format alone.")
    return None


def _convolution(node: Node, kinds: Sequence[TensorType]) -> Rule | None:
    found = [node.attributes.get(f"dilation_{axis}_factor") for axis in "wh"]
    if found[0] != found[1]:
        return Rule(f"{node.operator} takes equal dilations of both axes alone.")
    return None


_OWN: Mapping[str, Callable[[Node, Sequence[TensorType]], Rule | None]] = {
    "SOFTMAX": _softmax,
    "STRIDED_SLICE": _strided_slice,
    "FULLY_CONNECTED": _fully_connected,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
}


def _text(node: Node, name: str, usual: str = "NONE") -> str:
    return str(node.attributes.get(name, usual))


def _first_reason(nodes: Sequence[PlacedNode]) -> str:
    return next((f"{one.name}: {one.reason} {one.remedy}".strip() for one in nodes), "It is empty.")


def _warnings(nodes: Sequence[PlacedNode], weights: int) -> Iterator[str]:
    yield (
        "Rules alone: Google's compiler also leaves out operators for reasons of its own. "
        "Compile with edgetpu_compiler before you buy boards."
    )
    if weights > ON_CHIP_BYTES:
        yield (
            f"The parameters have {weights / 1e6:,.1f} MB, more than the chip's 8 MB: the rest is "
            "sent to it for each inference."
        )
