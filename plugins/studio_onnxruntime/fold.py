"""Folding of constants by ONNX Runtime's own basic optimisations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from studio.api import Dataset, InvalidModel, Option, Progress, Transformed
from studio_onnxruntime.backend import first_sentence
from studio_onnxruntime.preparation import MOST_BYTES, confined, external_bytes
from studio_onnxruntime.rewriting.view import used

_STAYING = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "RandomNormal", "RandomUniform", "Bernoulli"}
    | {"Multinomial", "RandomNormalLike", "RandomUniformLike", "Dropout"}
)
"""Nodes that are no constants with constant inputs, or whose small inputs are the point."""

_SMALL_FLOATS = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


class FoldConstants:
    """Computes once what does not depend on the inputs, and removes what changes nothing.

    The basic level keeps to standard operators, so that the result runs everywhere.
    """

    id = "fold"
    title = "Fold constants"
    options: Sequence[Option] = ()
    needs_data = False

    def apply(
        self,
        source: Path,
        output: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Transformed:
        """Write the folded model.

        Raises:
            InvalidModel: when ONNX Runtime cannot load it.
        """
        progress.progress(0, 1, "Folding constants")
        before = _count(source)
        settings = onnxruntime.SessionOptions()
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        settings.optimized_model_filepath = str(output)
        settings.log_severity_level = 4
        try:
            with confined(output.parent):
                onnxruntime.InferenceSession(
                    str(source), settings, providers=["CPUExecutionProvider"]
                )
        except Exception as error:  # native errors of many kinds
            raise InvalidModel(
                f"ONNX Runtime cannot load the model: {first_sentence(error)}", detail=str(error)
            ) from None
        progress.progress(1, 1, "Folded")
        text = f"{_count(output)} of {before} nodes are left"
        return Transformed(output, "", {"equal": True, "inputs": {}, "outputs": {}, "text": text})

    def constants(self, source: Path, output: Path) -> Path:
        """Write a model whose constants are computed, all other nodes unchanged.

        Returns:
            ``output``; ``source`` where no node computes with constants alone.
        """
        model = onnx.load(str(source), load_external_data=False)
        if not _constant_nodes(model.graph) or _bytes(source, model) > MOST_BYTES:
            return source
        onnx.load_external_data_for_model(model, str(source.parent))
        _compute(model, _constant_nodes(model.graph))
        output.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, str(output))
        return output


def _constant_nodes(graph: GraphProto) -> list[NodeProto]:
    """Return the nodes that read constants alone, in order; steps of quantized weights stay."""
    inputs, outputs = ({one.name for one in ends} for ends in (graph.input, graph.output))
    known = {"", *(tensor.name for tensor in graph.initializer)} - inputs
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    found = []
    for node in graph.node:
        if (
            node.op_type in _STAYING
            or node.domain not in ("", "ai.onnx")
            or not known.issuperset(node.input)
            or not outputs.isdisjoint(node.output)
            or any(kinds.get(name) in _SMALL_FLOATS for name in node.input)
            or any(attribute.HasField("g") for attribute in node.attribute)
        ):
            continue
        known.update(node.output)
        found.append(node)
    return found if any(node.op_type != "Constant" for node in found) else []


def _compute(model: ModelProto, nodes: Sequence[NodeProto]) -> None:
    """Put tensors in the place of nodes, in the model."""
    graph, names = model.graph, {name for node in nodes for name in node.output if name}
    replaced = {id(node) for node in nodes}
    rest = [node for node in graph.node if id(node) not in replaced]
    read = list(dict.fromkeys(name for node in rest for name in used(node) if name in names))
    wanted = {name for node in nodes for name in node.input}
    part = onnx.helper.make_graph(
        nodes,
        "constants",
        [],
        [onnx.helper.make_empty_tensor_value_info(name) for name in read],
        [tensor for tensor in graph.initializer if tensor.name in wanted],
    )
    alone = onnx.helper.make_model(
        part, opset_imports=model.opset_import, ir_version=model.ir_version
    )
    session = onnxruntime.InferenceSession(
        alone.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for name, array in zip(read, session.run(read, {}), strict=True):
        graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    for node in nodes:
        graph.node.remove(node)
    left = {name for node in graph.node for name in used(node)}
    for tensor in [one for one in graph.initializer if one.name not in left]:
        graph.initializer.remove(tensor)


def _bytes(source: Path, model: ModelProto) -> int:
    return source.stat().st_size + sum(map(external_bytes, model.graph.initializer))


def _count(path: Path) -> int:
    return len(onnx.load(str(path), load_external_data=False).graph.node)
