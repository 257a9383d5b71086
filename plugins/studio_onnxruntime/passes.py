"""Samples run through a float model, a segment at a time, so that few activations are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from onnx import ModelProto

from studio.api import Array, Feeds
from studio_onnxruntime.sensitivity.chain import Chain
from studio_onnxruntime.sensitivity.pieces import CutModel, Cutter


class Pass:
    """Pass over a model that yields values without holding all of them.

    The model is cut into segments of a few layers; what leads from one to later ones is kept as
    long as a node reads it, the rest for as long as it is looked at. A model with values between
    segments that are no tensors of a known type is one segment.

    Args:
        layers: Names of the nodes that make the large values.
        names: Of the values that are wanted.
    """

    def __init__(self, model: ModelProto, layers: Collection[str], names: Collection[str]) -> None:
        cutter = Cutter(model, threads=0)
        chain = Chain(model, cutter, list(layers))
        if not all(cutter.typed(segment.outputs) for segment in chain.segments):
            chain = Chain(model, cutter, [])
        self._fed = [value.name for value in model.graph.input if value.name in names]
        self._parts: list[tuple[CutModel, list[str]]] = []
        read = {name for segment in chain.segments for name in cutter.read(segment.nodes)}
        for segment in chain.segments:
            made = [name for node in segment.nodes for name in node.output if name in names]
            between = [name for name in segment.outputs if name in read]
            outputs = list(dict.fromkeys([*between, *made]))
            if outputs:
                self._parts.append((cutter.session(segment.nodes, outputs), made))
        self._last = {name: n for n, (cut, _) in enumerate(self._parts) for name in cut.inputs}

    def run(self, feeds: Feeds) -> Iterator[tuple[str, Array]]:
        """Yield the wanted values in the graph's order, each once; do not store them."""
        yield from ((name, feeds[name]) for name in self._fed)
        kept: Mapping[str, Array] = feeds
        for place, (cut, made) in enumerate(self._parts):
            found = cut.run(kept)
            both = {**kept, **found}
            kept = {name: both[name] for name in both if self._last.get(name, -1) > place}
            del both
            for name in made:
                yield name, found.pop(name)
