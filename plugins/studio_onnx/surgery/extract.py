"""Extraction of a sub-model, and the removal of unused nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import onnx
from onnx import GraphProto, ModelProto, ValueInfoProto

from studio.api import Option, UsageError
from studio_onnx.surgery.edit import Edit, reads, unknown, value_names


class Extract(Edit):
    """Keeps what lies between some values."""

    id = "extract"
    title = "Extract a part"
    options: ClassVar = (
        Option(
            "start",
            many=True,
            names="value",
            help="Values that become inputs; else the model's inputs.",
        ),
        Option(
            "end",
            many=True,
            names="value",
            help="Values that become outputs; else the model's outputs.",
        ),
    )

    def edit(self, model: ModelProto, options: Mapping[str, Any]) -> dict[str, Any]:
        """Cut the graph at the given values."""
        graph = model.graph
        known = value_names(graph)
        start = _values(options.get("start"), known)
        end = _values(options.get("end"), known) or [value.name for value in graph.output]
        types = _types(model)
        before = len(graph.node)
        needed = prune(graph, end, set(start))
        inputs = [
            value for value in graph.input if value.name in needed and value.name not in start
        ]
        _replace(graph.input, [*(types[name] for name in start), *inputs])
        _replace(graph.output, [types[name] for name in end])
        return {
            # Other ends have no numbers of the whole model to be compared with.
            "equal": not start,
            "text": f"{len(graph.node)} of {before} nodes, from "
            f"{', '.join(value.name for value in graph.input)} to {', '.join(end)}",
        }


class Prune(Edit):
    """Removes outputs that are not wanted, and all that no output needs."""

    id = "prune"
    title = "Remove what is not needed"
    options: ClassVar = (Option("drop", many=True, names="output", help="Outputs to be dropped."),)

    def edit(self, model: ModelProto, options: Mapping[str, Any]) -> dict[str, Any]:
        """Drop outputs, then nodes, constants and inputs that nothing reads."""
        graph = model.graph
        names = [value.name for value in graph.output]
        dropped = options.get("drop") or []
        for name in dropped:
            if name not in names:
                raise unknown(name, "output", names)
        kept = [name for name in names if name not in dropped]
        if not kept:
            raise UsageError("A model without outputs computes nothing.", hint="Keep one.")
        before = len(graph.node)
        _replace(graph.output, [value for value in graph.output if value.name in kept])
        needed = prune(graph, kept, set())
        _replace(graph.input, [value for value in graph.input if value.name in needed])
        return {"equal": True, "text": f"{before - len(graph.node)} nodes removed"}


def prune(graph: GraphProto, ends: Iterable[str], starts: set[str]) -> set[str]:
    """Remove every node and constant that the ends do not need; returns the needed values."""
    makers = {name: number for number, node in enumerate(graph.node) for name in node.output}
    needed: set[str] = set()
    nodes: set[int] = set()
    waiting = list(ends)
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        number = makers.get(name)
        if number is not None and name not in starts and number not in nodes:
            nodes.add(number)
            waiting += reads(graph.node[number])
    _replace(graph.node, [node for number, node in enumerate(graph.node) if number in nodes])
    inside = needed - starts
    _replace(graph.initializer, [one for one in graph.initializer if one.name in inside])
    made = needed | {name for node in graph.node for name in node.output}
    _replace(graph.value_info, [value for value in graph.value_info if value.name in made])
    return needed


def _types(model: ModelProto) -> dict[str, ValueInfoProto]:
    """Return the type of each inferred value, and a typeless entry for the others."""
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    types = {name: ValueInfoProto(name=name) for name in value_names(model.graph)}
    for values in (inferred.value_info, model.graph.input, model.graph.output):
        types.update({value.name: value for value in values})
    return {name: _copied(value) for name, value in types.items()}


def _copied(value: ValueInfoProto) -> ValueInfoProto:
    copy = ValueInfoProto()
    copy.CopyFrom(value)
    return copy


def _values(names: list[str] | None, known: set[str]) -> list[str]:
    for name in names or ():
        if name not in known:
            raise unknown(name, "value", known)
    return list(dict.fromkeys(names or ()))


def _replace(field: Any, items: list[Any]) -> None:
    """Give a repeated field other members; they may be its own."""
    copies = []
    for item in items:
        copy = type(item)()
        copy.CopyFrom(item)
        copies.append(copy)
    del field[:]
    field.extend(copies)
