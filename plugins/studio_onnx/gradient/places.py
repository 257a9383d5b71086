"""Gradients of operators that move, cut, join or summarise places."""

from __future__ import annotations

from collections.abc import Mapping

from onnx import NodeProto

from studio_onnx.gradient.layers import at_largest, shared
from studio_onnx.gradient.tape import Grads, Rule, Tape, attribute, refused


def _shaped(tape: Tape, node: NodeProto, g: str) -> Grads:
    return {0: tape.reshaped(g, node.input[0])}


def _transpose(tape: Tape, node: NodeProto, g: str) -> Grads:
    rank = tape.rank(node.input[0], node)
    order = attribute(node, "perm", list(range(rank))[::-1])
    back = sorted(range(rank), key=lambda axis: order[axis])
    return {0: tape.add("Transpose", g, perm=back)}


def _concat(tape: Tape, node: NodeProto, g: str) -> Grads:
    """Cut the gradient where the operands were joined."""
    rank = tape.rank(node.output[0], node)
    axis = attribute(node, "axis", 0) % rank
    found, start = {}, tape.numbers(0)
    for number, operand in enumerate(node.input):
        end = tape.add("Add", start, tape.add("Shape", operand, start=axis, end=axis + 1))
        if tape.is_active(operand):
            found[number] = tape.add("Slice", g, start, end, tape.numbers(axis))
        start = end
    return found


def _moved(tape: Tape, node: NodeProto, g: str) -> Grads:
    """Run the operator on the numbers of the places, and add each gradient where it came from."""
    x, *others = node.input
    if any(tape.is_active(name) for name in others):
        raise refused(node, "its places depend on the input")
    count = tape.add("Size", x)
    numbers = tape.add("Range", _whole(tape, 0), count, _whole(tape, 1))
    from_ = tape.same(node, tape.reshaped(numbers, x), *others)
    empty = tape.zeros(x, tape.add("Reshape", count, tape.numbers(1)))
    found = tape.add(
        "ScatterElements", empty, tape.flat(from_), tape.flat(g), axis=0, reduction="add"
    )
    return {0: tape.reshaped(found, x)}


def _whole(tape: Tape, value: int) -> str:
    return tape.add("Squeeze", tape.numbers(value))


def _pad(tape: Tape, node: NodeProto, g: str) -> Grads:
    if attribute(node, "mode", "constant") != "constant":
        return _moved(tape, node, g)
    if len(node.input) > 3 and node.input[3]:
        raise refused(node, "it pads chosen axes")
    return {0: tape.add("Pad", g, tape.add("Neg", node.input[1]))}


def _reduced(tape: Tape, node: NodeProto, value: str) -> str:
    """Return a value with the axes that a reduction has removed, of size 1."""
    axes = node.input[1] if len(node.input) > 1 else ""
    if attribute(node, "keepdims", 1) or not axes:
        return value
    return tape.add("Unsqueeze", value, axes)


def _reduce_mean(tape: Tape, node: NodeProto, g: str) -> Grads:
    return {0: shared(tape, _reduced(tape, node, g), node.input[0], node.output[0])}


def _reduce_sum(tape: Tape, node: NodeProto, g: str) -> Grads:
    return {0: tape.expanded(_reduced(tape, node, g), node.input[0])}


def _reduce_extreme(tape: Tape, node: NodeProto, g: str) -> Grads:
    axes = node.input[1] if len(node.input) > 1 else ""
    if not axes:
        axes = tape.numbers(*range(tape.rank(node.input[0], node)))
    y = _reduced(tape, node, node.output[0])
    return {0: at_largest(tape, _reduced(tape, node, g), node.input[0], y, axes)}


RULES: Mapping[str, Rule] = {
    "Concat": _concat,
    "Expand": _moved,
    "Flatten": _shaped,
    "Gather": _moved,
    "Pad": _pad,
    "ReduceMax": _reduce_extreme,
    "ReduceMean": _reduce_mean,
    "ReduceMin": _reduce_extreme,
    "ReduceSum": _reduce_sum,
    "Reshape": _shaped,
    "Slice": _moved,
    "Squeeze": _shaped,
    "Tile": _moved,
    "Transpose": _transpose,
    "Unsqueeze": _shaped,
}
