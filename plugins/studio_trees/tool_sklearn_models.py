"""Fitted models of scikit-learn: their form in ONNX, and their answers.

Used by ``tool_sklearn.py``: numpy, onnx, scikit-learn and skl2onnx alone; nothing of the studio.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

import numpy
import skl2onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import is_classifier, is_outlier_detector
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import RidgeClassifier, RidgeClassifierCV
from sklearn.svm import SVC, NuSVC

_columns: Any = importlib.import_module("tool_sklearn_columns")
_graph: Any = importlib.import_module("tool_sklearn_graph")
_boosting: Any = importlib.import_module("tool_sklearn_boosting")
PickleFault: type[Exception] = _columns.PickleFault

_OPSETS = {"": 17, "ai.onnx.ml": 3}
_OF_ONE_SCORE = RidgeClassifier | RidgeClassifierCV
"""Classifiers with one score for two classes, although the exporter declares two."""

_LABEL, _PROBABILITIES, _SCORES, _VALUE = "label", "probabilities", "scores", "variable"


class Model:
    """An estimator or a pipeline that was fitted.

    Attributes:
        inputs: The columns that it takes.
        names: Those of its outputs.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.inputs = _columns.Inputs.of(estimator)
        self.names = _output_names(estimator)

    def export(self) -> Any:
        """Return it as an ONNX model.

        Raises:
            PickleFault: for outputs that are not as those of the estimator.
        """
        _boosting.register()
        _columns.make_exportable(self.estimator)
        last = _columns.last_step(self.estimator)
        if isinstance(last, VotingClassifier):
            last.flatten_transform = False  # of ``transform`` alone, which is not exported
        made = self._converted(is_classifier(self.estimator))
        if len(made.graph.output) != len(self.names):
            raise PickleFault(
                f"ONNX has {len(made.graph.output)} outputs for it instead of {len(self.names)}."
            )
        _graph.name_inputs(made.graph, [name for name, _, _ in self.inputs.tensors()])
        _graph.name_outputs(made.graph, self.names, {*self.inputs.features})
        _graph.make_texts_portable(made.graph)
        if self.names[0] == _LABEL and not _has_several_targets(self.estimator):
            _graph.flatten(made.graph, 0)
        if len(getattr(self.estimator, "classes_", ())) == 2:
            self._correct_two_classes(made.graph, last)
        _graph.name_batch(made.graph)
        return made

    def _correct_two_classes(self, graph: Any, last: Any) -> None:
        """Write the numbers of two classes as those of more are, and as the estimator does."""
        if isinstance(last, LinearDiscriminantAnalysis):
            _graph.make_logistic(graph)
        elif self.names[-1] != _SCORES:
            return
        elif isinstance(last, _OF_ONE_SCORE) or _graph.has_one_column(graph, 1):
            _graph.add_negated_column(graph, 1)
        elif isinstance(last, SVC | NuSVC):
            _graph.negate(graph, 1)

    def _converted(self, zips: bool) -> Any:
        types = [
            (name, (StringTensorType if is_text else FloatTensorType)([None, width]))
            for name, is_text, width in self.inputs.tensors()
        ]
        options = {id(self.estimator): {"zipmap": False}} if zips else None
        try:
            return skl2onnx.convert_sklearn(
                self.estimator,
                type(self.estimator).__name__,  # otherwise a random name, which changes the file
                types,
                target_opset=dict(_OPSETS),
                options=options,
            )
        except NameError as error:
            # Classifiers without probabilities have no dictionaries to leave out.
            if not zips or "'zipmap' not in" not in str(error):
                raise
            return self._converted(False)

    def metadata(self) -> dict[str, str]:
        """Return the names of its features and classes, as far as it has them."""
        found = {"features": json.dumps(list(self.inputs.features))}
        classes = getattr(self.estimator, "classes_", None)
        if isinstance(classes, numpy.ndarray) and classes.ndim == 1:
            found["classes"] = json.dumps([str(one) for one in classes.tolist()])
        return found

    def outputs(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Return its answers in the order of the outputs."""
        rows = self.inputs.rows(arrays)
        return [self._output(name, rows) for name in self.names]

    def _output(self, name: str, rows: Any) -> Any:
        model = self.estimator
        if name == _LABEL:
            return _plain(model.predict(rows))
        if name == _PROBABILITIES:
            return numpy.asarray(model.predict_proba(rows), numpy.float32)
        if name == _SCORES:
            return _scores(model, rows)
        found = model.predict(rows) if hasattr(model, "predict") else model.transform(rows)
        found = found.toarray() if hasattr(found, "toarray") else numpy.asarray(found)
        return _plain(found.reshape(len(found), -1))


def _output_names(model: Any) -> list[str]:
    groups = hasattr(model, "fit_predict") and hasattr(model, "predict")
    if is_classifier(model) or (groups and not is_outlier_detector(model)):
        return [_LABEL, _PROBABILITIES if hasattr(model, "predict_proba") else _SCORES]
    return [_LABEL, _SCORES] if is_outlier_detector(model) else [_VALUE]


def _has_several_targets(model: Any) -> bool:
    return isinstance(getattr(model, "classes_", None), list)


def _scores(model: Any, rows: Any) -> Any:
    if not hasattr(model, "decision_function"):  # distances to the centres of clusters
        return numpy.asarray(model.transform(rows), numpy.float32)
    found = numpy.asarray(model.decision_function(rows), numpy.float32)
    if is_classifier(model) and found.ndim == 1:
        return numpy.stack([-found, found], -1)
    return found.reshape(len(found), -1)


def _plain(found: Any) -> Any:
    """Return an array of numbers or texts, which can be written without a pickle."""
    array = numpy.asarray(found)
    if array.dtype.kind in "OUS":
        return array.astype(str)
    return array.astype(numpy.float32 if array.dtype.kind == "f" else numpy.int64)
