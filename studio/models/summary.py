"""Figures of a model: size, work, memory, operators, precision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from studio.api import Graph, Initializer, Model, Value
from studio.models.macs import macs
from studio.models.memory import activation_peak, elements
from studio.models.results import ModelSummary, Terminal
from studio.models.walk import all_graphs, all_nodes

_NO_WEIGHTS = frozenset({"int64", "bool", "string"})
"""Constants of these types are shapes, axes and masks."""

_LICENCES = ("license", "licence", "spdx", "license_name")
"""Keys of the metadata by which exporters name the licence."""

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
_QUANTIZED = frozenset({"int16", "int8", "int4"})
_INTEGER_OPERATORS = frozenset({
    "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "QGemm", "MatMulNBits",
    "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "DynamicQuantizeMatMul",
})  # fmt: skip


def summary(model: Model, sized: Model, assumed: Mapping[str, tuple[int, ...]]) -> ModelSummary:
    """Return the figures of a model.

    Args:
        sized: The same model with its open sizes fixed; MACs and memory are computed on it.
        assumed: The shapes that were fixed by assumption, by input.
    """
    graph = model.graph
    weights = _weights(model)
    work, unknown = _work(sized.graph)
    return ModelSummary(
        format=model.format,
        nodes=len(graph.nodes),
        parameters=sum(elements(weight.type) or 0 for weight in weights),
        macs=sum(work.values()),
        macs_by_operator=dict(work.most_common()),
        macs_unknown=unknown,
        assumed_shapes=assumed,
        weight_bytes=sum(weight.nbytes for weight in weights),
        activation_bytes=activation_peak(sized.graph),
        operators=dict(
            Counter(_qualified(n.domain, n.operator) for n in all_nodes(graph)).most_common()
        ),
        opset=model.opsets,
        ir_version=model.ir_version,
        producer=model.producer,
        licence=_licence(model.metadata),
        precision=precision(model),
        quantized=(
            any(n.operator in _INTEGER_OPERATORS for n in all_nodes(graph))
            or precision(model) in _QUANTIZED
        ),
        functions=len(model.functions),
        inputs=tuple(map(_terminal, graph.inputs)),
        outputs=tuple(map(_terminal, graph.outputs)),
    )


def _licence(metadata: Mapping[str, str]) -> str:
    """Return the model's own licence, or "" without one."""
    known = {key.lower(): value for key, value in metadata.items()}
    return next((known[name].strip() for name in _LICENCES if known.get(name)), "")


def precision(model: Model) -> str:
    """Return the element type of most weights: ``fp32``, ``fp16``, ``int8`` ..."""
    counts: Counter[str] = Counter()
    for weight in _weights(model):
        name = _PRECISIONS.get(weight.type.dtype)
        if name is not None:
            counts[name] += elements(weight.type) or 0
    if not counts:
        first = model.graph.inputs[0].type if model.graph.inputs else None
        return _PRECISIONS.get(first.dtype, "fp32") if first else "fp32"
    common = counts.most_common(1)[0][0]
    if common in _QUANTIZED or "int8" not in counts:
        return common
    # A few large tables can stay in float while every matrix product is done in integers.
    quantized = any(n.operator in _INTEGER_OPERATORS for n in all_nodes(model.graph))
    share = counts["int8"] / sum(counts.values())
    return "int8" if quantized and share > 0.25 else common


def _weights(model: Model) -> list[Initializer]:
    graphs = [*all_graphs(model.graph), *model.functions.values()]
    return [
        constant
        for graph in graphs
        for constant in graph.initializers.values()
        if constant.type.dtype not in _NO_WEIGHTS
    ]


def _work(graph: Graph) -> tuple[Counter[str], int]:
    """Return MACs by operator, and the number of nodes with unknown MACs."""
    work: Counter[str] = Counter()
    unknown = 0
    for node in graph.nodes:
        count = macs(node, graph)
        if count is None:
            unknown += 1
        elif count:
            work[node.operator] += count
    return work, unknown


def _qualified(domain: str, operator: str) -> str:
    return f"{domain}.{operator}" if domain else operator


def _terminal(value: Value) -> Terminal:
    kind = value.type
    return Terminal(value.name, kind.dtype if kind else "unknown", kind.shape if kind else None)
