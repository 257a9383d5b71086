"""Weights alone in 8 or 4 bits, in blocks with a scale each; activations stay in float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper, numpy_helper

from studio.api import Dataset, Kind, Option, Progress, Transformed, validate
from studio_onnxruntime.details import layers
from studio_onnxruntime.preparation import confined, hand_over, load, prepared, select
from studio_onnxruntime.static_int8 import KEEP

OPERATORS = ("MatMul", "Gemm")

_DOMAIN = "com.microsoft"
_ARITHMETIC = {"float": 0, "int8": 4}
"""The operator's ``accuracy_level``: what the activations are rounded to for the product."""


class WeightOnly:
    """The transform. It needs no samples, and suits models whose time is reading weights.

    Each constant factor of a matrix product becomes that of a ``MatMulNBits``, ONNX Runtime's
    operator for blocks of weights with a common scale.
    """

    id = "weight-only"
    title = "weights in 8 or 4 bits"
    needs_data = False
    options: Sequence[Option] = (
        Option(
            "bits",
            Kind.CHOICE,
            default="8",
            choices=("8", "4"),
            help="Bits of each weight.",
        ),
        Option(
            "block",
            Kind.CHOICE,
            default="32",
            choices=("16", "32", "64", "128", "256"),
            title="Weights in a block",
            help="Weights that share one scale. Smaller blocks are more accurate and larger in "
            "size.",
        ),
        Option(
            "arithmetic",
            Kind.CHOICE,
            default="int8",
            choices=tuple(_ARITHMETIC),
            advanced=True,
            help="Precision of the products; int8 also rounds the activations.",
        ),
        KEEP,
    )

    def apply(
        self,
        source: Path,
        output: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Transformed:
        values = validate(self.options, options)
        bits, block = int(values["bits"]), int(values["block"])
        with TemporaryDirectory(dir=output.parent) as scratch, confined(Path(scratch)):
            progress.progress(0, 3, "Preparing the graph")
            original = load(source)
            model = onnx.load(str(prepared(original, Path(scratch))))
            selection = select(
                original.graph, model.graph, OPERATORS, values["keep"], constant_only=True
            )
            progress.progress(1, 3, "Quantizing the weights")
            made = _Blocks(model.graph, bits, block, _ARITHMETIC[values["arithmetic"]])
            rows = layers(model.graph, selection.chosen, selection.kept, f"w{bits}")
            replaced = [name for name in selection.chosen if made.replace(name)]
            made.finish()
            model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
            onnx.save(model, str(Path(scratch) / output.name))
            progress.progress(2, 3, "Checking the model")
            hand_over(Path(scratch) / output.name, output)
        facts = {
            "operators": list(OPERATORS),
            "quantized": len(replaced),
            "kept": selection.kept,
            "bits": bits,
            "block": block,
        }
        return Transformed(output, f"int{bits}", facts, rows)


class _Blocks:
    """Replaces products one by one in a graph; weights that several share are written once."""

    def __init__(self, graph: GraphProto, bits: int, block: int, level: int) -> None:
        self._graph, self._bits, self._block, self._level = graph, bits, block, level
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._written: set[str] = set()

    def replace(self, name: str) -> bool:
        """Put the product of blocks in a node's place; False where its weights do not fit."""
        index = next(i for i, node in enumerate(self._graph.node) if node.name == name)
        node = self._graph.node[index]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        plain = not attributes.get("transA") and attributes.get("alpha", 1.0) == 1.0
        weight = numpy_helper.to_array(self._weights[node.input[1]])
        # MatMulNBits has neither factors nor a transposed input.
        if not plain or attributes.get("beta", 1.0) != 1.0 or weight.ndim != 2:
            return False
        if attributes.get("transB"):
            weight = weight.T
        self._graph.node.remove(node)
        for offset, made in enumerate(self._product(node, weight)):
            self._graph.node.insert(index + offset, made)
        return True

    def _product(self, node: NodeProto, weight: NDArray[Any]) -> list[NodeProto]:
        stem = f"{node.input[1]}_{self._bits}bits" + ("_t" if node.op_type == "Gemm" else "")
        blocks, scales = f"{stem}_blocks", f"{stem}_scales"
        if stem not in self._written:
            self._written.add(stem)
            levels, steps = packed(weight, self._bits, self._block)
            self._graph.initializer.append(numpy_helper.from_array(levels, blocks))
            self._graph.initializer.append(numpy_helper.from_array(steps, scales))
        has_bias = node.op_type == "Gemm" and len(node.input) > 2 and bool(node.input[2])
        result = f"{node.output[0]}_product" if has_bias else node.output[0]
        product = helper.make_node(
            "MatMulNBits",
            [node.input[0], blocks, scales],
            [result],
            node.name,
            domain=_DOMAIN,
            K=weight.shape[0],
            N=weight.shape[1],
            bits=self._bits,
            block_size=self._block,
            accuracy_level=self._level,
        )
        if not has_bias:
            return [product]
        bias = helper.make_node("Add", [result, node.input[2]], node.output, f"{node.name}_bias")
        return [product, bias]

    def finish(self) -> None:
        """Drop the float weights that nothing reads any more."""
        read = {name for node in self._graph.node for name in node.input}
        read |= {value.name for value in self._graph.output}
        for name, tensor in self._weights.items():
            if name not in read:
                self._graph.initializer.remove(tensor)


def packed(
    weight: NDArray[Any], bits: int, block: int
) -> tuple[NDArray[numpy.uint8], NDArray[numpy.float32]]:
    """Return weights (inputs × outputs) in the layout of ``MatMulNBits``.

    Symmetric: the levels lie around 2^(bits-1). The largest value of a block takes the
    lowest level, the one without a counterpart above, so that no level is lost.

    Returns:
        Blocks of bytes (outputs × blocks × bytes; two weights a byte for 4 bits, the first in the
        lower half), and the scale of each block (outputs × blocks).
    """
    middle = 1 << (bits - 1)
    columns = numpy.asarray(weight, numpy.float32).T
    columns = numpy.pad(columns, ((0, 0), (0, -columns.shape[1] % block)))
    grouped = columns.reshape(len(columns), -1, block)
    peak = numpy.abs(grouped).argmax(axis=2, keepdims=True)
    scales = numpy.take_along_axis(grouped, peak, axis=2) / -middle
    divisor = numpy.where(scales == 0, 1, scales)
    levels = numpy.rint(grouped / divisor + middle).clip(0, 2 * middle - 1).astype(numpy.uint8)
    if bits == 4:
        levels = levels[:, :, 0::2] | numpy.left_shift(levels[:, :, 1::2], numpy.uint8(4))
    return levels, scales[:, :, 0].astype(numpy.float32)
