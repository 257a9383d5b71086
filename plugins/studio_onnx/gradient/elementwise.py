"""Gradients of operators that work on each number: sums, products and activations."""

from __future__ import annotations

import math
from collections.abc import Mapping

from onnx import NodeProto

from studio_onnx.gradient.tape import Grads, Rule, Tape, attribute, refused


def _both(tape: Tape, node: NodeProto, first: str, second: str) -> Grads:
    """Return the gradients of two operands, each in its own shape."""
    found = {}
    for number, gradient in enumerate((first, second)):
        operand = node.input[number]
        if tape.is_active(operand):
            found[number] = tape.unbroadcast(gradient, operand, node.output[0], node)
    return found


def _add(tape: Tape, node: NodeProto, g: str) -> Grads:
    return _both(tape, node, g, g)


def _sub(tape: Tape, node: NodeProto, g: str) -> Grads:
    return _both(tape, node, g, tape.add("Neg", g) if tape.is_active(node.input[1]) else g)


def _mul(tape: Tape, node: NodeProto, g: str) -> Grads:
    a, b = node.input
    return _both(tape, node, tape.add("Mul", g, b), tape.add("Mul", g, a))


def _div(tape: Tape, node: NodeProto, g: str) -> Grads:
    first = tape.add("Div", g, node.input[1])
    second = tape.add("Neg", tape.add("Mul", first, node.output[0]))
    return _both(tape, node, first, second)


def _sum(tape: Tape, node: NodeProto, g: str) -> Grads:
    return {
        number: tape.unbroadcast(g, operand, node.output[0], node)
        for number, operand in enumerate(node.input)
        if tape.is_active(operand)
    }


def _pow(tape: Tape, node: NodeProto, g: str) -> Grads:
    base, exponent = node.input
    if tape.is_active(exponent):
        raise refused(node, "its exponent depends on the input")
    exponent = tape.cast(exponent, base)
    lower = tape.add("Sub", exponent, tape.scalar(1, base))
    slope = tape.add("Mul", exponent, tape.add("Pow", base, lower))
    return {0: tape.unbroadcast(tape.add("Mul", g, slope), base, node.output[0], node)}


def _extreme(comparison: str) -> Rule:
    def rule(tape: Tape, node: NodeProto, g: str) -> Grads:
        if len(node.input) != 2:
            raise refused(node, f"it has {len(node.input)} operands")
        is_first = tape.add(comparison, *node.input)
        zero = tape.scalar(0, node.output[0])
        return _both(
            tape, node, tape.add("Where", is_first, g, zero), tape.add("Where", is_first, zero, g)
        )

    return rule


def _where(tape: Tape, node: NodeProto, g: str) -> Grads:
    condition, zero = node.input[0], tape.scalar(0, node.output[0])
    sides = {
        1: tape.add("Where", condition, g, zero),
        2: tape.add("Where", condition, zero, g),
    }
    return {
        number: tape.unbroadcast(gradient, node.input[number], node.output[0], node)
        for number, gradient in sides.items()
        if tape.is_active(node.input[number])
    }


def _same(tape: Tape, node: NodeProto, g: str) -> Grads:
    return {0: g}


def _cast(tape: Tape, node: NodeProto, g: str) -> Grads:
    return {0: tape.cast(g, node.input[0])}


def _neg(tape: Tape, node: NodeProto, g: str) -> Grads:
    return {0: tape.add("Neg", g)}


def _between(tape: Tape, value: str, low: str | None, high: str | None) -> str:
    """Return where a value is inside of bounds."""
    tests = []
    if low is not None:
        tests.append(tape.add("Greater", value, low))
    if high is not None:
        tests.append(tape.add("Less", value, high))
    return tests[0] if len(tests) == 1 else tape.add("And", *tests)


def _masked(tape: Tape, g: str, condition: str, like: str) -> Grads:
    return {0: tape.add("Where", condition, g, tape.scalar(0, like))}


def _relu(tape: Tape, node: NodeProto, g: str) -> Grads:
    x = node.input[0]
    return _masked(tape, g, _between(tape, x, tape.scalar(0, x), None), x)


def _clip(tape: Tape, node: NodeProto, g: str) -> Grads:
    x, *given = node.input
    low, high = (one or None for one in [*given, "", ""][:2])
    if low is None and high is None:
        return {0: g}
    return _masked(tape, g, _between(tape, x, low, high), x)


def _leaky(tape: Tape, node: NodeProto, g: str) -> Grads:
    x = node.input[0]
    slope = tape.scalar(attribute(node, "alpha", 0.01), x)
    is_positive = tape.add("Greater", x, tape.scalar(0, x))
    return {0: tape.add("Where", is_positive, g, tape.add("Mul", g, slope))}


def _prelu(tape: Tape, node: NodeProto, g: str) -> Grads:
    x, slope = node.input
    if tape.is_active(slope):
        raise refused(node, "its slope depends on the input")
    is_positive = tape.add("Greater", x, tape.scalar(0, x))
    return {0: tape.add("Where", is_positive, g, tape.add("Mul", g, slope))}


