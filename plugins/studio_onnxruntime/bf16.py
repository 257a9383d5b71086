"""Weights stored in bfloat16: half the size and the range of float, made floats as they are loaded.

Arithmetic stays in float, since ONNX Runtime's processor kernels know no bfloat16; an accelerator's
compiler that does finds the rounded weights behind a Cast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from studio.api import Dataset, Option, Progress, StudioError, Transformed, validate
from studio_onnxruntime.preparation import confined, hand_over, load, matching_names, raised
from studio_onnxruntime.static_int8 import KEEP

_FEWEST = 64
"""Smaller constants (shapes, scales, biases) save nothing."""


class BFloat16:
    """The transform. It needs no samples; nothing can overflow, as in fp16."""

    id = "bf16"
    title = "bf16 weights"
    needs_data = False
    options: Sequence[Option] = (KEEP,)

    def apply(
        self,
        source: Path,
        output: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Transformed:
        values = validate(self.options, options)
        with TemporaryDirectory(dir=output.parent) as scratch, confined(Path(scratch)):
            progress.progress(0, 3, "Reading the model")
            model = raised(load(source))
            kept = matching_names(model.graph, values["keep"])
            progress.progress(1, 3, "Rounding the weights")
            rounded = _round(model, kept)
            if not rounded:
                raise StudioError("There is nothing to convert: the model has no float32 weights.")
            onnx.save(model, str(Path(scratch) / output.name))
            progress.progress(2, 3, "Checking the model")
            hand_over(Path(scratch) / output.name, output)
        return Transformed(output, "bf16", {"converted": rounded, "kept": sorted(kept)})


def _round(model: ModelProto, kept: set[str]) -> int:
    """Store the weights in bfloat16, each with a Cast that bears its name; how many."""
    graph = model.graph
    _lift_constants(graph)
    spared = {name for node in graph.node if node.name in kept for name in node.input}
    spared |= {value.name for value in graph.input}  # a default that a caller may replace
    casts: list[NodeProto] = []
    for tensor in graph.initializer:
        small = numpy.prod(tensor.dims) < _FEWEST
        if tensor.data_type != TensorProto.FLOAT or small or tensor.name in spared:
            continue
        name, stored = tensor.name, f"{tensor.name}.bf16"
        bits = rounded_bits(numpy_helper.to_array(tensor))
        tensor.CopyFrom(
            helper.make_tensor(stored, TensorProto.BFLOAT16, bits.shape, bits.tobytes(), raw=True)
        )
        casts.append(
            helper.make_node("Cast", [stored], [name], f"{name}.cast", to=TensorProto.FLOAT)
        )
    copies = []
    for node in (*casts, *graph.node):
        copies.append(NodeProto())
        copies[-1].CopyFrom(node)
    del graph.node[:]
    graph.node.extend(copies)
    return len(casts)


def _lift_constants(graph: GraphProto) -> None:
    """Make initializers of the float tensors in Constant nodes, where exporters put weights."""
    for place in reversed(range(len(graph.node))):
        node = graph.node[place]
        values = [a.t for a in node.attribute if a.name == "value"]
        if node.op_type == "Constant" and values and values[0].data_type == TensorProto.FLOAT:
            tensor = graph.initializer.add()
            tensor.CopyFrom(values[0])
            tensor.name = node.output[0]
            del graph.node[place]


def rounded_bits(values: NDArray[numpy.float32]) -> NDArray[numpy.uint16]:
    """Return the upper half of each float's bits, rounded to the nearest, ties to even."""
    bits = numpy.ascontiguousarray(values, numpy.float32).view(numpy.uint32).astype(numpy.uint64)
    bits += 0x7FFF + ((bits >> 16) & 1)
    upper = (bits >> 16).astype(numpy.uint16)
    return numpy.where(numpy.isnan(values), numpy.uint16(0x7FC0), upper)
