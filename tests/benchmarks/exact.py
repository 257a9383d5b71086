"""How far one exact transform alone moves the float outputs of a model, and what rounding does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
import onnxruntime

from studio.api import Sample, Silent
from studio_onnxruntime.calibration import channel_sizes
from studio_onnxruntime.preparation import load, prepared
from studio_onnxruntime.rewriting import balanced_inputs, equalise, equalise_inputs, fold
from tests.benchmarks.zoo import doubles

Array = numpy.ndarray[Any, Any]
Feeds = Mapping[str, Array]


class Samples:
    """A few feeds as a dataset."""

    def __init__(self, feeds: Sequence[Feeds]) -> None:
        self._feeds = feeds

    def __len__(self) -> int:
        return len(self._feeds)

    def __iter__(self) -> Any:
        return (Sample(dict(each)) for each in self._feeds)


class Exactness:
    """One model, prepared as every quantization prepares it, and what is done to it.

    Attributes:
        feeds: The samples that everything is run on.
    """

    def __init__(self, source: Path, folder: Path, feeds: Sequence[Feeds]) -> None:
        self.feeds, self._folder = feeds, folder
        self._ready = prepared(load(source), folder)
        self._source = onnx.load(str(source))
        self._floats = self._outputs(self.model())

    def model(self) -> onnx.ModelProto:
        """The prepared model."""
        return onnx.load(str(self._ready))

    def transforms(self) -> dict[str, Callable[[onnx.ModelProto], int]]:
        """Each exact transform, told how many places it changed."""
        return {"fold": fold, "equalise": equalise, "equalise_inputs": self._balance}

    def error(self, transform: Callable[[onnx.ModelProto], int]) -> tuple[int, float]:
        """Places that a transform changes, and the largest relative difference at any output."""
        model = self.model()
        count = transform(model)
        onnx.checker.check_model(model, full_check=True)
        return count, farthest(self._floats, self._outputs(model)) if count else 0.0

    def preparing(self) -> float:
        """What the preparation itself (constant folding, batch normalisation) moves."""
        return farthest(self._outputs(self._source), self._floats)

    def runtime(self) -> float:
        """What the runtime's own fusions move: one model with them and without."""
        return farthest(self._floats, self._outputs(self.model(), plain=True))

    def from_doubles(
        self, transforms: Sequence[Callable[[onnx.ModelProto], int]], count: int = 1
    ) -> list[float]:
        """How far from double precision the model is, and after each transform.

        The model in double precision is the prepared one, so that both roundings are seen.
        """
        exact = [doubles.outputs(self.model(), each) for each in self.feeds[:count]]
        found = [farthest(exact, self._floats[:count])]
        for transform in transforms:
            model = self.model()
            transform(model)
            found.append(farthest(exact, self._outputs(model)[:count]))
        return found

    def _balance(self, model: onnx.ModelProto) -> int:
        every = [node.name for node in model.graph.node if node.op_type == "Conv"]
        names = balanced_inputs(model, every)
        if not names:
            return 0
        data = Samples(self.feeds)
        sizes = channel_sizes(model, names, data, self._ready, Silent())
        return len(equalise_inputs(model, sizes, every))

    def _outputs(self, model: onnx.ModelProto, plain: bool = False) -> list[Feeds]:
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads, settings.log_severity_level = 1, 4
        if plain:
            settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
        )
        names = [value.name for value in session.get_outputs()]
        return [
            dict(zip(names, session.run(names, dict(each)), strict=True)) for each in self.feeds
        ]


def farthest(exact: Sequence[Feeds], found: Sequence[Feeds]) -> float:
    """The largest difference at any output, over the largest magnitude of that output."""
    worst = 0.0
    for one, other in zip(exact, found, strict=True):
        for name, array in one.items():
            size = float(numpy.abs(array).max(initial=0.0)) or 1.0
            apart = numpy.abs(array.astype(numpy.float64) - other[name].astype(numpy.float64))
            worst = max(worst, float(apart.max(initial=0.0)) / size)
    return worst
