"""Sizes behind an input whose open sizes were fixed, where they follow without running anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from studio.api import Dimension, Graph, InvalidData, Node, TensorType, Value

Shape = tuple[Dimension, ...]
Rule = Callable[[Node, Sequence[Shape], Shape], Sequence[Dimension]]
"""From a node, its inputs' shapes and the written one to sizes for the axes that are open."""


def resize(graph: Graph, shapes: Mapping[str, Sequence[int]]) -> Graph:
    """Return the graph with sizes for its inputs, and for what follows from them.

    Sizes stay open behind operators that no rule here knows.

    Raises:
        InvalidData: when a shape is given for an input that is not there or has another rank.
    """
    types = dict(graph.values)
    for name, sizes in shapes.items():
        types[name] = _sized_type(graph, name, sizes)
    constants = {name: one.type for name, one in graph.initializers.items()}
    for node in graph.nodes:
        for name in node.outputs:
            kind = types.get(name)
            if kind is not None and kind.shape is not None and not _is_fixed(kind.shape):
                found = [constants.get(one) or types.get(one) for one in node.inputs]
                types[name] = TensorType(kind.dtype, _filled(node, found, kind.shape))
    return replace(
        graph,
        inputs=tuple(Value(value.name, types.get(value.name)) for value in graph.inputs),
        outputs=tuple(Value(v.name, types.get(v.name, v.type)) for v in graph.outputs),
        values=types,
    )


def _sized_type(graph: Graph, name: str, sizes: Sequence[int]) -> TensorType:
    known = {value.name: value.type for value in graph.inputs}
    if name not in known:
        names = ", ".join(known)
        raise InvalidData(f"The model has no input {name!r}.", hint=f"Its inputs: {names}.")
    kind = known[name]
    rank = len(kind.shape) if kind and kind.shape is not None else len(sizes)
    if rank != len(sizes):
        raise InvalidData(f"Input {name!r} has {rank} axes, but {len(sizes)} sizes were given.")
    return TensorType(kind.dtype if kind else "unknown", tuple(sizes))


def _is_fixed(shape: Shape) -> bool:
    return all(isinstance(size, int) for size in shape)


def _filled(node: Node, inputs: Sequence[TensorType | None], written: Shape) -> Shape:
    """Fill dynamic sizes of the written shape where a rule finds one."""
    shapes = [kind.shape for kind in inputs if kind is not None and kind.shape is not None]
    rule = _RULES.get(node.operator)
    if rule is None or not shapes or len(shapes) < len(inputs):
        return written
    found = rule(node, shapes, written)
    if len(found) != len(written):
        return written
    return tuple(
        size if isinstance(size, int) else new for size, new in zip(written, found, strict=True)
    )


def _broadcast(node: Node, inputs: Sequence[Shape], written: Shape) -> Sequence[Dimension]:
    """Broadcast as numpy does: axes from the right, and 1 fits everything."""
    return [_common([one[-axis] for one in inputs if len(one) >= axis]) for axis in _axes(written)]


def _axes(shape: Shape) -> range:
    """Return the axes of a shape from the left, each by its distance from the end."""
    return range(len(shape), 0, -1)


def _common(sizes: Sequence[Dimension]) -> Dimension:
    """Return the common size; a dynamic size must fit a known one, unless that is 1."""
    known = [size for size in sizes if isinstance(size, int)]
    largest = max(known, default=None)
    return largest if len(known) == len(sizes) or (largest or 0) > 1 else None


def _conserved(node: Node, inputs: Sequence[Shape], written: Shape) -> Sequence[Dimension]:
    """Infer one dynamic size from the number of elements, which stays the same."""
    known = [size for size in written if isinstance(size, int)]
    if len(known) != len(written) - 1 or not _is_fixed(inputs[0]) or 0 in known:
        return written
    missing = math.prod(cast("tuple[int, ...]", inputs[0])) // math.prod(known)
    return [size if isinstance(size, int) else missing for size in written]


def _product(node: Node, inputs: Sequence[Shape], written: Shape) -> Sequence[Dimension]:
    left, right = inputs[0], inputs[1]
    if min(len(left), len(right)) < 2:
        return written
    rows = left[-1] if node.attributes.get("transpose_a") == "true" else left[-2]
    columns = right[-2] if node.attributes.get("transpose_b") == "true" else right[-1]
    batch = _broadcast(node, [left[:-2], right[:-2]], written[:-2])
    return [*batch, rows, columns]


