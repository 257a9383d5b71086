"""Rows of a node's box: its constants with their shapes, and its kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from studio.api import AttributeValue, Graph, Node, TensorType
from studio.models.labels.dimensions import short_shape
from studio.models.walk import BLOCK_DOMAIN

HEADER_HEIGHT = 44.0
"""Of a box's title and the line below it; rows stand below that."""

ROW_HEIGHT, ROWS_INSET = 16.0, 5.0
"""Of each row, and above the first and below the last one."""

MOST_ROWS = 5
"""Rows of one box; the last one then counts the others."""

_INPUTS: dict[str, str] = {
    "Conv": "X W B",
    "ConvTranspose": "X W B",
    "ConvInteger": "X W",
    "QLinearConv": "X Xs Xz W Ws Wz Ys Yz B",
    "FusedConv": "X W B Z",
    "Gemm": "A B C",
    "MatMul": "A B",
    "MatMulInteger": "A B",
    "MatMulNBits": "A B scales zeros",
    "QLinearMatMul": "A As Az B Bs Bz Ys Yz",
    "BatchNormalization": "X scale B mean var",
    "InstanceNormalization": "X scale B",
    "LayerNormalization": "X scale B",
    "GroupNormalization": "X scale B",
    "RMSNormalization": "X scale",
    "PRelu": "X slope",
    "LSTM": "X W R B",
    "GRU": "X W R B",
    "RNN": "X W R B",
    "Gather": "data indices",
    "QuantizeLinear": "x scale zero",
    "DequantizeLinear": "x scale zero",
    "Attention": "X W B",
    "Convolution": "X W",
    "GroupConvolution": "X W",
    "CONV_2D": "X W B",
    "DEPTHWISE_CONV_2D": "X W B",
    "FULLY_CONNECTED": "X W B",
}
"""Short names of inputs in their order; those of other operators are A, B, C."""

_NAMES = {operator: tuple(names.split()) for operator, names in _INPUTS.items()}
_LETTERS = ("A", "B", "C", "D", "E", "F")

_WHOLE_NUMBERS = frozenset(("int64", "bool", "string"))
"""Constants of these types are shapes, axes and indices, not weights."""


class NodeRow(NamedTuple):
    """A row: what it is about, and its value."""

    title: str
    text: str


def height_of(rows: int) -> float:
    """Return the height of a box with that number of rows."""
    return HEADER_HEIGHT + rows * ROW_HEIGHT + 2 * ROWS_INSET if rows else HEADER_HEIGHT


def node_rows(graph: Graph, node: Node) -> tuple[NodeRow, ...]:
    """Return the rows of a node: weights first, then its kernel; none for most operators.

    Scalars, shapes and axes are left out. The rows depend on constants and attributes alone, so
    they are the same before and after the types of the values are known.
    """
    if node.domain == BLOCK_DOMAIN:
        return ()
    rows: list[NodeRow] = []
    constants = graph.initializers
    for place, name in enumerate(node.inputs):
        constant = constants.get(name)
        if constant is not None and _is_weight(constant.type):
            rows.append(NodeRow(_input(node.operator, place), _constant_text(constant.type)))
    if node.attributes:
        rows += _kernel_rows(node)
    if len(rows) > MOST_ROWS:
        rest = len(rows) - MOST_ROWS + 1
        rows[MOST_ROWS - 1 :] = [NodeRow("…", f"{rest} more")]
    return tuple(rows)


def _is_weight(kind: TensorType) -> bool:
    return bool(kind.shape) and kind.dtype not in _WHOLE_NUMBERS


def _constant_text(kind: TensorType) -> str:
    shape = short_shape(kind.shape)
    return shape if kind.dtype == "float32" else f"{shape} {kind.dtype}"


def _input(operator: str, place: int) -> str:
    names = _NAMES.get(operator, _LETTERS)
    return names[place] if place < len(names) else f"{place + 1}"


def _kernel_rows(node: Node) -> Iterator[NodeRow]:
    """Yield the window of a convolution or pooling, and what differs from the default."""
    attributes = node.attributes
    window, steps = map(attributes.get, ("kernel_shape", "strides"))
    kernel, strides = _edges(window), _even(steps)
    step = f"stride {strides}" if strides not in ("", "1") else ""
    if kernel:
        yield NodeRow("kernel", f"{kernel}, {step}" if step else kernel)
    elif step:
        yield NodeRow("stride", strides)
    for name, usual in (("pads", "0"), ("dilations", "1"), ("group", "1")):
        text = _even(attributes.get(name))
        if text not in ("", usual):
            yield NodeRow(name, text)


def _edges(value: AttributeValue | None) -> str:
    return "×".join(map(str, value)) if isinstance(value, tuple) else ""


def _even(value: AttributeValue | None) -> str:
    """Return several numbers as a text: one where all are equal."""
    if isinstance(value, tuple):
        return str(value[0]) if len(set(value)) == 1 else ", ".join(map(str, value))
    return "" if value is None else str(value)
