"""Gradients of layers: convolutions, matrix products, normalisation and pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy
from onnx import NodeProto

from studio_onnx.gradient.tape import Grads, Rule, Size, Tape, attribute, product, refused


@dataclass(frozen=True, slots=True)
class Window:
    """The places that one result of a convolution or a pooling reads.

    Attributes:
        pads: Before each axis, then after each.
    """

    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    pads: list[int]

    @classmethod
    def of(cls, tape: Tape, node: NodeProto, weights: Sequence[Size] | None) -> Window:
        """Read the window of a node.

        Raises:
            UsageError: where its sizes are not known.
        """
        kernel = [one for one in (weights or ())[2:] if isinstance(one, int)]
        kernel = list(attribute(node, "kernel_shape", kernel))
        if not kernel:
            raise refused(node, "the size of its kernel is not known")
        ones, axes = [1] * len(kernel), len(kernel)
        found = cls(
            kernel,
            list(attribute(node, "strides", ones)),
            list(attribute(node, "dilations", ones)),
            list(attribute(node, "pads", [0] * 2 * axes)),
        )
        mode = attribute(node, "auto_pad", "NOTSET")
        if mode not in ("SAME_UPPER", "SAME_LOWER"):
            return found
        sizes = [one for one in (tape.shape(node.input[0]) or ())[2:] if isinstance(one, int)]
        if len(sizes) != axes:
            raise refused(node, "its padding depends on open sizes")
        return replace(found, pads=found._same(sizes, mode))

    def _same(self, sizes: Sequence[int], mode: str) -> list[int]:
        """Return the pads with which a stride of 1 keeps the size."""
        begins, ends = [], []
        rows = zip(sizes, self.kernel, self.strides, self.dilations, strict=True)
        for size, kernel, stride, dilation in rows:
            total = max(0, (-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size)
            half = total // 2
            begins.append(half if mode == "SAME_UPPER" else total - half)
            ends.append(total - begins[-1])
        return [*begins, *ends]

    def convolved(self, tape: Tape, value: str, weights: str) -> str:
        """Return a convolution with this window."""
        return tape.add(
            "Conv",
            value,
            weights,
            kernel_shape=self.kernel,
            strides=self.strides,
            dilations=self.dilations,
            pads=self.pads,
        )

    def spread(self, tape: Tape, g: str, weights: str, x: str, group: int) -> str:
        """Return a gradient spread by the transposed convolution, in the spatial size of ``x``.

        A stride leaves open how many places at the end were not read; the largest number is made,
        and the result is cut.
        """
        extra = [stride - 1 for stride in self.strides]
        found = tape.add(
            "ConvTranspose",
            g,
            weights,
            group=group,
            output_padding=extra,
            kernel_shape=self.kernel,
            strides=self.strides,
            dilations=self.dilations,
            pads=self.pads,
        )
        if not any(extra):
            return found
        axes = tape.numbers(*range(2, 2 + len(extra)))
        sizes = tape.add("Shape", x, start=2)
        return tape.add("Slice", found, tape.numbers(*[0] * len(extra)), sizes, axes)


def _convolution(tape: Tape, node: NodeProto, g: str) -> Grads:
    x, weights = node.input[:2]
    _only_first(tape, node, "its weights depend on the input")
    window = Window.of(tape, node, tape.shape(weights))
    return {0: window.spread(tape, g, weights, x, attribute(node, "group", 1))}


def _transposed(tape: Tape, node: NodeProto, g: str) -> Grads:
    _only_first(tape, node, "its weights depend on the input")
    sizes = attribute(node, "output_shape", None)
    if attribute(node, "auto_pad", "NOTSET") != "NOTSET" or sizes is not None:
        raise refused(node, "its padding is not written out")
    found = tape.add("Conv", g, node.input[1])
    kept = [one for one in node.attribute if one.name not in ("auto_pad", "output_padding")]
    tape.nodes[-1].attribute.extend(kept)
    return {0: found}


def _only_first(tape: Tape, node: NodeProto, why: str) -> None:
    if any(tape.is_active(name) for name in node.input[1:]):
        raise refused(node, why)


def _matmul(tape: Tape, node: NodeProto, g: str) -> Grads:
    a, b = node.input
    ranks = (tape.rank(a, node), tape.rank(b, node))
    if min(ranks) < 2:
        raise refused(node, "an operand has one axis")
    found = {}
    if tape.is_active(a):
        gradient = tape.add("MatMul", g, _turned(tape, b, ranks[1]))
        found[0] = _of_batch(tape, gradient, a, node)
    if tape.is_active(b):
        gradient = tape.add("MatMul", _turned(tape, a, ranks[0]), g)
        found[1] = _of_batch(tape, gradient, b, node)
    return found


def _turned(tape: Tape, name: str, rank: int) -> str:
    order = [*range(rank - 2), rank - 1, rank - 2]
    return tape.add("Transpose", name, perm=order)


def _of_batch(tape: Tape, gradient: str, operand: str, node: NodeProto) -> str:
    """Return the gradient summed over the axes along which an operand was repeated."""
    small, large = tape.shape(operand) or (), tape.shape(node.output[0])
    if large is None:
        raise refused(node, "the sizes of its values are not known")
    extra = len(large) - len(small)
    axes = [*range(extra)]
    leading = enumerate(small[:-2])
    axes += [extra + k for k, one in leading if one == 1 and large[extra + k] != 1]
    if axes:
        gradient = tape.add("ReduceSum", gradient, tape.numbers(*axes), keepdims=1)
    return tape.reshaped(gradient, operand)


def _gemm(tape: Tape, node: NodeProto, g: str) -> Grads:
    a, b = node.input[:2]
    alpha, beta = attribute(node, "alpha", 1.0), attribute(node, "beta", 1.0)
    turned_a, turned_b = attribute(node, "transA", 0), attribute(node, "transB", 0)
    found = {}
    if tape.is_active(a):
        left, right, flags = (b, g, (turned_b, 1)) if turned_a else (g, b, (0, 1 - turned_b))
        found[0] = tape.add("Gemm", left, right, alpha=alpha, transA=flags[0], transB=flags[1])
    if tape.is_active(b):
        left, right, flags = (g, a, (1, turned_a)) if turned_b else (a, g, (1 - turned_a, 0))
        found[1] = tape.add("Gemm", left, right, alpha=alpha, transA=flags[0], transB=flags[1])
    if len(node.input) > 2 and tape.is_active(node.input[2]):
        scaled = tape.add("Mul", g, tape.scalar(beta, g))
        found[2] = tape.unbroadcast(scaled, node.input[2], node.output[0], node)
    return found


def _batch_norm(tape: Tape, node: NodeProto, g: str) -> Grads:
    x, scale, _, _, variance = node.input
    if attribute(node, "training_mode", 0):
        raise refused(node, "it is in training mode")
    epsilon = tape.scalar(attribute(node, "epsilon", 1e-5), x)
    slope = tape.add("Div", scale, tape.add("Sqrt", tape.add("Add", variance, epsilon)))
    sizes = tape.numbers(1, -1, *[1] * (tape.rank(x, node) - 2))
    return {0: tape.add("Mul", g, tape.add("Reshape", slope, sizes))}


def _layer_norm(tape: Tape, node: NodeProto, g: str) -> Grads:
    x, scale = node.input[:2]
    _only_first(tape, node, "its scale depends on the input")
    rank = tape.rank(x, node)
    first = attribute(node, "axis", -1) % rank
    axes = tape.numbers(*range(first, rank))
    epsilon = tape.scalar(attribute(node, "epsilon", 1e-5), x)
    centred = tape.add("Sub", x, tape.add("ReduceMean", x, axes))
    variance = tape.add("ReduceMean", tape.add("Mul", centred, centred), axes)
    spread = tape.add("Sqrt", tape.add("Add", variance, epsilon))
    unit, scaled = tape.add("Div", centred, spread), tape.add("Mul", g, scale)
    mean = tape.add("ReduceMean", scaled, axes)
    along = tape.add("Mul", unit, tape.add("ReduceMean", tape.add("Mul", scaled, unit), axes))
    rest = tape.add("Sub", tape.add("Sub", scaled, mean), along)
    return {0: tape.add("Div", rest, spread)}


def _max_pool(tape: Tape, node: NodeProto, g: str) -> Grads:
    x = node.input[0]
    if attribute(node, "storage_order", 0):
        raise refused(node, "it stores columns first")
    if len(node.output) < 2:
        node.output.append(f"{g}.places")
    places = node.output[1] or f"{g}.places"
    node.output[1] = places
    empty = tape.zeros(x, tape.add("Reshape", tape.add("Size", x), tape.numbers(1)))
    found = tape.add(
        "ScatterElements", empty, tape.flat(places), tape.flat(g), axis=0, reduction="add"
    )
    return {0: tape.reshaped(found, x)}


def _average_pool(tape: Tape, node: NodeProto, g: str) -> Grads:
    x = node.input[0]
    if attribute(node, "ceil_mode", 0):
        raise refused(node, "it rounds its size up")
    window = Window.of(tape, node, None)
    channels = (tape.shape(x) or (None, None))[1]
    if not isinstance(channels, int):
        raise refused(node, "its number of channels is open")
    ones = numpy.ones((1, 1, *window.kernel), numpy.float32)
    if attribute(node, "count_include_pad", 0):
        counts = tape.scalar(product(window.kernel), x)
    else:
        sizes = tape.add("Concat", tape.numbers(1, 1), tape.add("Shape", x, start=2), axis=0)
        whole = tape.add("Expand", tape.scalar(1, x), sizes)
        counts = window.convolved(tape, whole, tape.cast(tape.constant(ones), x))
    each = tape.cast(tape.constant(numpy.repeat(ones, channels, axis=0)), x)
    return {0: window.spread(tape, tape.add("Div", g, counts), each, x, channels)}


def _global_average(tape: Tape, node: NodeProto, g: str) -> Grads:
    return {0: shared(tape, g, node.input[0], node.output[0])}


def shared(tape: Tape, g: str, x: str, y: str) -> str:
    """Return the gradient of a mean: an equal share for each place of ``x``."""
    sizes = (tape.cast(tape.add("Size", one), x) for one in (y, x))
    return tape.expanded(tape.add("Mul", g, tape.add("Div", *sizes)), x)


def _global_max(tape: Tape, node: NodeProto, g: str) -> Grads:
    axes = tape.numbers(*range(2, tape.rank(node.input[0], node)))
    return {0: at_largest(tape, g, node.input[0], node.output[0], axes)}


def at_largest(tape: Tape, g: str, x: str, y: str, axes: str) -> str:
    """Return the gradient of an extreme value: equal ones share it."""
    is_largest = tape.cast(tape.add("Equal", x, y), x)
    count = tape.add("ReduceSum", is_largest, axes, keepdims=1)
    return tape.add("Mul", tape.add("Div", is_largest, count), g)


RULES: Mapping[str, Rule] = {
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average,
    "GlobalMaxPool": _global_max,
    "LayerNormalization": _layer_norm,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
}