def _joined(node: Node, inputs: Sequence[Shape], written: Shape) -> Sequence[Dimension]:
    axis = node.attributes.get("axis")
    if not isinstance(axis, int) or any(len(one) != len(written) for one in inputs):
        return written
    found: list[Dimension] = [_common([one[k] for one in inputs]) for k in range(len(written))]
    along = [one[axis] for one in inputs]
    known = all(isinstance(size, int) for size in along)
    found[axis] = sum(cast("list[int]", along)) if known else None
    return found


def _slid(node: Node, inputs: Sequence[Shape], written: Shape) -> Sequence[Dimension]:
    """Return sizes after a window over the last axes; batch stays."""
    floors = node.attributes.get("rounding_type", "floor") == "floor"
    axes = _windows(node, inputs) if floors else ()
    sizes = [
        (size + begin + end - (kernel - 1) * dilation - 1) // max(stride, 1) + 1
        for size, kernel, stride, begin, end, dilation in axes
    ]
    return [inputs[0][0], *written[1:2], *(sizes or written[2:])]


def _slid_back(node: Node, inputs: Sequence[Shape], written: Shape) -> Sequence[Dimension]:
    """Return the input sizes of such a window; batch stays."""
    axes = _windows(node, inputs) if len(inputs) == 2 else ()  # a third one gives the sizes
    extra = _list(node, "output_padding") or (0,) * len(axes)
    sizes = [
        (size - 1) * stride - begin - end + (kernel - 1) * dilation + 1 + more
        for (size, kernel, stride, begin, end, dilation), more in zip(axes, extra, strict=False)
    ]
    return [inputs[0][0], *written[1:2], *(sizes or written[2:])]


def _windows(node: Node, inputs: Sequence[Shape]) -> Sequence[tuple[int, ...]]:
    """Return size, kernel, stride, padding and dilation of each axis, or none if unknown."""
    strides, begin, end = (_list(node, key) for key in ("strides", "pads_begin", "pads_end"))
    kernel: Shape = _list(node, "kernel") or (inputs[1][-len(strides) :] if inputs[1:] else ())
    dilations = _list(node, "dilations") or (1,) * len(kernel)
    parts = (inputs[0][2:], kernel, strides, begin, end, dilations)
    explicit = node.attributes.get("auto_pad", "explicit") == "explicit"
    if not explicit or len({*map(len, parts)}) > 1 or not all(map(_is_fixed, parts)):
        return ()
    return cast("Sequence[tuple[int, ...]]", tuple(zip(*parts, strict=True)))


def _list(node: Node, key: str) -> tuple[int, ...]:
    value = node.attributes.get(key)
    found = value if isinstance(value, tuple) else (value,)
    return cast("tuple[int, ...]", found) if all(isinstance(one, int) for one in found) else ()


def _batch(node: Node, inputs: Sequence[Shape], written: Shape) -> Sequence[Dimension]:
    """Return the first axis of the first input."""
    return [inputs[0][0] if inputs[0] else None, *written[1:]]


def _reduced(node: Node, inputs: Sequence[Shape], written: Shape) -> Sequence[Dimension]:
    """Return the input's shape if reduced axes are kept, else the written shape."""
    return inputs[0] if node.attributes.get("keep_dims") == "true" else written


def _alike(node: Node, inputs: Sequence[Shape], written: Shape) -> Sequence[Dimension]:
    """Return the shape of the first input."""
    return inputs[0]


_OPERATORS: dict[Rule, str] = {
    _broadcast: (
        "Add Subtract Multiply Divide Power Maximum Minimum SquaredDifference Mod FloorMod Equal "
        "NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr LogicalXor Select "
        "PReLU FakeQuantize"
    ),
    _alike: (
        "ReLU Sigmoid Tanh HSwish HSigmoid HardSigmoid Swish Mish Gelu Elu Selu SoftPlus SoftSign "
        "Clamp SoftMax LogSoftmax Exp Log Abs Negative Sqrt Erf Floor Ceiling Round Sign Convert "
        "LRN BatchNormInference NormalizeL2 MVN LogicalNot"
    ),
    _conserved: "Reshape Transpose Squeeze Unsqueeze ShuffleChannels DepthToSpace SpaceToDepth",
    _slid: "Convolution GroupConvolution MaxPool AvgPool",
    _slid_back: "ConvolutionBackpropData GroupConvolutionBackpropData",
    _batch: "Interpolate",
    _reduced: "ReduceMean ReduceMax ReduceMin ReduceSum ReduceProd ReduceL1 ReduceL2",
    _product: "MatMul",
    _joined: "Concat",
}
_RULES = {name: rule for rule, names in _OPERATORS.items() for name in names.split()}
