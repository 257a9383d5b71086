"""Precisions of stored weights, also of those that a file packs into bytes.

``MatMulNBits`` and ``GatherBlockQuantized`` (contrib operators of ONNX Runtime) keep integers of a
few bits in bytes, with scales and zero points next to them. GGUF keeps blocks that hold both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from studio.api import Graph, Initializer, Model, Node
from studio.lazy_dataclass import dataclass
from studio.models.memory import elements
from studio.models.walk import all_graphs, all_nodes

_NO_WEIGHTS = frozenset({"int64", "bool", "string"})
"""Constants of these types are shapes, axes and masks."""

_PRECISIONS = {
    "float64": "fp64",
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    "int16": "int16",
    "uint16": "int16",
    "int8": "int8",
    "uint8": "int8",
    "int4": "int4",
    "uint4": "int4",
}
_BLOCKS = ("q", "iq", "tq", "mxfp", "nvfp")
"""How the names of types begin that store scales with their integers."""

_QUANTIZED = frozenset({"int16", "int8", "int4", "int2"})
_INTEGER_OPERATORS = frozenset({
    "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "QGemm", "MatMulNBits",
    "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "DynamicQuantizeMatMul",
    "GatherBlockQuantized",
})  # fmt: skip
_BESIDE = (".scales", ".qzeros", ".g_idx")
"""How GPTQ and AWQ name what belongs to packed weights in safetensors."""

_FEW_BITS = frozenset(range(1, 9))


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """A constant of weights.

    Attributes:
        precision: ``fp32``, ``int4``, ``q4_k`` ...; empty for scales, zero points and other types.
        parameters: Weights in it; 0 for scales and zero points.
    """

    name: str
    precision: str
    parameters: int
    nbytes: int


def stored_weights(model: Model) -> tuple[StoredWeights, ...]:
    """Return the weights of all graphs of a model."""
    graphs = [*all_graphs(model.graph), *model.functions.values()]
    packed = {name: one for graph in graphs for name, one in _packed(graph)}
    return tuple(
        packed.get(constant.name) or _plain(constant)
        for graph in graphs
        for constant in graph.initializers.values()
        if constant.type.dtype not in _NO_WEIGHTS
    )


def shares(weights: tuple[StoredWeights, ...]) -> Mapping[str, int]:
    """Return the number of weights of each precision, the most frequent first."""
    counts: Counter[str] = Counter()
    for one in weights:
        if one.precision:
            counts[one.precision] += one.parameters
    return dict(counts.most_common())


def precision(model: Model, weights: tuple[StoredWeights, ...] | None = None) -> str:
    """Return the element type of most weights: ``fp32``, ``fp16``, ``int8``, ``q4_1`` ..."""
    counts = shares(stored_weights(model) if weights is None else weights)
    if not counts:
        first = model.graph.inputs[0].type if model.graph.inputs else None
        return _PRECISIONS.get(first.dtype, "fp32") if first else "fp32"
    common = next(iter(counts))
    if _is_quantized(common) or "int8" not in counts:
        return common
    # A few large tables can stay in float while every matrix product is done in integers.
    share = counts["int8"] / sum(counts.values())
    return "int8" if _has_integers(model) and share > 0.25 else common


def is_quantized(model: Model, of: str) -> bool:
    """Return whether a model of a precision has quantized weights or integer operators."""
    return _is_quantized(of) or _has_integers(model)


def _is_quantized(name: str) -> bool:
    return name in _QUANTIZED or name.startswith(_BLOCKS)


def _has_integers(model: Model) -> bool:
    return any(node.operator in _INTEGER_OPERATORS for node in all_nodes(model.graph))


def _plain(constant: Initializer) -> StoredWeights:
    if constant.name.endswith(_BESIDE):
        return StoredWeights(constant.name, "", 0, constant.nbytes)
    dtype = constant.type.dtype
    name = dtype if dtype.startswith(_BLOCKS) else _PRECISIONS.get(dtype, "")
    return StoredWeights(constant.name, name, elements(constant.type) or 0, constant.nbytes)


def _packed(graph: Graph) -> Iterator[tuple[str, StoredWeights]]:
    """Yield the packed weights of a graph, and what belongs to them, by name."""
    for node in all_nodes(graph):
        places = _PLACES.get(node.operator)
        if places is None or len(node.inputs) <= places[0]:
            continue
        data, *rest = places
        constant = graph.initializers.get(node.inputs[data])
        bits = node.attributes.get("bits", 4)
        if constant is not None and isinstance(bits, int) and bits in _FEW_BITS:
            count = _count(node, constant, bits)
            yield (
                constant.name,
                StoredWeights(constant.name, f"int{bits}", count, constant.nbytes),
            )
        for place in rest:
            name = node.inputs[place] if place < len(node.inputs) else ""
            if (beside := graph.initializers.get(name)) is not None:
                yield name, StoredWeights(name, "", 0, beside.nbytes)


_PLACES = {"MatMulNBits": (1, 2, 3), "GatherBlockQuantized": (0, 2, 3)}
"""Inputs of operators with packed weights: the weights, their scales, their zero points."""


def _count(node: Node, constant: Initializer, bits: int) -> int:
    rows, columns = node.attributes.get("N"), node.attributes.get("K")
    if isinstance(rows, int) and isinstance(columns, int) and rows > 0 and columns > 0:
        return rows * columns
    stored = elements(constant.type) or 0
    return stored * 8 // bits if constant.type.dtype in ("uint8", "int8") else stored
