"""Int8 speed-up estimate for a model, from its layers timed on this machine."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from studio.api import Graph
from studio.lazy_dataclass import dataclass
from studio.quantization.outlook.layer_shapes import Layer, LayerShape, elements, layers
from studio.quantization.results import MachineTimings, SpeedupOutlook

_VARIES = 0.03
_IN_INT8 = ("Conv", "MatMul")

MOST_SHAPES = 20
"""Most different layers to time; others are estimated from the nearest of their kind."""

_UNSURE = 0.1
"""Difference of the sum of single layers from a whole model, besides the known variation; half
of what a run takes that does nothing comes to it, which is much of a tiny model's time."""

_FREE = frozenset(
    {"Constant", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout"}
    | {"Relu", "Clip", "BatchNormalization", "Cast", "Shape"}
)
"""Operators that a runtime folds, fuses, or does without copying."""

_PASSES = frozenset(
    {"Relu", "Clip", "BatchNormalization", "Identity", "Reshape", "Flatten", "Squeeze"}
    | {"Unsqueeze", "Dropout", "MaxPool", "Transpose"}
)
"""Operators through which bytes stay bytes."""

_SLOW = frozenset(
    {"PRelu", "MaxPool", "AveragePool", "Resize", "LayerNormalization", "Softmax", "Concat"}
    | {"ReduceMean", "InstanceNormalization", "ConvTranspose", "Pow", "Sqrt", "Erf", "Gather"}
)
"""Operators that do more with each number than an activation function, or move it."""


@dataclass(frozen=True, slots=True)
class SpeedupEstimate:
    """Estimated speed-up of int8.

    Attributes:
        kernels: What the processor has for arithmetic on bytes.
        share: Of the multiplications that can run in int8; None where shapes are not known.
        low, high: Between these the time over that of the float model is expected.
        tried: Whether they come from a trial of the model instead of single layers.
    """

    kernels: tuple[str, ...]
    share: float | None
    low: float
    high: float
    tried: bool = False

    def with_trial(self, low: float, high: float) -> SpeedupEstimate:
        """Return the estimate from a trial's interval, wider by the variation between runs."""
        return replace(self, low=low * (1 - _VARIES), high=high * (1 + _VARIES), tried=True)

    @property
    def sentence(self) -> str:
        """The answer in words."""
        names = ", ".join(self.kernels) or "no known int8 instructions"
        if self.share is None and not self.tried:
            return f"This machine has {names}; how much of the model can use them is not known."
        if self.share == 0:
            return f"No: this model has no operators with int8 kernels ({names})."
        verdict = "Yes" if self.high < 1 else "No" if self.low > 1 else "Inconclusive"
        told = [names, "tried with one sample" if self.tried else "from its layers timed alone"]
        if self.share is not None:
            told.append(f"{100 * self.share:.0f} % of the multiplications can run in int8")
        return (
            f"{verdict}: about {self.low:.2f} to {self.high:.2f} of the float time on this machine "
            f"({'; '.join(part for part in told if part)})."
        )

    def outlook(self) -> SpeedupOutlook:
        """Return the estimate with its answer in words."""
        return SpeedupOutlook(
            self.kernels, self.share, self.low, self.high, self.tried, self.sentence
        )


def shapes_to_time(graph: Graph) -> list[LayerShape]:
    """Return the shapes of layers to time, those with most work first."""
    work: Counter[LayerShape] = Counter()
    for layer in layers(graph):
        if layer.shape is not None:
            work[layer.shape] += layer.macs + 1
    return [shape for shape, _ in work.most_common(MOST_SHAPES)]


def predict(graph: Graph, measured: MachineTimings) -> SpeedupEstimate:
    """Predict the times of the layers, of those in float, and of the borders between both.

    Depthwise convolutions and products of two activations stay in float, as the presets leave
    them. Where a value goes from float to bytes or back, rounding it takes time for each number.
    What is no layer takes what one of two measured operators takes; a convolution timed alone
    may or may not have spent time on the layout of its values, which a model does less often.
    """
    found = layers(graph)
    kernels, total = measured.kernels, sum(layer.macs for layer in found)
    if not total:
        return SpeedupEstimate(kernels, None, 1.0, 1.0)
    share = sum(layer.macs for layer in found if layer.kind in _IN_INT8) / total
    if not share:
        return SpeedupEstimate(kernels, 0.0, 1.0, 1.0)
    times = _Times(graph, found, measured)
    ratios = [times.ratio(dear, moved) for dear in (False, True) for moved in (False, True)]
    unsure = _UNSURE + measured.run_us / 2 / times.float_us
    return SpeedupEstimate(kernels, share, min(ratios) * (1 - unsure), max(ratios) * (1 + unsure))


class _Times:
    """Microseconds of a model, put together from its parts."""

    def __init__(self, graph: Graph, found: Sequence[Layer], measured: MachineTimings) -> None:
        self._graph, self._layers, self._measured = graph, found, measured
        timed = measured.layers
        self._known = [(one, timed[one.shape.key]) for one in found
                       if one.shape is not None and one.shape.key in timed]  # fmt: skip
        names = {layer.node.name for layer in found}
        self._others = [
            node for node in graph.nodes if node.name not in names and node.operator not in _FREE
        ]
        self._crossed = self._borders()
        self.float_us = measured.run_us + sum(self._layer(layer)[0] for layer in found)

    def ratio(self, dear: bool, moved: bool) -> float:
        """Return the time of int8 over float.

        Args:
            dear: Take for operators that are no layers what they may take at most.
            moved: Take off what the layout of a single float convolution's values may have cost.
        """
        each = self._measured.cheap[1] if moved else 0.0
        classes = (self._measured.cheap, self._measured.middle, self._measured.slow)
        rest = self._measured.run_us + sum(
            _microseconds(
                classes[(node.operator in _SLOW) + dear], elements(self._graph, node.outputs[:1])
            )
            for node in self._others
        )
        before = after = rest
        for layer in self._layers:
            exact, int8 = self._layer(layer)
            layout = each * layer.elements if layer.node.operator == "Conv" else 0.0
            exact = max(exact - layout, exact / 2)
            before += exact
            after += int8 if layer.kind in _IN_INT8 else exact
        return float((after + self._crossed) / before)

    def _layer(self, layer: Layer) -> tuple[float, float]:
        """Return the measured time, or one scaled from the layer of its kind nearest in work."""
        if layer.shape is not None and layer.shape.key in self._measured.layers:
            return self._measured.layers[layer.shape.key]
        alike = [(one, took) for one, took in self._known if one.kind == layer.kind] or self._known
        if not alike or not layer.macs:
            return 0.0, 0.0
        near, took = min(alike, key=lambda pair: abs(math.log(max(pair[0].macs, 1) / layer.macs)))
        scale = layer.macs / max(near.macs, 1)
        return took[0] * scale, took[1] * scale

    def _borders(self) -> float:
        """Return the time of conversions where layers of both kinds meet."""
        quantized = {one.node.outputs[0]: one for one in self._layers if one.kind in _IN_INT8}
        in_bytes = {name for name, one in quantized.items() if one.node.operator == "Conv"}
        rounding, widening = self._measured.quantize, self._measured.dequantize
        took = 0.0
        rounded: set[str] = set()
        back: set[str] = set()
        for node in self._graph.nodes:
            if node.operator in _PASSES and node.inputs[:1] and node.inputs[0] in in_bytes:
                in_bytes.update(node.outputs[:1])
                continue
            reads_bytes = bool(node.outputs) and node.outputs[0] in quantized
            for name in node.inputs:
                if reads_bytes and name == node.inputs[0] and name not in in_bytes | rounded:
                    rounded.add(name)
                    took += _microseconds(rounding, elements(self._graph, [name]))
                elif not reads_bytes and name in in_bytes and name not in back:
                    back.add(name)
                    took += _microseconds(widening, elements(self._graph, [name]))
        leaving = [value.name for value in self._graph.outputs if value.name in in_bytes - back]
        return took + sum(
            _microseconds(widening, elements(self._graph, [name])) for name in leaving
        )


def _microseconds(times: tuple[float, float], numbers: int) -> float:
    """Time of a node that reads or writes some numbers."""
    node, each = times
    return float(node + each * numbers)
