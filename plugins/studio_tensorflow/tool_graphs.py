"""SavedModels and frozen graphs, loaded, converted and run by TensorFlow.

Used by ``tool.py``: numpy, tensorflow and tf2onnx alone; nothing of the studio.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

Json = Mapping[str, Any]

_safety: Any = importlib.import_module("tool_safety")
_onnx: Any = importlib.import_module("tool_onnx")

_SERVING = "serving_default"
_NO_OUTPUTS = {"Const", "Placeholder", "PlaceholderWithDefault", "NoOp", "Assert"}


class Graph:
    """A function of TensorFlow with named inputs and outputs.

    Attributes:
        inputs: Tensors by the names of inputs, in order.
        outputs: The same of outputs.
    """

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]

    def names(self) -> list[str]:
        """Names of its inputs."""
        return list(self.inputs)

    def export(self, inputs: Mapping[str, Json]) -> Any:
        """Return it as ONNX; sizes that are open stay open."""
        from tf2onnx import convert

        shapes = self._shapes(inputs)
        with tf.device("/cpu:0"):
            frozen, tables = self._frozen()
            _set_shapes(frozen, shapes)
            made, _ = convert._convert_common(
                frozen,
                name="model",
                input_names=self._tensors(self.inputs),
                output_names=self._tensors(self.outputs),
                tensors_to_rename=self._renamed(),
                initialized_tables=tables,
                opset=_onnx.OPSET,
            )
        return made

    def described(self) -> dict[str, Any]:
        """Return nothing: these files have no metadata."""
        return {}

    def _frozen(self) -> tuple[Any, Any]:
        raise NotImplementedError

    @staticmethod
    def _tensors(values: Mapping[str, Any]) -> list[str]:
        return [str(one.name) for one in values.values()]

    def _renamed(self) -> dict[str, str]:
        return {one.name: name for name, one in (*self.inputs.items(), *self.outputs.items())}

    def _shapes(self, inputs: Mapping[str, Json]) -> dict[str, list[int]]:
        """Return the sizes of those inputs whose own are not what the user wants, or not known."""
        found = {}
        for name, tensor in self.inputs.items():
            spec = inputs.get(name) or _onnx.NO_WISH
            _check_type(name, tensor.dtype.name, spec["dtype"])
            own = tensor.shape.as_list() if tensor.shape.rank is not None else None
            if own is None and spec["shape"] is None:
                raise ValueError(
                    f"it has no shape of its input {name}; give it, "
                    f"such as --input {name}=1,224,224,3"
                )
            if spec["shape"] is not None or spec["dynamic"]:
                found[tensor.name] = _sizes(name, own, spec)
        return found


def _set_shapes(graph: Any, shapes: Mapping[str, Sequence[int]]) -> None:
    """Give the placeholders of a graph other shapes."""
    for node in graph.node:
        shape = shapes.get(f"{node.name}:0")
        if shape is not None:
            sizes = tf.TensorShape([None if size < 0 else size for size in shape])
            node.attr["shape"].shape.CopyFrom(sizes.as_proto())
            node.attr.pop("_output_shapes", None)


def _check_type(name: str, own: str, wanted: str) -> None:
    if wanted and wanted != own:
        raise ValueError(f"its input {name} is {own}, not {wanted}")


def _sizes(name: str, own: Sequence[int | None] | None, spec: Json) -> list[int]:
    """Return sizes, -1 for an open one."""
    sizes = list(spec["shape"] or own or ())
    if own is not None and len(sizes) != len(own):
        raise ValueError(f"its input {name} has {len(own)} axes, not {len(sizes)}")
    opened = {int(axis) for axis in spec["dynamic"]}
    if opened and max(opened) >= len(sizes):
        raise ValueError(f"its input {name} has {len(sizes)} axes")
    return [-1 if at in opened or size is None else size for at, size in enumerate(sizes)]


class SavedModel(Graph):
    """A SavedModel, of which one signature is converted."""

    def __init__(self, path: str) -> None:
        _safety.check_folder(path)
        with tf.device("/cpu:0"):
            self._model = tf.saved_model.load(path, tags=_tags(path))
        self._function = self._model.signatures[_signature(list(self._model.signatures))]
        graph = self._function.graph.as_graph_def().SerializeToString()
        _safety.check_graph(memoryview(graph))
        captured = {one.name for _, one in self._function.graph.captures}
        free = [one for one in self._function.inputs if one.name not in captured]
        named = self._function.structured_input_signature[1]
        self.inputs = dict(zip(sorted(named), free, strict=True))
        outputs = self._function.structured_outputs
        self.outputs = dict(zip(sorted(outputs), self._function.outputs, strict=True))

    def _frozen(self) -> tuple[Any, Any]:
        from tf2onnx import tf_loader

        inputs, outputs = self._tensors(self.inputs), self._tensors(self.outputs)
        frozen, tables = tf_loader.from_trackable(
            self._model, self._function, inputs, outputs, False
        )
        return frozen, tables

    def results(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it; its outputs in order."""
        given = {name: tf.constant(arrays[name], one.dtype) for name, one in self.inputs.items()}
        found = self._function(**given)
        return [found[name].numpy() for name in self.outputs]