def _elu(tape: Tape, node: NodeProto, g: str) -> Grads:
    x, y = node.input[0], node.output[0]
    alpha = tape.scalar(attribute(node, "alpha", 1.0), x)
    is_positive = tape.add("Greater", x, tape.scalar(0, x))
    below = tape.add("Mul", g, tape.add("Add", y, alpha))
    return {0: tape.add("Where", is_positive, g, below)}


def _times(tape: Tape, g: str, slope: str) -> Grads:
    return {0: tape.add("Mul", g, slope)}


def _sigmoid(tape: Tape, node: NodeProto, g: str) -> Grads:
    y = node.output[0]
    return _times(tape, g, tape.add("Mul", y, tape.add("Sub", tape.scalar(1, y), y)))


def _tanh(tape: Tape, node: NodeProto, g: str) -> Grads:
    y = node.output[0]
    return _times(tape, g, tape.add("Sub", tape.scalar(1, y), tape.add("Mul", y, y)))


def _hard_sigmoid(tape: Tape, node: NodeProto, g: str) -> Grads:
    x, y = node.input[0], node.output[0]
    alpha = attribute(node, "alpha", 0.2)
    inside = _between(tape, y, tape.scalar(0, y), tape.scalar(1, y))
    return _masked(tape, tape.add("Mul", g, tape.scalar(alpha, x)), inside, x)


def _hard_swish(tape: Tape, node: NodeProto, g: str) -> Grads:
    x = node.input[0]
    zero, one, three = (tape.scalar(value, x) for value in (0, 1, 3))
    inside = tape.add("Add", tape.add("Div", x, three), tape.scalar(0.5, x))
    above = tape.add("Where", tape.add("GreaterOrEqual", x, three), one, inside)
    below = tape.add("LessOrEqual", x, tape.scalar(-3, x))
    return _times(tape, g, tape.add("Where", below, zero, above))


def _exp(tape: Tape, node: NodeProto, g: str) -> Grads:
    return _times(tape, g, node.output[0])


def _log(tape: Tape, node: NodeProto, g: str) -> Grads:
    return {0: tape.add("Div", g, node.input[0])}


def _sqrt(tape: Tape, node: NodeProto, g: str) -> Grads:
    y = node.output[0]
    return {0: tape.add("Div", g, tape.add("Add", y, y))}


def _reciprocal(tape: Tape, node: NodeProto, g: str) -> Grads:
    y = node.output[0]
    return _times(tape, g, tape.add("Neg", tape.add("Mul", y, y)))


def _abs(tape: Tape, node: NodeProto, g: str) -> Grads:
    return _times(tape, g, tape.add("Sign", node.input[0]))


def _softplus(tape: Tape, node: NodeProto, g: str) -> Grads:
    return _times(tape, g, tape.add("Sigmoid", node.input[0]))


def _erf(tape: Tape, node: NodeProto, g: str) -> Grads:
    x = node.input[0]
    bell = tape.add("Exp", tape.add("Neg", tape.add("Mul", x, x)))
    return _times(tape, g, tape.add("Mul", bell, tape.scalar(2 / math.sqrt(math.pi), x)))


def _softsign(tape: Tape, node: NodeProto, g: str) -> Grads:
    x = node.input[0]
    wide = tape.add("Add", tape.scalar(1, x), tape.add("Abs", x))
    return {0: tape.add("Div", g, tape.add("Mul", wide, wide))}


def _softmax(tape: Tape, node: NodeProto, g: str) -> Grads:
    y, axis = node.output[0], tape.numbers(attribute(node, "axis", -1))
    weighed = tape.add("ReduceSum", tape.add("Mul", g, y), axis, keepdims=1)
    return {0: tape.add("Mul", y, tape.add("Sub", g, weighed))}


def _log_softmax(tape: Tape, node: NodeProto, g: str) -> Grads:
    y, axis = node.output[0], tape.numbers(attribute(node, "axis", -1))
    total = tape.add("ReduceSum", g, axis, keepdims=1)
    return {0: tape.add("Sub", g, tape.add("Mul", tape.add("Exp", y), total))}


RULES: Mapping[str, Rule] = {
    "Abs": _abs,
    "Add": _add,
    "Cast": _cast,
    "Clip": _clip,
    "Div": _div,
    "Dropout": _same,
    "Elu": _elu,
    "Erf": _erf,
    "Exp": _exp,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
    "Identity": _same,
    "LeakyRelu": _leaky,
    "Log": _log,
    "LogSoftmax": _log_softmax,
    "Max": _extreme("GreaterOrEqual"),
    "Min": _extreme("LessOrEqual"),
    "Mul": _mul,
    "Neg": _neg,
    "PRelu": _prelu,
    "Pow": _pow,
    "Reciprocal": _reciprocal,
    "Relu": _relu,
    "Sigmoid": _sigmoid,
    "Softmax": _softmax,
    "Softplus": _softplus,
    "Softsign": _softsign,
    "Split": _same,
    "Sqrt": _sqrt,
    "Sub": _sub,
    "Sum": _sum,
    "Tanh": _tanh,
    "Where": _where,
}
