"""The edit that adds the gradient of a score with respect to an input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy
import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper

from studio.api import Kind, Option, StudioError, UsageError
from studio_onnx.gradient import elementwise, layers, places
from studio_onnx.gradient.tape import Rule, Tape, attribute, is_float, refused
from studio_onnx.surgery.edit import Edit, reads, unknown
from studio_onnx.surgery.opset import ConvertOpset

OPSET = 18
"""Least version of the standard operators: the first whose scatter adds and whose means have their
axes as an input."""

_RULES: Mapping[str, Rule] = {**elementwise.RULES, **layers.RULES, **places.RULES}
_ZERO = frozenset(
    {
        "And",
        "ArgMax",
        "ArgMin",
        "Ceil",
        "Equal",
        "Floor",
        "Greater",
        "GreaterOrEqual",
        "IsInf",
        "IsNaN",
        "Less",
        "LessOrEqual",
        "NonZero",
        "Not",
        "OneHot",
        "Or",
        "Round",
        "Shape",
        "Sign",
        "Size",
        "Xor",
    }
)
"""Operators whose results do not change with small changes of the input."""

_QUANTIZED = frozenset(
    {
        "QuantizeLinear",
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "QLinearConv",
        "QLinearMatMul",
        "ConvInteger",
        "MatMulInteger",
    }
)
_MOST_SCORES = 1 << 20
_STANDARD = ("", "ai.onnx")


class InputGradient(Edit):
    """Adds an output: the gradient of one score with respect to an input, of each sample.

    Reverse-mode differentiation (Linnainmaa, 1976) of the graph itself, so that every runtime of
    the format computes it. The other outputs stay as they are. At a kink, such as 0 of Relu, the
    slope is that of the flat side.
    """

    id = "input-gradient"
    title = "Add the gradient of a score"
    options: ClassVar = (
        Option(
            "number",
            Kind.INTEGER,
            default=0,
            minimum=0,
            maximum=2**31 - 1,
            title="Class",
            help="Number of the score in the row of scores of a sample.",
        ),
        Option("input", names="input", help="Input of numbers (default: the first)."),
        Option("output", names="output", help="Output with a row of scores (default: the first)."),
        Option("softmax", Kind.FLAG, default=False, help="Of the score after a softmax."),
        Option("name", default="input_gradient", help="Name of the new output."),
    )

    def edit(self, model: ModelProto, options: Mapping[str, Any]) -> dict[str, Any]:
        """Append the nodes of the gradient.

        Raises:
            UsageError: for an operator whose gradient is not known, naming it.
            StudioError: for an older model that cannot be converted.
        """
        source = _input(model.graph, options.get("input") or "")
        target = _output(model.graph, options.get("output") or "")
        name = options.get("name") or "input_gradient"
        _prepare(model)
        graph = model.graph
        graph.CopyFrom(_typed(model))
        active = _active(graph, source)
        if target not in active:
            raise UsageError(f"The output {target!r} does not depend on the input {source!r}.")
        tape = Tape(graph, active)
        number = int(options.get("number") or 0)
        seed = _seed(tape, target, number, bool(options.get("softmax")))
        gradient = _backward(tape, list(graph.node), {target: [seed]}, source)
        tape.nodes.append(helper.make_node("Identity", [gradient], [name]))
        graph.node.extend(tape.nodes)
        graph.initializer.extend(tape.constants)
        given = next(one for one in graph.input if one.name == source)
        value = graph.output.add()
        value.CopyFrom(given)
        value.name = name
        return {"equal": True, "added": len(tape.nodes), "text": f"{len(tape.nodes)} nodes"}


def _input(graph: GraphProto, wanted: str) -> str:
    constants = {one.name for one in graph.initializer}
    inputs = {one.name: one for one in graph.input if one.name not in constants}
    name = wanted or next(iter(inputs), "")
    if name not in inputs:
        raise unknown(name, "input", inputs)
    if not is_float(inputs[name]):
        raise UsageError(f"The input {name!r} has whole numbers, which have no gradient.")
    return name


def _output(graph: GraphProto, wanted: str) -> str:
    outputs = {one.name for one in graph.output}
    name = wanted or graph.output[0].name
    if name not in outputs:
        raise unknown(name, "output", outputs)
    return name


def _prepare(model: ModelProto) -> None:
    """Replace functions by their bodies, and bring the operators to a version with all of them."""
    if model.functions:
        import onnx.inliner

        model.CopyFrom(onnx.inliner.inline_local_functions(model))
    found = (one.version for one in model.opset_import if one.domain in _STANDARD)
    if next(found, OPSET) < OPSET:
        ConvertOpset().edit(model, {"version": OPSET})


def _typed(model: ModelProto) -> GraphProto:
    """Return the graph with the types and shapes of its values."""
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception as error:  # native errors of many kinds
        raise StudioError(
            "The sizes inside of the model cannot be found out.", detail=str(error)
        ) from None


def _active(graph: GraphProto, source: str) -> frozenset[str]:
    """Return the numbers that depend on the input.

    Raises:
        UsageError: where they are rounded.
    """
    types = {one.name: one for one in (*graph.value_info, *graph.output)}
    active = {source}
    for node in graph.node:
        if active.isdisjoint(reads(node)):
            continue
        if node.op_type in _QUANTIZED:
            raise _quantized(node)
        if node.op_type in _ZERO and node.domain in _STANDARD:
            continue
        active |= {name for name in node.output if name and is_float(types.get(name))}
    return frozenset(active)


def _seed(tape: Tape, target: str, number: int, softmax: bool) -> str:
    """Return the gradient of one score of each sample with respect to the output.

    Raises:
        UsageError: for a number that the row of scores does not have.
    """
    shape = tape.shape(target)
    count = 1
    for size in (shape or ())[1:]:
        count = count * size if isinstance(size, int) and count else 0
    if shape is None or not 0 < count <= _MOST_SCORES:
        raise UsageError(f"The number of scores in the output {target!r} is open or too large.")
    if number >= count:
        raise UsageError(f"The output {target!r} has {count} scores; there is no number {number}.")
    one = numpy.zeros((1, count), numpy.float32)
    one[0, number] = 1
    chosen = tape.cast(tape.constant(one), target)
    rows = tape.add("Flatten", target, axis=1)
    if not softmax:
        return tape.reshaped(tape.expanded(chosen, rows), target)
    shares = tape.add("Softmax", rows, axis=1)
    score = tape.add("ReduceSum", tape.add("Mul", shares, chosen), tape.numbers(1), keepdims=1)
    slopes = tape.add("Mul", score, tape.add("Sub", chosen, shares))
    return tape.reshaped(slopes, target)


def _backward(
    tape: Tape, nodes: list[NodeProto], gradients: dict[str, list[str]], source: str
) -> str:
    """Return the gradient of the source, through all nodes in reverse order."""
    for node in reversed(nodes):
        given = [_total(tape, gradients.get(name, [])) for name in node.output]
        if not any(given) or not any(map(tape.is_active, node.output)):
            continue
        rule = _rule(node)
        gradient = _joined(tape, node, given) if node.op_type == "Split" else given[0]
        if gradient is None or (node.op_type != "Split" and any(given[1:])):
            raise refused(node, "only the gradient of its first output is")
        for number, found in rule(tape, node, gradient).items():
            gradients.setdefault(node.input[number], []).append(found)
    total = _total(tape, gradients.get(source, []))
    if total is None:
        raise StudioError("No gradient reaches the input.")
    return total


def _rule(node: NodeProto) -> Rule:
    rule = _RULES.get(node.op_type) if node.domain in _STANDARD else None
    if rule is None:
        raise refused(node)
    return rule


def _quantized(node: NodeProto) -> UsageError:
    return UsageError(
        f"The model is quantized ({node.op_type}), and rounding has no gradient.",
        hint="Explain the float variant, or use a method that removes parts, such as rise.",
    )


def _total(tape: Tape, found: list[str]) -> str | None:
    if not found:
        return None
    return found[0] if len(found) == 1 else tape.add("Sum", *found)


def _joined(tape: Tape, node: NodeProto, given: list[str | None]) -> str:
    """Return the gradient of a value that was split, with zeros for parts that are not used."""
    parts = list(_parts(tape, node, given))
    return tape.add("Concat", *parts, axis=attribute(node, "axis", 0))


def _parts(tape: Tape, node: NodeProto, given: list[str | None]) -> Iterator[str]:
    for name, gradient in zip(node.output, given, strict=True):
        yield gradient or tape.zeros(node.input[0], tape.add("Shape", name))
