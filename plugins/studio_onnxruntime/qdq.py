"""Quantize and dequantize pairs around the layers that compute in bytes.

The runtime fuses a layer with the pairs around it. Names follow those of onnxruntime's quantizer,
which tools know. Two things differ from it: channels are rounded all at once, and a value that a
float layer makes is rounded for the byte layers alone, while its other readers get it as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from studio_onnxruntime import everywhere
from studio_onnxruntime.histogram import Range
from studio_onnxruntime.rewriting.view import View

OPERATORS = ("Conv", "MatMul", "Gemm")
"""The operators that pay on every CPU; quantizing all that can be destroys real models."""

_CONTRIB = "com.microsoft"
_STANDARD_16 = 21
"""The first operator set whose own pairs know 16 bits; older ones need the runtime's."""

_MOST_BIAS = 2.0**30
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Format:
    """Number format of quantized weights and activations.

    Attributes:
        signed: Activations are signed, as Arm likes them.
        levels: Of a weight, on either side of zero.
        per_channel: A scale for each output channel of the weights; else one.
        bits: Of an activation, 8 or 16.
        wide: Values with 16 bits regardless of ``bits``.
        symmetric: The zero point of every activation is zero, as TensorRT wants it.
        float_biases: Biases stay in float instead of 32 bits.
        all_outputs: What any layer writes is rounded, as Qualcomm's NPU wants it; else what
            convolutions write.
        everywhere: Every float value is rounded, for NPUs that compute in integers alone.
    """

    signed: bool
    levels: int = 127
    per_channel: bool = True
    bits: int = 8
    wide: frozenset[str] = frozenset()
    symmetric: bool = False
    float_biases: bool = False
    all_outputs: bool = False
    everywhere: bool = False

    def rounds(self, node: NodeProto) -> bool:
        """Whether what a layer writes is rounded."""
        return self.all_outputs or node.op_type == "Conv"

    def activation(self, name: str = "") -> numpy.dtype[Any]:
        """Return the type of an activation."""
        bits = 16 if name in self.wide else self.bits
        return numpy.dtype(f"{'' if self.signed else 'u'}int{bits}")

    def steps(self, ends: Range, name: str = "") -> tuple[Array, Array]:
        """Return the scale and the zero point of an activation with a range."""
        kind = self.activation(name)
        if not self.symmetric:
            return parameters(ends, kind)
        most = max(abs(ends[0]), abs(ends[1]))
        largest = int(numpy.iinfo(kind).max)
        scale, _ = parameters((0.0, most * (2 * largest + 1) / largest), kind)
        return scale, numpy.zeros((), kind)


@dataclass(frozen=True, slots=True)
class Rounded:
    """A constant in integers, with its scale (one, or one for each channel of an axis)."""

    values: Array
    scale: NDArray[numpy.float32]
    axis: int | None


def add_pairs(
    model: ModelProto, chosen: Collection[str], ranges: Mapping[str, Range], form: Format
) -> None:
    """Put pairs around the chosen nodes, in place.

    Args:
        ranges: Of every activation that these nodes read, and that a convolution writes.
    """
    _Pairs(model, chosen, ranges, form).write()