def _tags(path: str) -> list[str] | None:
    """Return the tags of the graph for serving, where there are several."""
    from tensorflow.core.protobuf import saved_model_pb2

    found = saved_model_pb2.SavedModel()
    with open(os.path.join(path, "saved_model.pb"), "rb") as file:
        found.ParseFromString(file.read())
    tags = [sorted(one.meta_info_def.tags) for one in found.meta_graphs]
    return None if len(tags) == 1 else next((one for one in tags if "serve" in one), tags[0])


def _signature(names: Sequence[str]) -> str:
    known = [name for name in names if not name.startswith("__")]
    if _SERVING in known:
        return _SERVING
    if len(known) != 1:
        shown = ", ".join(sorted(known)) or "none"
        raise ValueError(f"it has no signature {_SERVING} and not exactly one other: {shown}")
    return known[0]


class FrozenGraph(Graph):
    """A graph whose weights are constants in it: placeholders in, unused results out."""

    def __init__(self, path: str) -> None:
        with _safety.mapped(path) as content:
            _safety.check_frozen(content)
            self._graph = tf.compat.v1.GraphDef()
            self._graph.ParseFromString(bytes(content))
        wrapped = tf.compat.v1.wrap_function(self._imported, [])
        operations = {one.name: one for one in wrapped.graph.get_operations()}
        self.inputs = {
            one.name: operations[one.name].outputs[0]
            for one in self._graph.node
            if one.op == "Placeholder"
        }
        used = {_node_of(one) for node in self._graph.node for one in node.input}
        last = [one for one in self._graph.node if one.name not in used]
        self.outputs = dict(
            pair
            for one in last
            if one.op not in _NO_OUTPUTS
            for pair in _named(one.name, operations[one.name].outputs)
        )
        if not self.outputs:
            raise ValueError("it has no results: each of its nodes is the input of another")
        self._function = wrapped.prune(list(self.inputs.values()), list(self.outputs.values()))

    def _imported(self) -> None:
        tf.import_graph_def(self._graph, name="")

    def _frozen(self) -> tuple[Any, Any]:
        from tf2onnx import tf_loader

        inputs, outputs = self._tensors(self.inputs), self._tensors(self.outputs)
        with tf.Graph().as_default():
            tf.import_graph_def(self._graph, name="")
            return tf_loader.tf_optimize(inputs, outputs, self._graph), None

    def results(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it; its outputs in order."""
        given = [tf.constant(arrays[name], one.dtype) for name, one in self.inputs.items()]
        return [one.numpy() for one in self._function(*given)]


def _node_of(name: str) -> str:
    return name.removeprefix("^").partition(":")[0]


def _named(name: str, tensors: Sequence[Any]) -> list[tuple[str, Any]]:
    if len(tensors) == 1:
        return [(name, tensors[0])]
    return [(f"{name}_{at}", one) for at, one in enumerate(tensors)]
