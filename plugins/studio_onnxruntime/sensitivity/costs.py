"""Error and time of every layer when it alone is quantized.

A layer is the one of the quantized model, with its bytes as weights and its output rounded, so
that the runtime uses the kernels that it will use. What lies behind it is run in float, from
values that were kept.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onnx import ModelProto

from studio.api import Array, Feeds, Progress
from studio_onnxruntime.sensitivity.chain import Chain, Segment
from studio_onnxruntime.sensitivity.noise import Ratios, decibels, worst
from studio_onnxruntime.sensitivity.pieces import CutModel, Cutter, Pieces

_TIMED_RUNS = 7


@dataclass(frozen=True, slots=True)
class LayerCost:
    """Error and time of quantizing one layer alone.

    Attributes:
        sqnr_db: Signal to noise at the worst output, in decibels.
        float_us, int8_us: Processor's time of the layer alone, least of a few runs on one thread.
    """

    sqnr_db: float
    float_us: float
    int8_us: float

    @property
    def gain_us(self) -> float:
        """Microseconds saved by quantizing the layer; negative where int8 is slower."""
        return self.float_us - self.int8_us


def layer_costs(
    exact: ModelProto,
    quantized: ModelProto,
    layers: Sequence[str],
    samples: Sequence[Feeds],
    progress: Progress,
    *,
    timed: bool = True,
) -> dict[str, LayerCost]:
    """Return the cost of each layer.

    Args:
        exact: The float model.
        quantized: The same with all of these layers quantized.
        layers: Names of nodes that both have.
        samples: Four give nearly the ranking of thirty. What lies between the segments is kept for
            all of them, and within a segment for one at a time.
        timed: Without, the times are zero.
    """
    return _Costs(exact, quantized, layers, samples, timed).all(progress)


class _Costs:
    def __init__(
        self,
        exact: ModelProto,
        quantized: ModelProto,
        layers: Sequence[str],
        samples: Sequence[Feeds],
        timed: bool,
    ) -> None:
        self._pieces = Pieces(quantized.graph)
        self._cutter = Cutter(exact, self._pieces)
        self._nodes = {node.name: node for node in exact.graph.node}
        self._chain = Chain(exact, self._cutter, layers)
        self._count, self._timed = len(layers), timed
        self._kept = [self._chain.run(feeds) for feeds in samples]
        leaving = self._chain.leaving
        self._exact = [{name: values[name] for name in leaving} for values in self._kept]

    def all(self, progress: Progress) -> dict[str, LayerCost]:
        costs: dict[str, LayerCost] = {}
        done, total = 0, self._count * len(self._kept)  # each layer of each sample
        for place, segment in enumerate(self._chain.segments):
            cuts = {name: self._cut(segment, name) for name in segment.layers}
            read = list(dict.fromkeys(name for cut in cuts.values() for name in cut.inputs))
            ratios: dict[str, list[Ratios]] = {name: [] for name in cuts}
            times = dict.fromkeys(cuts, (0.0, 0.0))
            for sample, (kept, exact) in enumerate(zip(self._kept, self._exact, strict=True)):
                inside = segment.recorded(read, kept)
                for name, cut in cuts.items():
                    text = f"Sensitivity ({done // len(self._kept) + 1} of {self._count})"
                    progress.progress(done, total, text)
                    done += 1
                    if self._timed and not sample:
                        times[name] = self._times(name, inside)
                    found = self._chain.finish(place, cut.run(inside), kept)
                    ratios[name].append(decibels(exact, found))
            costs |= {name: LayerCost(worst(ratios[name]), *times[name]) for name in cuts}
        return costs

    def _cut(self, segment: Segment, name: str) -> CutModel:
        """Return a layer and the nodes of its segment that depend on it."""
        output = self._nodes[name].output[0]
        behind = segment.behind(name)
        made = {output, *(each for node in behind for each in node.output)}
        piece = self._pieces.of(name, output)
        return self._cutter.session(
            [*piece, *behind], [each for each in segment.outputs if each in made]
        )

    def _times(self, name: str, values: Mapping[str, Array]) -> tuple[float, float]:
        """Return microseconds of the layer alone, in float and in int8."""
        node = self._nodes[name]
        outputs = list(node.output)
        exact = self._cutter.session([node], outputs, timed=True)
        piece = self._pieces.of(name, node.output[0])
        rounded = self._cutter.session(piece, outputs, timed=True)
        return _least_us(exact, values), _least_us(rounded, values)


def _least_us(cut: CutModel, values: Mapping[str, Array]) -> float:
    times = []
    for _ in range(_TIMED_RUNS):
        # Of this thread, which does the work: others may be using the processor.
        begin = time.thread_time()
        cut.run(values)
        times.append(time.thread_time() - begin)
    return 1e6 * min(times[1:])
