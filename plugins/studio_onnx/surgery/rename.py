"""Renaming of inputs, outputs and the values between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from onnx import GraphProto, ModelProto

from studio.api import Option, UsageError
from studio_onnx.surgery.edit import Edit, graphs, unknown, value_names


class Rename(Edit):
    """Gives values new names, wherever they are read."""

    id = "rename"
    title = "Rename inputs and outputs"
    options: ClassVar = (
        Option(
            "names",
            many=True,
            required=True,
            positional=True,
            names="value",
            help="OLD=NEW, for an input, an output or any value.",
        ),
    )

    def edit(self, model: ModelProto, options: Mapping[str, Any]) -> dict[str, Any]:
        """Rename all values at once, so that two can change places."""
        names = _parse(options["names"], model.graph)
        inputs = [value.name for value in model.graph.input]
        outputs = [value.name for value in model.graph.output]
        for graph in graphs(model.graph):
            _rename(graph, names)
        return {
            "equal": True,
            "inputs": {name: names[name] for name in inputs if name in names},
            "outputs": {name: names[name] for name in outputs if name in names},
            "text": ", ".join(f"{old} is now {new}" for old, new in names.items()),
        }


def _parse(pairs: list[str], graph: GraphProto) -> dict[str, str]:
    known = value_names(graph)
    names: dict[str, str] = {}
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not equals or not old or not new:
            raise UsageError(f"{pair!r} is not a renaming.", hint="Write it as OLD=NEW.")
        if old not in known:
            raise unknown(old, "value", known)
        names[old] = new
    taken = {name for one in graphs(graph) for name in value_names(one)} - names.keys()
    for new in names.values():
        if new in taken or list(names.values()).count(new) > 1:
            raise UsageError(f"The name {new!r} is taken already.", hint="Choose another.")
    return names


def _rename(graph: GraphProto, names: Mapping[str, str]) -> None:
    for values in (graph.input, graph.output, graph.value_info, graph.initializer):
        for value in values:
            value.name = names.get(value.name, value.name)
    for sparse in graph.sparse_initializer:
        sparse.values.name = names.get(sparse.values.name, sparse.values.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for annotation in graph.quantization_annotation:
        annotation.tensor_name = names.get(annotation.tensor_name, annotation.tensor_name)
