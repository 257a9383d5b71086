"""The quantization of TFLite models to 8 bits, with ranges that lose least on the samples.

Used by ``tool.py``: numpy and Google's packages for LiteRT alone; nothing of the studio.

A range may be the extremes of a value, an average of them, all but a small share, or that of the
least squared error. None is the best for every model: rare large values carry the answer in one and
are noise in another. So the package writes a model for each choice. The one whose outputs are the
closest to those of the float model on the samples is kept.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import algorithm_manager, qtyping, quantizer, recipe

# It lies next to this part; the environment knows nothing of the folder.
_ends: Any = importlib.import_module("tool_ends")

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

_FLOATS = {"int8": (*_ENDS, *_ELEMENTWISE), "int8-whole": _ENDS, "int8-io": ()}
"""Operators in float by precision."""

_SIGNATURE = "serving_default"
_BINS = 2048
_CUT = 5e-5
"""Share of the values that is cut at each end, of those with many."""

_KEPT = 0.95
"""Share of the moving average that a new sample leaves."""

_TRIED = 32
"""Samples on which the models are compared."""

_CLASSES = 5
"""Values in a row that are classes; fewer may be a box."""

_FEWEST_ROWS = 100
"""Rows with classes, from which on their share decides."""

_STEPS = 255
_MOST_VALUES = 1 << 16
"""Values of a tensor that a sample adds to its histogram, evenly taken."""

_SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
"""Of an extreme, at which a range may end."""


def quantize(path: str, samples: Sequence[str], precision: str, tell: Tell) -> None:
    """Quantize weights and activations.

    Args:
        path: The float model, which is replaced.
        samples: Files with an array for each input under its name.
        precision: ``int8``, or ``int8-whole``, where every operator computes in 8 bits. In
            ``int8-io`` inputs and outputs are in 8 bits, too.
    """
    observer = Observer(path, tell)
    spreads = observer.spreads(samples)
    tried = samples[:: -(-len(samples) // _TRIED)]
    exact = _outputs(path, observer, tried)
    made: list[bytes] = []
    losses: list[Loss] = []
    refusal: Exception | None = None
    for number, choice in enumerate(_CHOICES):
        tell(number, len(_CHOICES), f"Trying ranges: {choice.title}")
        ranges = {name: choice.range_of(one) for name, one in spreads.items()}
        try:
            model = _made(path, observer.fitted(samples[0]), ranges, _FLOATS[precision])
            found = _difference(exact, _outputs(model, observer, tried))
        except (RuntimeError, ValueError) as error:  # as of a scale that LiteRT does not take
            refusal = error
            continue
        made.append(model)
        losses.append(found.times(choice.margin))
    if refusal is not None and not made:
        raise refusal
    with open(path, "wb") as file:
        file.write(made[best_of(losses)])


def _made(
    path: str,
    sample: Mapping[str, Array],
    ranges: Mapping[str, tuple[float, float]],
    floats: Sequence[object],
) -> bytes:
    """Return the model with these ranges, as the package writes it.

    Args:
        floats: Operators that compute in float.
    """
    rewriter = quantizer.Quantizer(path, recipe.static_wi8_ai8())
    for place in floats:
        rewriter.update_quantization_recipe(
            regex=".*",
            operation_name=place,
            algorithm_key=algorithm_manager.AlgorithmName.NO_QUANTIZE,
        )
    # Its own calibration, on one sample, lists the values that it needs.
    found = rewriter.calibrate({_SIGNATURE: [sample]}, num_threads=1)
    for name, (low, high) in ranges.items():
        if name not in found:
            continue
        for key, value in (("min", low), ("max", high)):
            found[name][key] = numpy.full(numpy.shape(found[name][key]), value, numpy.float32)
    return bytes(rewriter.quantize(found).quantized_model)


def _outputs(model: str | bytes, observer: Observer, samples: Sequence[str]) -> list[list[Array]]:
    """Return the outputs of a model, given as a file or as its content, for each sample."""
    given = {"model_path": model} if isinstance(model, str) else {"model_content": model}
    one = Interpreter(**given, num_threads=1)
    one.allocate_tensors()
    inputs = {place["name"]: place for place in one.get_input_details()}
    found = []
    for sample in samples:
        for name, array in observer.fitted(sample).items():
            one.set_tensor(inputs[name]["index"], _ends.given(inputs[name], array))
        one.invoke()
        found.append(
            [
                _ends.in_floats(place, one.get_tensor(place["index"]))
                for place in one.get_output_details()
            ]
        )
    return found


@dataclass(frozen=True)
class Loss:
    """The difference of a model from the float one on the samples.

    Attributes:
        classes: Share of the rows with another class.
        rows: Number of rows with classes.
        error: Mean relative error of the outputs.
    """

    classes: float
    rows: int
    error: float

    def times(self, factor: float) -> Loss:
        """Return the loss with both parts multiplied."""
        return Loss(factor * self.classes, self.rows, factor * self.error)


def best_of(losses: Sequence[Loss]) -> int:
    """Return the place of the least loss.

    Classes decide, since an answer with larger errors may still be the same. With a few rows, the
    error does: there, one row by chance is a large share.
    """
    has_rows = losses[0].rows >= _FEWEST_ROWS
    order = [(one.classes if has_rows else 0.0, one.error) for one in losses]
    return order.index(min(order))


def _difference(exact: Sequence[Sequence[Array]], found: Sequence[Sequence[Array]]) -> Loss:
    """Compare outputs of all samples."""
    different, errors = [], []
    for ours, theirs in zip(exact, found, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            if one.ndim in (2, 3) and one.shape[-1] >= _CLASSES:
                different.append((one.argmax(-1) != other.argmax(-1)).reshape(-1))
            errors.append(_relative(one.astype(numpy.float64), other.astype(numpy.float64)))
    rows = numpy.concatenate(different) if different else numpy.zeros(0)
    return Loss(float(rows.mean()) if rows.size else 0.0, rows.size, _mean(errors))


def _relative(one: Array, other: Array) -> float:
    size = float(numpy.square(one).sum())
    return float(numpy.sqrt(numpy.square(other - one).sum() / size)) if size else 0.0


def _mean(values: Sequence[float]) -> float:
    """Return the mean; infinite where a value is no number."""
    found = float(numpy.mean(values)) if values else 0.0
    return found if numpy.isfinite(found) else numpy.inf


@dataclass
class Spread:
    """The values of a tensor on all samples; zero lies between the extremes.

    Attributes:
        mean_low, mean_high: Means of the extremes of the samples.
        late_low, late_high: Their moving averages, in the order of the samples.
        counts: Of the values between the extremes, in bins of equal width.
    """

    low: float
    high: float
    counts: Array
    mean_low: float = 0.0
    mean_high: float = 0.0
    late_low: float = 0.0
    late_high: float = 0.0

    def add(self, low: float, high: float, number: int, count: int) -> None:
        """Add the extremes of a sample of several."""
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.mean_low += low / count
        self.mean_high += high / count
        kept = _KEPT if number else 0.0
        self.late_low = kept * self.late_low + (1 - kept) * low
        self.late_high = kept * self.late_high + (1 - kept) * high

    def extremes(self) -> tuple[float, float]:
        """Return the lowest and the highest value."""
        return self.low, self.high

    def average(self) -> tuple[float, float]:
        """Return the mean extremes of the samples."""
        return self.mean_low, self.mean_high

    def moving_average(self) -> tuple[float, float]:
        """Return the moving average of the extremes, as ``ai-edge-quantizer`` has it."""
        return self.late_low, self.late_high

    def most(self) -> tuple[float, float]:
        """Return the range that all values but a share of the largest ones lie in."""
        total = int(self.counts.sum())
        if not total or self.low >= self.high:
            return self.low, self.high
        sums = numpy.cumsum(self.counts) / total
        edges = numpy.linspace(self.low, self.high, len(self.counts) + 1)
        first = int(numpy.searchsorted(sums, _CUT, side="right"))
        last = int(numpy.searchsorted(sums, 1 - _CUT))
        return min(0.0, float(edges[first])), max(0.0, float(edges[last + 1]))

    def least_error(self) -> tuple[float, float]:
        """Return the range with the least squared error."""
        return best_range(self.low, self.high, self.counts)


@dataclass(frozen=True)
class Choice:
    """A choice of the range of each value.

    Attributes:
        margin: Factor of its error when it is compared: above 1 for ranges that fit these samples
            so closely that other samples lose more.
    """

    title: str
    range_of: Callable[[Spread], tuple[float, float]]
    margin: float = 1.0


_CHOICES = (
    Choice("extremes", Spread.extremes),
    Choice("mean extremes", Spread.average),
    Choice("moving average of the extremes", Spread.moving_average),
    Choice("all but the largest values", Spread.most),
    Choice("least squared error", Spread.least_error, margin=1.25),
)


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

    def spreads(self, samples: Sequence[str]) -> dict[str, Spread]:
        """Return the spread of each value."""
        found = self._ends(samples)
        for name, array in self._run(samples, "Counting the values of"):
            one = found[name]
            if one.low < one.high:
                flat = array.reshape(-1)[:: -(-array.size // _MOST_VALUES)]
                one.counts += numpy.histogram(flat, _BINS, (one.low, one.high))[0]
        return found

    def _ends(self, samples: Sequence[str]) -> dict[str, Spread]:
        found: dict[str, Spread] = {}
        seen: dict[str, int] = {}
        for name, array in self._run(samples, "Finding the ranges of"):
            if name not in found:
                found[name] = Spread(0.0, 0.0, numpy.zeros(_BINS, numpy.int64))
            finite = array[numpy.isfinite(array)]
            low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
            number = seen[name] = seen.get(name, -1) + 1
            found[name].add(min(0.0, float(low)), max(0.0, float(high)), number, len(samples))
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
