"""The quantized layers of a model, one by one, and models cut out of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from studio.api import Array
from studio_onnxruntime.rewriting.view import used

_PAIR = ("QuantizeLinear", "DequantizeLinear")

_SHARED_BYTES = 2**16
"""Constants from this size on are given to the sessions instead of being written into models."""


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
        """Return the nodes of a layer, from its float input to its named float output."""
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
    """Cuts models out of a float model, with layers of its quantized one among their nodes."""

    def __init__(self, exact: ModelProto, pieces: Pieces | None = None, threads: int = 1) -> None:
        self._exact = exact
        constants = {tensor.name: tensor for tensor in exact.graph.initializer}
        more = {} if pieces is None else pieces.constants
        self._constants = _Constants(constants | more, threads)
        graph = exact.graph
        values = {one.name: one for one in (*graph.value_info, *graph.input, *graph.output)}
        self._kinds = {name: one.type.tensor_type.elem_type for name, one in values.items()}
        self._others = {
            name: one
            for name, one in values.items()
            if one.type.WhichOneof("value") not in (None, "tensor_type")
        }

    def read(self, nodes: Iterable[NodeProto]) -> list[str]:
        """Return the values that nodes read from elsewhere, without constants."""
        nodes = list(nodes)
        made = {name for node in nodes for name in node.output}
        names = dict.fromkeys(name for node in nodes for name in used(node) if name)
        return [name for name in names if name not in made and name not in self._constants]

    def typed(self, names: Iterable[str]) -> bool:
        """Return whether values are tensors of a known type, where a cut is possible."""
        return all(self._kinds.get(name) for name in names)

    def tensors(self, names: Iterable[str]) -> list[str]:
        """Return the values that are not known as something else, such as sequences."""
        return [name for name in names if name not in self._others]

    def session(
        self, nodes: Sequence[NodeProto], outputs: Sequence[str], *, timed: bool = False
    ) -> CutModel:
        """Return a session of these nodes with the values they read as inputs.

        Args:
            timed: It keeps the memory that a run has needed for the next one, as the runtime does
                by default. Others give it back, since there are many of them.
        """
        made = {name for node in nodes for name in node.output}
        inputs = self.read(nodes)
        names = dict.fromkeys(name for node in nodes for name in used(node) if name)
        # A dequantized constant may bear the name of the float one.
        constants = [name for name in names if name in self._constants and name not in made]
        graph = helper.make_graph(
            nodes,
            "cut",
            [self._typed(name) for name in inputs],
            [self._typed(name) for name in outputs],
            [self._constants.tensor(name) for name in constants],
        )
        model = helper.make_model(
            graph, opset_imports=self._exact.opset_import, ir_version=self._exact.ir_version
        )
        return CutModel(self._constants.session(model, constants, timed), inputs, outputs)

    def _typed(self, name: str) -> onnx.ValueInfoProto:
        """Return a value of the same type, a tensor with any shape."""
        if name in self._others:
            return self._others[name]
        kind = self._kinds.get(name) or TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, None)


class CutModel:
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


class _Constants:
    """Constants that many sessions share: large ones are neither written nor read for each."""

    def __init__(self, tensors: Mapping[str, TensorProto], threads: int) -> None:
        self._tensors, self._threads = dict(tensors), threads
        self._shared: dict[str, Any] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    def tensor(self, name: str) -> TensorProto:
        """Return the tensor of a model, or for a large one its type and shape alone."""
        tensor = self._tensors[name]
        if len(tensor.raw_data) < _SHARED_BYTES:
            return tensor
        from onnxruntime import OrtValue

        self._shared[name] = OrtValue.ortvalue_from_numpy(numpy_helper.to_array(tensor))
        self._tensors[name] = stub = TensorProto(
            name=name,
            data_type=tensor.data_type,
            dims=tensor.dims,
            data_location=TensorProto.EXTERNAL,
        )
        stub.external_data.add(key="location", value="memory")
        return stub

    def session(self, model: ModelProto, names: Sequence[str], arena: bool) -> Any:
        """Load a model that has these constants."""
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self._threads
        settings.enable_cpu_mem_arena = arena
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        settings.log_severity_level = 4
        shared = [name for name in names if name in self._shared]
        if shared:
            settings.add_external_initializers(shared, [self._shared[name] for name in shared])
        return onnxruntime.InferenceSession(
            model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
        )