class _Pairs:
    """Graph whose layers are quantized, with the nodes and constants to insert."""

    def __init__(
        self,
        model: ModelProto,
        chosen: Collection[str],
        ranges: Mapping[str, Range],
        form: Format,
    ) -> None:
        self._model, self._graph, self._form = model, model.graph, form
        self._given: dict[str, Range] = {}
        if form.everywhere:
            self._given = everywhere.constants(model.graph)
            ranges = everywhere.joined(model.graph, ranges)
        self._ranges = {**self._given, **ranges}
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self._layers = [node for node in model.graph.node if node.name in chosen]
        self._rounded = (
            set(ranges)
            if form.everywhere
            else {
                node.output[0]
                for node in self._layers
                if form.rounds(node) and node.output[0] in ranges
            }
        )
        self._constant_nodes: list[NodeProto] = []
        self._made: dict[str, tuple[Rounded, str]] = {}
        self._behind: dict[str, list[NodeProto]] = {}
        self._new: dict[str, TensorProto] = {}
        self._contrib = False

    def write(self) -> None:
        for node in self._layers:
            self._weights(node, [self._activation(node, place) for place in self._read(node)])
        leaving = {value.name for value in self._graph.output}
        self._compute()
        self._redirect(leaving)
        self._order()
        self._tidy()

    def _read(self, node: NodeProto) -> list[int]:
        """Return the positions of the activations that a layer reads."""
        return [i for i in (0, 1) if node.input[i] not in self._constants]

    def _activation(self, node: NodeProto, place: int) -> str:
        name = node.input[place]
        if name in self._ranges:
            self._pair(name)
            node.input[place] = f"{name}_DequantizeLinear_Output"
        return name

    def _pair(self, name: str) -> None:
        """Add the pair that rounds a value; all of its readers share it."""
        if name in self._behind:
            return
        kind = self._form.activation(name)
        scale, zero = self._form.steps(self._ranges[name], name)
        parts = self._scale(name, scale, zero)
        domain = _CONTRIB if kind.itemsize > 1 and self._opset < _STANDARD_16 else ""
        self._contrib = self._contrib or bool(domain)
        middle, stem = f"{name}_QuantizeLinear_Output", f"{name}_DequantizeLinear"
        self._behind[name] = [
            helper.make_node(
                "QuantizeLinear", [name, *parts], [middle], f"{name}_QuantizeLinear", domain=domain
            ),
            helper.make_node(
                "DequantizeLinear", [middle, *parts], [f"{stem}_Output"], stem, domain=domain
            ),
        ]

    def _scale(self, name: str, scale: Array, zero: Array) -> list[str]:
        names = [f"{name}_scale", f"{name}_zero_point"]
        for key, array in zip(names, (scale, zero), strict=True):
            self._new[key] = numpy_helper.from_array(numpy.asarray(array), key)
        return names

    @property
    def _opset(self) -> int:
        entries = self._model.opset_import
        return next(e.version for e in entries if e.domain in ("", "ai.onnx"))

    def _weights(self, node: NodeProto, activations: Sequence[str]) -> None:
        """Quantize the constant factor of a layer to bytes, and usually its bias to 32 bits."""
        tensor = self._constants.get(node.input[1])
        if tensor is None:
            return
        weight = numpy_helper.to_array(tensor)
        bias = self._bias(node, weight.shape[_channels(node)])
        step = self._step(activations)
        made = rounded_weight(weight, _channels(node), self._form, bias, step)
        node.input[1] = self._constant(node.input[1], node.name, made)
        if bias is not None and step and not self._form.float_biases:
            node.input[2] = self._constant(
                node.input[2], node.name, _rounded_bias(bias, made, step)
            )

    def _bias(self, node: NodeProto, channels: int) -> Array | None:
        if len(node.input) < 3 or node.input[2] not in self._constants:
            return None
        bias = numpy_helper.to_array(self._constants[node.input[2]])
        return bias if bias.shape == (channels,) else None

    def _step(self, activations: Sequence[str]) -> float:
        """Return the size of one level of the only activation that a layer reads."""
        name = activations[0] if activations else ""
        if name not in self._ranges:
            return 0.0
        return float(self._form.steps(self._ranges[name], name)[0])

    def _constant(self, name: str, layer: str, made: Rounded) -> str:
        """Return a constant with the node that converts it back to floats.

        Several layers share it where they round it alike; else the others have their own.
        """
        present = self._made.get(name)
        if present and numpy.array_equal(present[0].scale, made.scale):
            return present[1]
        stem = name if f"{name}_quantized" not in self._new else f"{name}.{layer}"
        key = f"{stem}_quantized"
        self._new[key] = numpy_helper.from_array(made.values, key)
        zero = numpy.zeros(made.scale.shape, made.values.dtype)
        parts = self._scale(stem, made.scale, zero)
        output = f"{stem}_DequantizeLinear_Output"
        node = helper.make_node(
            "DequantizeLinear", [key, *parts], [output], f"{stem}_DequantizeLinear"
        )
        if made.axis is not None:
            node.attribute.append(helper.make_attribute("axis", made.axis))
        self._constant_nodes.append(node)
        self._made[name] = made, output
        return output

    def _compute(self) -> None:
        """Round the constants that operators compute with."""
        for node in self._graph.node:
            for index, name in enumerate(node.input):
                if name in self._given and everywhere.reads_constant(node.op_type):
                    self._pair(name)
                    node.input[index] = f"{name}_DequantizeLinear_Output"

    def _redirect(self, leaving: Collection[str]) -> None:
        """Let all read what a byte layer has rounded; the graph's output takes its own name."""
        for name in sorted(self._rounded):
            self._pair(name)
        for node in self._graph.node:
            for index, name in enumerate(node.input):
                if name in self._rounded:
                    node.input[index] = (
                        name if name in leaving else f"{name}_DequantizeLinear_Output"
                    )
        for name in sorted(self._rounded.intersection(leaving)):
            quantize, dequantize = self._behind[name]
            quantize.input[0] = f"{name}_QuantizeLinear_Input"
            dequantize.output[0] = name
            self._rename(name)

    def _rename(self, name: str) -> None:
        for node in self._graph.node:
            if node.output[:1] == [name]:
                node.output[0] = f"{name}_QuantizeLinear_Input"
            for index, read in enumerate(node.input):
                if read == f"{name}_DequantizeLinear_Output":
                    node.input[index] = name

    def _order(self) -> None:
        """Sort the nodes so that each value is computed before it is read."""
        inputs = [value.name for value in self._graph.input]
        nodes = list(self._constant_nodes)
        for name in (*self._given, *inputs):
            nodes += self._behind.get(name, ())
        for node in self._graph.node:
            nodes.append(node)
            for name in node.output:
                nodes += self._behind.get(name.removesuffix("_QuantizeLinear_Input"), ())
        copies = []
        for node in nodes:
            copies.append(NodeProto())
            copies[-1].CopyFrom(node)
        del self._graph.node[:]
        self._graph.node.extend(copies)

    def _tidy(self) -> None:
        self._graph.initializer.extend(self._new.values())
        View(self._graph).sweep()
        if self._contrib and not any(e.domain == _CONTRIB for e in self._model.opset_import):
            self._model.opset_import.append(helper.make_opsetid(_CONTRIB, 1))


