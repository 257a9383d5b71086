"""Convolutions and dense layers: their channels, and affine maps merged into their weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from onnx import NodeProto, helper

from studio_onnxruntime.rewriting.view import Floats, View

Doubles = NDArray[numpy.float64]


@dataclass(frozen=True, slots=True)
class Convolution:
    """A Conv node with constant weights.

    Attributes:
        weight: Of shape (outputs, inputs of a group, height, width ...).
        bias: One for each output.
    """

    node: NodeProto
    weight: Floats
    bias: Floats
    group: int

    @classmethod
    def of(cls, view: View, node: NodeProto | None) -> Convolution | None:
        """Read a node; None when it is no convolution or its weights are computed."""
        if node is None or node.op_type != "Conv":
            return None
        weight = view.constant(node.input[1])
        if weight is None or weight.ndim < 3:
            return None
        bias: Floats | None = numpy.zeros(len(weight), numpy.float32)
        if len(node.input) > 2 and node.input[2]:
            bias = view.constant(node.input[2])
        group = next((a.i for a in node.attribute if a.name == "group"), 1)
        return None if bias is None else cls(node, weight, bias, group)

    @property
    def inputs(self) -> int:
        return int(self.weight.shape[1]) * self.group

    @property
    def outputs(self) -> int:
        return len(self.weight)

    @property
    def depthwise(self) -> bool:
        """Whether each channel is filtered separately."""
        return self.group > 1 and self.weight.shape[1] == 1 and self.group == self.outputs

    @property
    def padded(self) -> bool:
        """Whether the input is padded with zeros, which a shift would have to include."""
        for attribute in self.node.attribute:
            if attribute.name == "auto_pad" and attribute.s not in (b"", b"NOTSET", b"VALID"):
                return True
            if attribute.name == "pads" and any(attribute.ints):
                return True
        return False

    def channels(self, constant: Floats, count: int) -> Doubles | None:
        """Return the per-channel constant that is added to or multiplied with a feature map.

        None when it is not the same for all positions of a channel.
        """
        rank = self.weight.ndim
        if constant.size == 1 and constant.ndim <= rank:
            return numpy.full(count, constant.reshape(()), numpy.float64)
        shape = (1,) * (rank - constant.ndim) + constant.shape
        if shape != (1, count) + (1,) * (rank - 2):
            return None
        return constant.reshape(count).astype(numpy.float64)

    def rescaled(self, scale: Doubles, shift: Doubles | float = 0.0) -> Convolution:
        """Return the convolution followed by ``scale * y + shift``."""
        weight = self.weight * _column(scale, self.weight.ndim)
        return self._with(weight, self.bias * scale + shift)

    def fed(self, scale: Doubles, shift: Doubles | float = 0.0) -> Convolution:
        """Return the convolution of ``scale * x + shift``; a shift is valid without padding."""
        wide = self.weight.reshape(self.group, -1, *self.weight.shape[1:]).astype(numpy.float64)
        shape = (self.group, 1, self.weight.shape[1]) + (1,) * (self.weight.ndim - 2)
        offsets = numpy.broadcast_to(shift, (self.inputs,)).reshape(shape)
        added = (wide * offsets).reshape(self.outputs, -1).sum(axis=1)
        weight = (wide * scale.reshape(shape)).reshape(self.weight.shape)
        return self._with(weight, self.bias + added)

    def _with(self, weight: Doubles, bias: Doubles) -> Convolution:
        with numpy.errstate(over="ignore"):  # checked afterwards: see ``finite``
            single, offsets = weight.astype(numpy.float32), bias.astype(numpy.float32)
        return Convolution(self.node, single, offsets, self.group)

    @property
    def finite(self) -> bool:
        return bool(numpy.isfinite(self.weight).all() and numpy.isfinite(self.bias).all())

    def store(self, view: View) -> None:
        """Write weights and bias back into the graph."""
        view.write(self.node, 1, self.weight)
        view.write(self.node, 2, self.bias)


def affine(view: View, node: NodeProto | None) -> tuple[str, Floats, Floats] | None:
    """Return x, scale and shift of a node that computes ``scale * x + shift``, else None."""
    if node is None:
        return None
    if node.op_type == "BatchNormalization":
        return _normalisation(view, node)
    found = view.operand(node)
    if found is None:
        return None
    variable, constant = found
    one, zero = numpy.ones_like(constant), numpy.zeros_like(constant)
    if node.op_type == "Mul":
        return variable, constant, zero
    if node.op_type == "Add":
        return variable, one, constant
    if node.op_type == "Sub" and variable == node.input[0]:
        return variable, one, -constant
    if node.op_type == "Div" and variable == node.input[0] and constant.all():
        return variable, one / constant, zero
    return None


def _normalisation(view: View, node: NodeProto) -> tuple[str, Floats, Floats] | None:
    constants = [view.constant(name) for name in node.input[1:5]]
    if len(constants) < 4 or any(c is None for c in constants) or len(node.output) > 1:
        return None
    settings = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if settings.get("training_mode", 0):
        return None
    gamma, beta, mean, variance = (numpy.asarray(c, numpy.float64) for c in constants)
    scale = gamma / numpy.sqrt(variance + settings.get("epsilon", 1e-5))
    shape = (1, -1, 1, 1)
    shift = beta - mean * scale
    single = numpy.float32
    return node.input[0], scale.reshape(shape).astype(single), shift.reshape(shape).astype(single)


def _column(values: Doubles, rank: int) -> Doubles:
    return values.reshape(-1, *(1,) * (rank - 1))
