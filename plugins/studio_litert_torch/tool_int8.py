"""The quantization of TFLite models to 8 bits, with ranges that lose least on the samples.

Used by ``tool.py``: numpy and Google's packages for LiteRT alone; nothing of the studio.

The calibration of ``ai-edge-quantizer`` follows a moving average of the samples' extremes, so it
cuts values that occur in each of them. Here a range is searched for the least squared error of
rounding and cutting together, on a histogram of all samples. The package then writes the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import algorithm_manager, qtyping, quantizer, recipe

Tell = Callable[..., None]
Array = numpy.ndarray[Any, Any]

_ENDS = (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT)
_ELEMENTWISE = tuple(
    one
    for one in qtyping.TFLOperationName
    if one.name
    in (
        *("ADD", "SUB", "MUL", "DIV", "MEAN", "SUM", "SQRT", "RSQRT", "SQUARED_DIFFERENCE"),
        *("SOFTMAX", "LOGISTIC", "TANH", "GELU", "HARD_SWISH", "MAXIMUM", "REDUCE_MIN"),
    )
)
"""Operators that lose more in 8 bits than they gain: most have no fast kernel for them."""

_SIGNATURE = "serving_default"
_BINS = 2048
_STEPS = 255
_MOST_VALUES = 1 << 16
"""Values of a tensor that a sample adds to its histogram, evenly taken."""

_SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
"""Of an extreme, at which a range may end."""


def quantize(path: str, samples: Sequence[str], whole: bool, tell: Tell) -> None:
    """Quantize weights and activations; inputs and outputs stay in float.

    Args:
        path: The float model, which is replaced.
        samples: Files with an array for each input under its name.
        whole: Whether every operator computes in 8 bits, as chips without float need it.
    """
    rewriter = quantizer.Quantizer(path, recipe.static_wi8_ai8())
    for place in _ENDS if whole else (*_ENDS, *_ELEMENTWISE):
        rewriter.update_quantization_recipe(
            regex=".*",
            operation_name=place,
            algorithm_key=algorithm_manager.AlgorithmName.NO_QUANTIZE,
        )
    observer = Observer(path, tell)
    # Its own calibration, on one sample, lists the values that it needs.
    found = rewriter.calibrate({_SIGNATURE: [observer.fitted(samples[0])]}, num_threads=1)
    ranges = observer.ranges(samples)
    for name, (low, high) in ranges.items():
        if name not in found:
            continue
        for key, value in (("min", low), ("max", high)):
            found[name][key] = numpy.full(numpy.shape(found[name][key]), value, numpy.float32)
    rewriter.quantize(found).export_model(path, overwrite=True)


class Observer:
    """The float values of a model on samples."""

    def __init__(self, path: str, tell: Tell) -> None:
        self._model = Interpreter(
            model_path=path, num_threads=1, experimental_preserve_all_tensors=True
        )
        self._model.allocate_tensors()
        self._inputs = {one["name"]: one for one in self._model.get_input_details()}
        self._values = {
            one["name"]: one["index"]
            for one in self._model.get_tensor_details()
            if one["dtype"] == numpy.float32 and one["name"]
        }
        self._tell = tell

    def fitted(self, sample: str) -> dict[str, Array]:
        """Return the arrays of a file in the types that the model takes."""
        with numpy.load(sample, allow_pickle=False) as arrays:
            return {
                name: arrays[name].astype(place["dtype"]) for name, place in self._inputs.items()
            }

    def ranges(self, samples: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Return the lowest and highest value that each is quantized to; zero lies between."""
        ends = self._ends(samples)
        counts = {name: numpy.zeros(_BINS, numpy.int64) for name in ends}
        for name, array in self._run(samples, "Counting the values of"):
            low, high = ends[name]
            if low < high:
                flat = array.reshape(-1)[:: -(-array.size // _MOST_VALUES)]
                counts[name] += numpy.histogram(flat, _BINS, (low, high))[0]
        return {name: best_range(*ends[name], counts[name]) for name in ends}

    def _ends(self, samples: Sequence[str]) -> dict[str, tuple[float, float]]:
        found: dict[str, tuple[float, float]] = {}
        for name, array in self._run(samples, "Finding the ranges of"):
            finite = array[numpy.isfinite(array)]
            low, high = found.get(name, (0.0, 0.0))
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
            found[name] = (low, high)
        return found

    def _run(self, samples: Sequence[str], what: str) -> Iterator[tuple[str, Array]]:
        for number, sample in enumerate(samples):
            self._tell(number, len(samples), f"{what} sample {number + 1} of {len(samples)}")
            for name, array in self.fitted(sample).items():
                self._model.set_tensor(self._inputs[name]["index"], array)
            self._model.invoke()
            for name, index in self._values.items():
                yield name, self._model.get_tensor(index)


def best_range(low: float, high: float, counts: Array) -> tuple[float, float]:
    """Return the range with the least squared error, of those that end at a share of an extreme.

    Args:
        counts: Of the values between the extremes, in bins of equal width.
    """
    total = int(counts.sum())
    if not total or low >= high:
        return low, high
    edges = numpy.linspace(low, high, len(counts) + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    candidates = [
        (low * below, high * above)
        for below in (_SHARES if low < 0 else (1.0,))
        for above in (_SHARES if high > 0 else (1.0,))
    ]
    return min(candidates, key=lambda ends: _loss(ends, middles, counts))


def _loss(ends: tuple[float, float], values: Array, counts: Array) -> float:
    low, high = ends
    step = (high - low) / _STEPS
    rounded = numpy.clip(
        numpy.round(values / step), numpy.round(low / step), numpy.round(high / step)
    )
    return float((counts * (rounded * step - values) ** 2).sum())