def parameters(ends: Range, kind: numpy.dtype[Any]) -> tuple[Array, Array]:
    """Scale and zero point of a range; it is widened to hold zero, which must be exact."""
    limits = numpy.iinfo(kind)
    low, high = min(ends[0], 0.0), max(ends[1], 0.0)
    step = (high - low) / (int(limits.max) - int(limits.min))
    scale = numpy.float32(step) if step > numpy.finfo(numpy.float32).tiny else numpy.float32(1)
    zero = numpy.clip(numpy.round(limits.min - low / scale), limits.min, limits.max)
    return numpy.asarray(scale), numpy.asarray(zero, kind)


def rounded_weight(
    weight: Array, axis: int, form: Format, bias: Array | None = None, step: float = 0.0
) -> Rounded:
    """Return weights after a round trip through symmetric levels.

    Args:
        axis: Of the output channels.
        bias: What is added to each channel; a scale is made large enough that it fits 32 bits.
        step: Size of one level of the activation.
    """
    rows = numpy.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1).astype(numpy.float64)
    scale = numpy.abs(rows).max(axis=1, initial=0.0) / form.levels
    if bias is not None and step:
        scale = numpy.maximum(scale, numpy.abs(bias) / (step * _MOST_BIAS))
    if not form.per_channel:
        scale = numpy.full_like(scale, scale.max(initial=0.0))
    scale = numpy.where(scale > numpy.finfo(numpy.float32).tiny, scale, 1).astype(numpy.float32)
    shape = [1] * weight.ndim
    shape[axis] = -1
    levels = numpy.round(weight / scale.reshape(shape)).clip(-form.levels, form.levels)
    values = levels.astype(numpy.int8)
    if form.per_channel:
        return Rounded(values, scale, axis)
    return Rounded(values, numpy.asarray(scale[0]), None)


def _rounded_bias(bias: Array, weight: Rounded, step: float) -> Rounded:
    scale = (weight.scale.astype(numpy.float64) * step).astype(numpy.float32)
    limits = numpy.iinfo(numpy.int32)
    values = numpy.round(bias.astype(numpy.float64) / scale).clip(limits.min, limits.max)
    return Rounded(values.astype(numpy.int32), scale, None if weight.axis is None else 0)


def _channels(node: NodeProto) -> int:
    """Return the axis of the output channels of a layer's weights."""
    if node.op_type == "Conv":
        return 0
    if node.op_type == "Gemm":
        return 0 if any(a.name == "transB" and a.i for a in node.attribute) else 1
    return -1
