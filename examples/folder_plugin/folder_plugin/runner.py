"""The bench's runner: this one file, numpy and the runtime alone, Python 3.8.

It travels to boards, so it imports nothing of the studio and nothing of this package.
"""

from __future__ import annotations

import onnx
from onnx.reference import ReferenceEvaluator


def load(path, options):
    """Load a model."""
    return Runner(path)


class Runner:
    """A loaded model, as the bench asks it."""

    def __init__(self, path):
        self._model = onnx.load(path)
        self._evaluator = ReferenceEvaluator(self._model)

    def inputs(self):
        """Name, numpy type and declared shape of each input."""
        weights = {each.name for each in self._model.graph.initializer}
        return [_described(each) for each in self._model.graph.input if each.name not in weights]

    def run(self, feeds):
        """The outputs by name."""
        names = self._evaluator.output_names
        return dict(zip(names, self._evaluator.run(None, dict(feeds))))

    def describe(self):
        """What is in force."""
        return {
            "runtime": "onnx",
            "version": onnx.__version__,
            "device": "cpu",
            "providers": [],
            "precision": "as in the model",
            "threads": 1,
        }

    def operators(self, feeds, runs):
        """It cannot tell."""
        return []

    def close(self):
        """Free the model."""


def _described(value):
    kind = value.type.tensor_type
    shape = [each.dim_param or each.dim_value for each in kind.shape.dim]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
    return {"name": value.name, "dtype": str(dtype), "shape": shape}
