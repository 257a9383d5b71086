"""A float model in segments that run one after the other, so that what lies behind any layer can.

Loading what lies behind each of a hundred layers takes longer than running it. Of a chain, each
segment is loaded once, and a changed value goes through those behind it that depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from onnx import ModelProto, NodeProto

from studio.api import Array, Feeds
from studio_onnxruntime.rewriting.view import used
from studio_onnxruntime.sensitivity.pieces import CutModel, Cutter

_LAYERS = 6
"""In a segment: more make the cuts of a layer longer, fewer keep operators from being fused."""

Values = dict[str, Array]


class Segment:
    """Neighbouring nodes of a graph.

    Attributes:
        nodes: In the graph's order.
        layers: Names of the nodes that are quantized.
        outputs: Names of the values that later segments read, or that leave the graph.
    """

    def __init__(
        self, cutter: Cutter, nodes: Sequence[NodeProto], layers: Sequence[str], outputs: set[str]
    ) -> None:
        self._cutter = cutter
        self._recording: dict[tuple[str, ...], CutModel] = {}
        self.nodes, self.layers = nodes, layers
        self.outputs = tuple(n for node in nodes for n in node.output if n in outputs)

    @cached_property
    def whole(self) -> CutModel:
        """All of it."""
        return self._cutter.session(self.nodes, self.outputs)

    def recorded(self, names: Sequence[str], values: Values) -> Values:
        """Return values within a segment, and those that lead into it."""
        made = {name for node in self.nodes for name in node.output}
        inner = tuple(name for name in names if name in made and name not in self.outputs)
        if not inner:
            return dict(values)
        if inner not in self._recording:
            self._recording = {inner: self._cutter.session(self.nodes, inner)}
        return {**values, **self._recording[inner].run(values)}

    def behind(self, layer: str) -> list[NodeProto]:
        """Return the nodes of the segment that depend on a layer, without it."""
        return downstream(self.nodes, next(n for n in self.nodes if n.name == layer))[1:]


class Chain:
    """All segments of a model.

    Attributes:
        leaving: The outputs of the model that are tensors.

    Args:
        layers: Names of the nodes that are quantized; segments begin at some of them.
    """

    def __init__(self, exact: ModelProto, cutter: Cutter, layers: Sequence[str]) -> None:
        self.segments = _segments(exact, cutter, set(layers))
        self.leaving = cutter.tensors(value.name for value in exact.graph.output)

    def run(self, feeds: Feeds) -> Values:
        """Return the values between the segments, the inputs and the outputs of the model."""
        values = dict(feeds)
        for segment in self.segments:
            if segment.outputs:
                values.update(segment.whole.run(values))
        return values

    def finish(self, place: int, changed: Values, kept: Mapping[str, Array]) -> Values:
        """Return the outputs for changed values of a segment.

        Args:
            place: Of the segment that has them; the ones behind it are run.
            changed: By name.
            kept: What ``run`` gave.
        """
        changed = dict(changed)
        for segment in self.segments[place + 1 :]:
            if segment.outputs and not changed.keys().isdisjoint(segment.whole.inputs):
                changed.update(segment.whole.run({**kept, **changed}))
        return {name: changed.get(name, kept[name]) for name in self.leaving}


def downstream(nodes: Sequence[NodeProto], start: NodeProto) -> list[NodeProto]:
    """Return a node and all that depends on it, in order."""
    live, found = set(start.output), [start]
    for node in nodes:
        if node.name != start.name and not live.isdisjoint(used(node)):
            live.update(node.output)
            found.append(node)
    return found


def _segments(exact: ModelProto, cutter: Cutter, layers: set[str]) -> list[Segment]:
    nodes = list(exact.graph.node)
    places = [index for index, node in enumerate(nodes) if node.name in layers]
    ends = [*places[_LAYERS::_LAYERS], len(nodes)]
    found, wanted = [], {value.name for value in exact.graph.output}
    # From the end, so that what later ones read is known.
    for begin, end in reversed(list(zip([0, *ends[:-1]], ends, strict=True))):
        part = nodes[begin:end]
        named = [node.name for node in part if node.name in layers]
        found.append(Segment(cutter, part, named, set(wanted)))
        wanted.update(cutter.read(part))
    return found[::-1]
