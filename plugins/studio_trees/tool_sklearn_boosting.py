"""The estimators of LightGBM and XGBoost as steps of scikit-learn, for the exporter to ONNX.

Used by ``tool_sklearn_models.py``: skl2onnx, onnxmltools and the two libraries alone; nothing of
the studio.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

import skl2onnx
from skl2onnx.common import _container as container

_OPTIONS = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
_SHAPES = "skl2onnx.common.shape_calculator"
_CONVERTERS = "onnxmltools.convert.{0}.operator_converters.{1}"


def register() -> None:
    """Teach the exporter the libraries that the pickle has loaded, and plain numbers."""
    container.make_node = _with_plain_numbers(container.make_node)
    if "lightgbm" in sys.modules:
        _register("lightgbm", "LightGbm", "LGBM", {"split": None})
    if "xgboost" in sys.modules:
        _register("xgboost", "XGBoost", "XGB", None)


def _register(library: str, file: str, prefix: str, of_regressor: Mapping[str, Any] | None) -> None:
    shapes = importlib.import_module(_SHAPES)
    converters = importlib.import_module(_CONVERTERS.format(library, file))
    convert = getattr(converters, f"convert_{library}")
    for kind, shape, options in (
        ("Classifier", shapes.calculate_linear_classifier_output_shapes, _OPTIONS),
        ("Regressor", shapes.calculate_linear_regressor_output_shapes, of_regressor),
    ):
        name = f"{prefix}{kind}"
        estimator = getattr(importlib.import_module(library), name)
        skl2onnx.update_registered_converter(
            estimator, f"{file}{name}", shape, convert, options=options
        )


def _with_plain_numbers(make_node: Callable[..., Any]) -> Callable[..., Any]:
    """Return it for attributes with truth values and numpy's numbers, which protobuf refuses."""

    def made(*arguments: Any, **attributes: Any) -> Any:
        plain = {name: _plain(value) for name, value in attributes.items()}
        return make_node(*arguments, **plain)

    return made


def _plain(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    numbers = [one.item() if hasattr(one, "item") else one for one in value]
    return [int(one) if isinstance(one, bool) else one for one in numbers]
