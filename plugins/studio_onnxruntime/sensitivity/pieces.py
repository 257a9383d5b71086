"""The quantized layers of a model, one by one, and models cut out of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from studio.api import Array
from studio_onnxruntime.rewriting.view import used

_PAIR = ("QuantizeLinear", "DequantizeLinear")


class Pieces:
    """The quantized layers of a model, one by one, with the pairs around them."""

    def __init__(self, graph: GraphProto) -> None:
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        self._nodes = {node.name: node for node in graph.node}
        self._makers = {output: node for node in graph.node for output in node.output}
        self._readers: dict[str, NodeProto] = {}
        for node in graph.node:
            if node.op_type in _PAIR:
                self._readers.setdefault(node.input[0], node)

    def of(self, name: str, output: str) -> list[NodeProto]:
        """The nodes of a layer, from its float input to its float output of the given name."""
        layer = NodeProto()
        layer.CopyFrom(self._nodes[name])
        piece = [*self._before(layer), layer]
        quantize = self._readers.get(layer.output[0])
        dequantize = self._readers.get(quantize.output[0]) if quantize is not None else None
        if quantize is None or dequantize is None:
            layer.output[0] = output
            return piece
        pair = [NodeProto(), NodeProto()]
        for copy, original in zip(pair, (quantize, dequantize), strict=True):
            copy.CopyFrom(original)
        layer.output[0] = pair[0].input[0] = f"{output}.unrounded"
        pair[0].output[0] = pair[1].input[0] = f"{output}.rounded"
        pair[1].output[0] = output
        return [*piece, *pair]

    def _before(self, node: NodeProto) -> list[NodeProto]:
        found: list[NodeProto] = []
        for name in node.input:
            maker = self._makers.get(name)
            if maker is not None and maker.op_type in _PAIR and maker not in found:
                found += [one for one in self._before(maker) if one not in found]
                found.append(maker)
        return found


class Cutter:
    """Cuts models out of a float model, with layers of its quantized one among their nodes.

    Attributes:
        constants: Names of the float model's constants.
    """

    def __init__(self, exact: ModelProto, pieces: Pieces) -> None:
        self._exact = exact
        self.constants = {tensor.name: tensor for tensor in exact.graph.initializer}
        self._all = self.constants | pieces.constants
        graph = exact.graph
        self._kinds = {
            value.name: value.type.tensor_type.elem_type
            for value in (*graph.value_info, *graph.input, *graph.output)
        }

    def read(self, nodes: Iterable[NodeProto]) -> list[str]:
        """What nodes read from elsewhere, without constants."""
        nodes = list(nodes)
        made = {name for node in nodes for name in node.output}
        names = dict.fromkeys(name for node in nodes for name in used(node) if name)
        return [name for name in names if name not in made and name not in self._all]

    def session(self, nodes: Sequence[NodeProto], outputs: Sequence[str]) -> Cut:
        """A session of these nodes; what they read from elsewhere are its inputs."""
        made = {name for node in nodes for name in node.output}
        inputs = self.read(nodes)
        names = dict.fromkeys(name for node in nodes for name in used(node) if name)
        graph = helper.make_graph(
            [],
            "cut",
            [self._typed(name) for name in inputs],
            [self._typed(name) for name in outputs],
            # A dequantized constant may bear the name of the float one.
            [self._all[name] for name in names if name in self._all and name not in made],
        )
        graph.node.extend(nodes)
        model = helper.make_model(
            graph, opset_imports=self._exact.opset_import, ir_version=self._exact.ir_version
        )
        return Cut(_session(model), inputs, outputs)

    def _typed(self, name: str) -> onnx.ValueInfoProto:
        """A value of the same type and any shape."""
        kind = self._kinds.get(name) or TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, None)


class Cut:
    """A cut model that is loaded.

    Attributes:
        inputs, outputs: Names of the values that it reads and gives.
    """

    def __init__(self, session: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        self._session = session
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)

    def run(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """Compute the outputs from those of the values that are inputs."""
        found = self._session.run(self.outputs, {name: values[name] for name in self.inputs})
        return dict(zip(self.outputs, found, strict=True))


def _session(model: ModelProto) -> Any:
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 4
    return onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
