"""Intel's NPU and GPU: OpenVINO's published lists of their operators, applied to an IR.

The wheel of OpenVINO has no compiler for the NPU, and its GPU plugin needs a driver. So this is no
compilation: ``intel.json`` has the lists with their sources, and the limits are those of OpenVINO's
documentation of the devices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from studio.api import Graph, InvalidModel, Node, PlacedNode, Progress, UsageError
from studio.api.chip_rules import (
    BrokenRule,
    NodeRule,
    OperatorTable,
    RulesCompiler,
    folded,
    is_open,
    read_operators,
    values_of,
    without_open_sizes,
)
from studio_openvino.format import OpenvinoFormat

_FILE = Path(__file__).with_suffix(".json")
_NPU = OperatorTable("the list for Intel's NPU", read_operators(_FILE, "npu", "npu_converted"))
_GPU = OperatorTable("the list for Intel's GPU", read_operators(_FILE, "gpu", "gpu_converted"))

_SHAPES = frozenset({"ShapeOf"})
_TOO_WIDE = frozenset({"float64", "bfloat16"})
_LEVELS = 256
_EIGHT_BITS = "Quantize the float model with the preset int8."


def _in_half_or_8_bits(graph: Graph, node: Node) -> BrokenRule | None:
    for name, kind in values_of(graph, (*node.inputs, *node.outputs)):
        if kind is not None and kind.dtype in _TOO_WIDE:
            return BrokenRule(
                f"{name!r} is {kind.dtype}; the NPU takes float32, float16 and 8 bits.",
                "Convert the float32 model.",
            )
    levels = node.attributes.get("levels", 0)
    if node.operator == "FakeQuantize" and isinstance(levels, int) and levels > _LEVELS:
        return BrokenRule(
            f"It rounds to {levels:,} levels, and the NPU takes quantization in 8 bits alone.",
            _EIGHT_BITS,
            "int8",
        )
    return None


_RULES: Mapping[str, tuple[NodeRule, ...]] = {
    "NPU": (_NPU.broken, _in_half_or_8_bits, without_open_sizes),
    "GPU": (_GPU.broken,),
}


class IntelRules(RulesCompiler):
    """The rules of both devices; which one is a setting of the chip."""

    id = "intel-openvino"
    title = "OpenVINO's operator lists"
    chip = "Intel's device"
    rules_version = "of 2024-12 (NPU) and 2025 (GPU)"

    def graph(self, model: Path, folder: Path, progress: Progress) -> Graph:
        """Read the IR with the types that OpenVINO wrote, without what it computes at once."""
        return folded(OpenvinoFormat().read(model, progress).graph, _SHAPES)

    def rules(self, settings: Mapping[str, object]) -> Sequence[NodeRule]:
        """Return the rules of the device in the settings.

        Raises:
            UsageError: for another device than NPU and GPU.
        """
        return _RULES[_device(settings)]

    def check(
        self,
        graph: Graph,
        settings: Mapping[str, object],
        inputs: Mapping[str, Sequence[int]],
    ) -> None:
        """Refuse open inputs on the NPU, with the sizes that they could have."""
        if _device(settings) != "NPU" or not (names := _open_inputs(graph)):
            return
        given = " ".join(
            f"--input {name}={_sizes(inputs[name])}" for name in names if name in inputs
        )
        raise InvalidModel(
            f"The input {names[0]!r} has open sizes, and OpenVINO's NPU takes fixed ones alone. "
            f"Give the ONNX model its sizes: {given or '--input NAME=1,3,224,224'}."
        )

    def warnings(
        self, graph: Graph, nodes: Sequence[PlacedNode], settings: Mapping[str, object]
    ) -> Iterator[str]:
        """Yield that nothing was compiled, and what else the device does with such a model."""
        device = _device(settings)
        yield (
            f"Rules alone: OpenVINO's {device} compiler was not run, and no device. It also "
            "refuses operators for their sizes and attributes, and newer ones know more operators."
        )
        if not all(node.on_chip for node in nodes):
            yield (
                f"OpenVINO refuses such a model for {device} alone. The device HETERO:{device},CPU "
                "computes those nodes on the processor."
            )
        if device == "GPU" and _open_inputs(graph):
            yield "It has open sizes, which OpenVINO's GPU plugin supports in part."


def _device(settings: Mapping[str, object]) -> str:
    device = str(settings.get("device", ""))
    if device not in _RULES:
        raise UsageError(f"There are rules for the devices {' and '.join(_RULES)}, not {device!r}.")
    return device


def _open_inputs(graph: Graph) -> list[str]:
    return [value.name for value in graph.inputs if is_open(value.type)]


def _sizes(sizes: Sequence[int]) -> str:
    return ",".join(map(str, sizes))
