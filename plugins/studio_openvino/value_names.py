"""Edges between layers of a net, their execution order, and unique names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from studio.api import InvalidModel
from studio_openvino.ir_types import Edge, Layer, Net

Place = tuple[int, int]
"""Ids of a layer and of one of its ports."""


class Names:
    """Registry of unique names: a requested name, or the name with a number behind it."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def reserve(self, wish: str) -> str:
        """Reserve and return an unused name."""
        if wish not in self._counts:
            self._counts[wish] = 1
            return wish
        while True:
            self._counts[wish] += 1
            name = f"{wish}#{self._counts[wish]}"
            if name not in self._counts:
                self._counts[name] = 1
                return name


def layers_by_id(net: Net) -> dict[int, Layer]:
    """Return the layers of a net by ID.

    Raises:
        InvalidModel: when two have the same id.
    """
    found = {layer.id: layer for layer in net.layers}
    if len(found) < len(net.layers):
        raise InvalidModel(f"Two layers of {net.name!r} have the same id.")
    return found


def sources(net: Net, layers: Mapping[int, Layer]) -> dict[Place, Place]:
    """Return the output that each input reads.

    Raises:
        InvalidModel: when an edge leads from or to what is not there, or an input has none or two.
    """
    outputs = {(layer.id, port.id) for layer in layers.values() for port in layer.outputs}
    inputs = {(layer.id, port.id) for layer in layers.values() for port in layer.inputs}
    found: dict[Place, Place] = {}
    for edge in net.edges:
        source, target = _ends(edge, layers)
        if source not in outputs or target not in inputs:
            raise InvalidModel(
                f"An edge leads from port {source[1]} of layer {source[0]} to port {target[1]} of "
                f"layer {target[0]}; one of them is not there."
            )
        if target in found:
            raise InvalidModel(f"Port {target[1]} of layer {target[0]} has two edges.")
        found[target] = source
    for layer_id, port in inputs - found.keys():
        name = layers[layer_id].name
        raise InvalidModel(f"Port {port} of layer {name!r} is connected to nothing.")
    return found


def _ends(edge: Edge, layers: Mapping[int, Layer]) -> tuple[Place, Place]:
    """Return both ends of an edge; an unnamed port is the first."""
    source, target = layers.get(edge.source), layers.get(edge.target)
    if source is None or target is None:
        missing = edge.source if source is None else edge.target
        raise InvalidModel(f"An edge names layer {missing}, which is not there.")
    source_port, target_port = edge.source_port, edge.target_port
    if source_port < 0 and source.outputs:
        source_port = source.outputs[0].id
    if target_port < 0 and target.inputs:
        target_port = target.inputs[0].id
    return (edge.source, source_port), (edge.target, target_port)


def ordered(net: Net, reads: Mapping[Place, Place]) -> Sequence[Layer]:
    """Return the layers so that each follows what it reads, in file order where possible.

    Raises:
        InvalidModel: when layers wait for each other.
    """
    place = {layer.id: index for index, layer in enumerate(net.layers)}
    needs: list[set[int]] = [set() for _ in net.layers]
    for (target, _), (source, _) in reads.items():
        needs[place[target]].add(place[source])
    if all(max(need, default=-1) < index for index, need in enumerate(needs)):
        return net.layers
    sorter = TopologicalSorter(dict(enumerate(needs)))
    try:
        return [net.layers[index] for index in sorter.static_order()]
    except CycleError as error:
        raise InvalidModel(_cycle(net, error.args[1])) from None


def _cycle(net: Net, indices: Iterable[int]) -> str:
    names = [net.layers[index].name for index in indices]
    more = " …" if len(names) > 4 else ""
    return f"{net.name!r} has a cycle: {' -> '.join(names[:4])}{more}."
