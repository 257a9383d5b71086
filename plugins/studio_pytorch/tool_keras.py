"""Models of Keras 3, computed and exported by PyTorch.

Used by ``tool.py``: keras and torch alone; nothing of the studio.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

# Before the first import of Keras: afterwards it has chosen.
os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

Json = Mapping[str, Any]

_parts: Any = importlib.import_module("tool_models")
_values: Any = importlib.import_module("tool_values")

_LAYER = "layer"
"""Entry of a node's own notes: the layer that it belongs to."""

_OPEN_SIZES = {4: 64}
"""Example sizes of open axes beyond the batch, by the rank of the input."""

_FIXED = (
    "The export has fixed sizes of {} beyond the batch, as its layers compute them step by step: "
    "--input {}=... sets others."
)
_FEW = 8
_AXES = {4: ("batch", "height", "width"), 3: ("batch", "length"), 2: ("batch", "length")}
"""Names of open axes, channels last."""

_COLORS = {1: "GRAY", 3: "RGB"}
_PIXELS = frozenset({"float32", "float16", "uint8", "int32"})


class KerasModel:
    """A model of Keras 3, computed by PyTorch; channels come last."""

    axes = _AXES

    def __init__(self, path: str) -> None:
        with _parts.safety.no_pickles():
            self._model = keras.saving.load_model(path, compile=False, safe_mode=True)
        if not getattr(self._model, "inputs", None):
            raise _parts.ConversionError(
                "The model is a class of its own, without inputs that it names."
            )
        self._wrapped = _Positional(self._model).eval()

    def names(self) -> list[str]:
        """Names of its inputs."""
        return [str(one.name) for one in self._model.inputs]

    def export(self, output: str, inputs: Mapping[str, Json]) -> list[str]:
        """Write it as ONNX; sizes that Keras leaves open stay open."""
        program, fixed = self._exported(inputs)
        made = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            input_names=self.names(),
            output_names=[str(one._keras_history.operation.name) for one in self._model.outputs],
        )
        assert made is not None
        _parts.save(made, output)
        return [_FIXED.format(", ".join(fixed), fixed[0])] if fixed else []

    def _exported(self, inputs: Mapping[str, Json]) -> tuple[Any, list[str]]:
        """Return the program, and the inputs with sizes that had to be fixed beyond the batch.

        A recurrent layer computes its steps one by one, so that their number is fixed.
        """
        try:
            return self._program(inputs), []
        except torch._dynamo.exc.UserError:
            fixed = [str(one.name) for one in self._model.inputs if None in one.shape[1:]]
            if not fixed:
                raise
            return self._program(inputs, most=1), fixed

    def _program(self, inputs: Mapping[str, Json], most: int | None = None) -> Any:
        """Export the model with open sizes; with a limit those of the first axes alone."""
        arguments, opened = [], []
        for one in self._model.inputs:
            spec = inputs.get(one.name) or _parts.NO_WISH
            sizes = spec["shape"] or self._example(one.shape)
            arguments.append(_parts.filled(sizes, getattr(torch, one.dtype)))
            axes = [at for at, size in enumerate(one.shape) if size is None][:most]
            opened.append(dict.fromkeys(axes, torch.export.Dim.DYNAMIC) or None)
        return torch.export.export(
            self._wrapped, tuple(arguments), dynamic_shapes={"values": tuple(opened)}, strict=False
        )

    def more(self) -> tuple[dict[str, Any], list[str]]:
        """Return the preprocessing of a model that scales its pixels itself."""
        first = next(
            (one for one in self._model.layers if not isinstance(one, keras.layers.InputLayer)),
            None,
        )
        is_raw = isinstance(first, keras.layers.Rescaling | keras.layers.Normalization)
        shapes = [(one.shape, str(one.dtype)) for one in self._model.inputs]
        preprocess = _raw_pixels(*shapes[0]) if is_raw and len(shapes) == 1 else {}
        return {"preprocess": preprocess}, []

    @staticmethod
    def _example(shape: Sequence[Any]) -> list[int]:
        others = _OPEN_SIZES.get(len(shape), _FEW)
        return [size or (others if at else 2) for at, size in enumerate(shape)]

    def outputs(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it as Keras does."""
        with torch.no_grad():
            return list(
                _parts.tensors(
                    self._wrapped(*(torch.from_numpy(arrays[one]) for one in self.names()))
                )
            )

    def line_of(self, node: str) -> str:
        """Return nothing: a layer of Keras has no line of the user's code."""
        return ""

    def fed(self) -> list[str]:
        """Names of its inputs in the ONNX model."""
        return self.names()

    def inner(self, made: bool) -> Any:
        """Return its intermediate values, each with the layer that computes it."""
        for layer in self._model._flatten_layers():
            if layer is not self._model:
                layer.call = _noting(layer.name, layer.call)
        with torch.fx.traceback.preserve_node_meta():
            program, _ = self._exported({})
        return _values.ProgramValues(_values.exported(program), place=_layer)


def _noting(name: str, call: Any) -> Any:
    """Let a layer leave its name in the nodes that are traced; an inner layer goes first."""

    @functools.wraps(call)
    def noted(*values: Any, **more: Any) -> Any:
        with torch.fx.traceback.annotate({_LAYER: name}):
            return call(*values, **more)

    return noted


def _layer(node: Any) -> str:
    name = (node.meta.get("custom") or {}).get(_LAYER)
    return f"the layer {name!r}" if name else ""


def _raw_pixels(shape: Sequence[Any], dtype: str) -> dict[str, Any]:
    """Return the settings of an input of pixels from 0 to 255; empty for one of another shape."""
    if len(shape) != 4 or shape[3] not in _COLORS or dtype not in _PIXELS:
        return {}
    sizes = {"resize": "stretch", "height": shape[1], "width": shape[2], "antialias": True}
    fixed = sizes if shape[1] and shape[2] else {}
    color = {"color": _COLORS[shape[3]]}
    return {**color, **fixed, "scale": 1.0, "layout": "NHWC", "dtype": dtype}


class _Positional(torch.nn.Module):  # type: ignore[misc]
    """A Keras model that takes its inputs one by one."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._model = model

    def forward(self, *values: Any) -> Any:
        return self._model(values[0] if len(values) == 1 else list(values), training=False)
