"""The conversion of tree ensembles to ONNX, in the environment where their libraries live.

This file and its parts, numpy, onnx, lightgbm, xgboost and onnxmltools alone; nothing of the
studio.
``run`` is called as ``studio.api.toolchains`` describes for converters.
"""

from __future__ import annotations

import contextlib
import glob
import importlib
import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import lightgbm
import numpy
import onnx
import onnxmltools
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

Tell = Callable[..., None]
Json = Mapping[str, Any]

# A converter's parts lie next to it; the environment knows nothing of the folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_structure: Any = importlib.import_module("tool_structure")

_INPUT = "x"
_BATCH = "batch"
_OPSET = 15
"""The newest that the converters write."""

_MARGIN = 0.25
"""Share of the span of a feature's thresholds by which samples reach beyond them."""


class ConversionError(Exception):
    """The fault of a request or a file, in one sentence."""


class Ensemble(Protocol):
    """Trees that were loaded.

    Attributes:
        features: Their names.
        classes: Number of classes; 0 for a regression.
    """

    features: list[str]
    classes: int

    def export(self, inputs: Sequence[tuple[str, Any]]) -> Any:
        """Return the ensemble as an ONNX model."""

    def scores(self, rows: Any) -> Any:
        """Return probabilities by class, or values."""


class LightGbm:
    """A model of LightGBM, of its text format."""

    def __init__(self, path: str) -> None:
        self._model = lightgbm.Booster(model_file=path)
        self.features = list(self._model.feature_name())
        objective = str(self._model.dump_model()["objective"]).split()[0]
        number = self._model.num_model_per_iteration()
        self.classes = number if number > 1 else 2 * objective.startswith("binary")

    def export(self, inputs: Sequence[tuple[str, Any]]) -> Any:
        """Return it as ONNX."""
        return onnxmltools.convert_lightgbm(
            self._model, initial_types=list(inputs), zipmap=False, target_opset=_OPSET
        )

    def scores(self, rows: Any) -> Any:
        """Return probabilities by class, or values."""
        found = self._model.predict(rows)
        return numpy.stack([1 - found, found], -1) if self.classes == 2 else found


class XgBoost:
    """A model of XGBoost, of its JSON or UBJSON format."""

    def __init__(self, path: str) -> None:
        self._model = xgboost.Booster(model_file=path)
        number = self._model.num_features()
        self.features = list(self._model.feature_names or [f"f{at}" for at in range(number)])
        self._model.feature_names = None  # the converter knows features by their numbers
        learner = json.loads(self._model.save_config())["learner"]
        objective = learner["learner_train_param"]["objective"]
        number = int(learner["learner_model_param"]["num_class"])
        self.classes = number or 2 * objective.startswith("binary:logi")

    def export(self, inputs: Sequence[tuple[str, Any]]) -> Any:
        """Return it as ONNX."""
        return onnxmltools.convert_xgboost(
            self._model, initial_types=list(inputs), target_opset=_OPSET
        )

    def scores(self, rows: Any) -> Any:
        """Return probabilities by class, or values."""
        margins = self._model.predict(xgboost.DMatrix(rows), output_margin=self.classes > 0)
        if self.classes == 2 and margins.ndim == 1:
            found = 1 / (1 + numpy.exp(-margins))
            return numpy.stack([1 - found, found], -1)
        if not self.classes:
            return margins
        powers = numpy.exp(margins - margins.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a file, or run it on samples; what goes wrong is in ``error``."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    try:
        return _done(request, tell)
    except ConversionError as error:
        return {"error": str(error)}


def _done(request: Json, tell: Tell) -> dict[str, Any]:
    name = os.path.basename(request["source"])
    tell(0.0, 0.0, "Loading the model")
    with _explained(f"{name} cannot be loaded"):
        model = _load(request["source"])
    if request["work"] == "answer":
        with _explained(f"{name} does not run on the samples"):
            _answer(model, request, tell)
        return {}
    if request["inputs"]:
        raise ConversionError(
            f"Trees take rows of {len(model.features)} numbers; their shape cannot be chosen."
        )
    tell(0.0, 0.0, "Exporting to ONNX")
    with _explained(f"{name} cannot be exported"):
        made = model.export([(_INPUT, FloatTensorType([None, len(model.features)]))])
    _name_sizes(made.graph, model.classes)
    onnx.helper.set_model_props(made, {"features": json.dumps(model.features)})
    onnx.save(made, request["output"])
    return {"warnings": [], "ranges": {_INPUT: _ranges(made.graph, len(model.features))}}


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn an exception of a library into one sentence; its whole text goes to the log."""
    try:
        yield
    except (ConversionError, MemoryError):
        raise
    except Exception as error:
        traceback.print_exc()
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[0] if lines else "no reason given"
        raise ConversionError(f"{what}: {reason.rstrip('.')}.") from None


def _load(path: str) -> Ensemble:
    with open(path, "rb") as file:
        content = file.read()
    _structure.check(content)
    return LightGbm(path) if content.startswith(b"tree") else XgBoost(path)


def _answer(model: Ensemble, request: Json, tell: Tell) -> None:
    paths = sorted(glob.glob(os.path.join(request["samples"], "*.npz")))
    for number, path in enumerate(paths):
        tell(number, len(paths), f"Running sample {number + 1} of {len(paths)}")
        with numpy.load(path, allow_pickle=False) as arrays:
            scores = numpy.asarray(model.scores(arrays[_INPUT]), numpy.float32)
        if model.classes:
            outputs = [scores.argmax(-1).astype(numpy.int64), scores]
        else:
            outputs = [scores.reshape(len(scores), -1)]
        made = {str(at): one for at, one in enumerate(outputs)}
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **made)


def _name_sizes(graph: Any, classes: int) -> None:
    """Name the batch, which the converters leave without a name or write as 1."""
    for value in (*graph.input, *graph.output):
        sizes = value.type.tensor_type.shape.dim
        sizes[0].Clear()
        sizes[0].dim_param = _BATCH
        if len(sizes) > 1 and value.name == "probabilities":
            sizes[1].dim_value = classes


def _ranges(graph: Any, features: int) -> list[list[float]]:
    """Return a low and a high number for each feature, around the thresholds of the trees."""
    low, high = numpy.full(features, numpy.inf), numpy.full(features, -numpy.inf)
    for node in graph.node:
        found = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
        modes = found.get("nodes_modes", ())
        for mode, at, value in zip(
            modes, found.get("nodes_featureids", ()), found.get("nodes_values", ()), strict=False
        ):
            if mode != b"LEAF":
                low[at], high[at] = min(low[at], value), max(high[at], value)
    unused = ~numpy.isfinite(low)
    low[unused], high[unused] = -1.0, 1.0
    margin = numpy.maximum((high - low) * _MARGIN, 1e-3)
    return [(low - margin).tolist(), (high + margin).tolist()]
