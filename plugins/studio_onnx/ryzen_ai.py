"""AMD's Ryzen AI: its published table of operators, applied to quantized ONNX models.

``ryzen_ai.json`` has the columns for 8-bit weights with activations of 8 bits (A8W8) and of 16
(A16W8). AMD documents both as symmetric. Its compiler, which is part of its own ONNX Runtime for
Windows and Linux, is not run here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import Graph, Node, PlacedNode, Progress, Unavailable
from studio.api.chip_rules import (
    BrokenRule,
    NodeRule,
    OperatorTable,
    RulesCompiler,
    placed,
    read_operators,
)
from studio_onnx.format import OnnxFormat

_FILE = Path(__file__).with_suffix(".json")
_TABLES = {
    name: OperatorTable(
        f"AMD's table for {name}", read_operators(_FILE, name), domains=("", "com.microsoft")
    )
    for name in ("A8W8", "A16W8")
}
_MIDDLES = {"int8": 0, "uint8": 128, "int16": 0, "uint16": 32768}
"""Zero points of ranges that lie evenly around zero, by type."""
_WIDE = frozenset({"int16", "uint16"})
_QUANTIZE = "QuantizeLinear"
_ZERO_POINT = "zero point"
_PRESET = "int8-tensorrt"
_SYMMETRIC = f"Quantize the float model with the preset {_PRESET}, whose ranges are symmetric."
_MOST_BYTES = 8


class RyzenAi(RulesCompiler):
    """The rules for quantized models; float models have no table that can be relied on."""

    id = "amd-ryzen-ai"
    title = "AMD's table of operators"
    chip = "the Ryzen AI NPU"
    rules_version = "of Ryzen AI 1.8.0"

    def graph(self, model: Path, folder: Path, progress: Progress) -> Graph:
        """Read the graph, with the zero points of its QuantizeLinear nodes."""
        reader = OnnxFormat()
        graph = reader.read(model, progress).graph
        nodes = (_with_zero_point(reader, model, graph, node) for node in graph.nodes)
        return replace(graph, nodes=tuple(nodes))

    def rules(self, settings: Mapping[str, object]) -> Sequence[NodeRule]:
        """Return the rule of the zero points; the table follows from the model."""
        return (_symmetric,)

    def check(
        self,
        graph: Graph,
        settings: Mapping[str, object],
        inputs: Mapping[str, Sequence[int]],
    ) -> None:
        """Raise Unavailable for a float model.

        Raises:
            Unavailable: as AMD's column for BF16 lacks operators that AMD's own models have.
        """
        if not any(node.operator == _QUANTIZE for node in graph.nodes):
            raise Unavailable(
                "For float models, AMD's table is not complete: its column for BF16 lacks Relu and "
                "Softmax, which AMD's own examples in BF16 have.",
                hint=f"Check the model that the preset {_PRESET} makes of it.",
            )

    def place(self, graph: Graph, settings: Mapping[str, object]) -> Iterator[PlacedNode]:
        """Yield the nodes by the table of the model's own quantization."""
        table = _TABLES[_quantization(graph)]
        yield from placed(graph, (table.broken, *self.rules(settings)))

    def warnings(
        self, graph: Graph, nodes: Sequence[PlacedNode], settings: Mapping[str, object]
    ) -> Iterator[str]:
        """Yield what AMD adds to its table."""
        yield (
            f"Rules alone, those of {_quantization(graph)}: some settings of an operator may not "
            "be supported, and AMD's table does not name them. On a device, "
            "vitisai_ep_report.json has the places."
        )


def _with_zero_point(reader: OnnxFormat, model: Path, graph: Graph, node: Node) -> Node:
    """Return a QuantizeLinear node with its zero point as an attribute, where it is a constant."""
    if node.operator != _QUANTIZE:
        return node
    name = _zero_point_of(node)
    if name and name not in graph.initializers:
        return node
    point = int(reader.constant(model, name, _MOST_BYTES).reshape(-1)[0]) if name else 0
    return replace(node, attributes={**node.attributes, _ZERO_POINT: point})


def _zero_point_of(node: Node) -> str:
    return node.inputs[2] if len(node.inputs) > 2 else ""


def _type_of(graph: Graph, node: Node) -> str:
    """Return the type of the integers of a QuantizeLinear node: that of its zero point."""
    kind = graph.type_of(_zero_point_of(node))
    return kind.dtype if kind is not None else "uint8"


def _symmetric(graph: Graph, node: Node) -> BrokenRule | None:
    point = node.attributes.get(_ZERO_POINT)
    if node.operator != _QUANTIZE or point is None:
        return None
    dtype = _type_of(graph, node)
    if point == _MIDDLES.get(dtype, point):
        return None
    return BrokenRule(
        f"Its zero point is {point} in {dtype}, and AMD's NPU takes symmetric ranges.",
        _SYMMETRIC,
        _PRESET,
    )


def _quantization(graph: Graph) -> str:
    """Return the table of a model: that for 16 bits where any activation has them."""
    made = [_type_of(graph, node) for node in graph.nodes if node.operator == _QUANTIZE]
    return "A16W8" if _WIDE.intersection(made) else "A8W8"
