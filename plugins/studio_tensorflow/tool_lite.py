"""TFLite files, converted by tf2onnx and run by TFLite's own interpreter.

Used by ``tool.py``: numpy, tensorflow and tf2onnx alone; nothing of the studio.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import tensorflow as tf

Json = Mapping[str, Any]

_safety: Any = importlib.import_module("tool_safety")
_onnx: Any = importlib.import_module("tool_onnx")
_metadata: Any = importlib.import_module("tool_metadata")

_PREFIX = "serving_default_"
_SAMPLES = 8
_LAST_OF_A_BYTE = 127
"""The largest number in the old field: any above it is in the new one."""


class LiteModel:
    """A TFLite file that was loaded."""

    def __init__(self, path: str) -> None:
        self._path = path
        with open(path, "rb") as file:
            self._content = file.read()
        for name in _metadata.custom_operators(self._content):
            _safety.check_custom(name)
        # No delegate: TensorFlow's own operators in a file are not run.
        self._interpreter = tf.lite.Interpreter(
            model_content=self._content,
            experimental_op_resolver_type=(
                tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            ),
        )
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()
        names = _metadata.signature(self._content)
        self._input_names = _named(self._inputs, names["inputs"])
        self._output_names = _named(self._outputs, names["outputs"])

    def names(self) -> list[str]:
        """Names of its inputs."""
        return self._input_names

    def export(self, inputs: Mapping[str, Json]) -> Any:
        """Return it as ONNX; quantized tensors stay quantized."""
        from tf2onnx import convert

        _read_new_operators()
        for name, one in zip(self._input_names, self._inputs, strict=True):
            _check(name, one, inputs.get(name) or _onnx.NO_WISH)
        renamed = dict(
            zip(
                [one["name"] for one in (*self._inputs, *self._outputs)],
                [*self._input_names, *self._output_names],
                strict=True,
            )
        )
        with tf.device("/cpu:0"):
            made, _ = convert._convert_common(
                None,
                tflite_path=self._path,
                name="model",
                continue_on_error=True,
                opset=_onnx.OPSET,
                tensors_to_rename=renamed,
            )
        return made

    def results(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it; its outputs in order."""
        for name, one in zip(self._input_names, self._inputs, strict=True):
            self._interpreter.resize_tensor_input(one["index"], arrays[name].shape)
        self._interpreter.allocate_tensors()
        for name, one in zip(self._input_names, self._inputs, strict=True):
            self._interpreter.set_tensor(one["index"], arrays[name].astype(one["dtype"]))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(one["index"]).copy() for one in self._outputs]

    def samples(self, inputs: Mapping[str, Json]) -> dict[str, Any]:
        """Return numbers over the whole range of inputs that are quantized; empty without one."""
        is_quantized = any(one["quantization"][0] for one in self._inputs)
        if not is_quantized:
            return {}
        random = numpy.random.default_rng(0)
        found = {}
        for name, one in zip(self._input_names, self._inputs, strict=True):
            shape = (inputs.get(name) or _onnx.NO_WISH)["shape"] or one["shape"].tolist()
            sizes = [_SAMPLES * max(1, shape[0]), *shape[1:]] if shape else [_SAMPLES]
            if numpy.issubdtype(one["dtype"], numpy.integer) and one["quantization"][0]:
                about = numpy.iinfo(one["dtype"])
                found[name] = random.integers(
                    about.min, about.max, sizes, one["dtype"], endpoint=True
                )
            else:
                found[name] = random.standard_normal(sizes).astype(one["dtype"])
        return found

    def described(self) -> dict[str, Any]:
        """Return labels, the preparation of pictures and metadata, as far as the file has them."""
        if not self._inputs:
            return {}
        first = self._inputs[0]
        scale, zero = first["quantization"]
        shape = tuple(int(size) for size in first["shape_signature"])
        dtype = numpy.dtype(first["dtype"]).name
        about = _metadata.Input(shape, dtype, float(scale), int(zero))
        found: dict[str, Any] = _metadata.described(self._content, about)
        return found


def _read_new_operators() -> None:
    """Let tf2onnx read operators from their new field where the old one, of a byte, is empty."""
    from tf2onnx.tflite.OperatorCode import OperatorCode

    old = OperatorCode.DeprecatedBuiltinCode
    OperatorCode.DeprecatedBuiltinCode = lambda one: min(
        max(old(one), one.BuiltinCode()), _LAST_OF_A_BYTE
    )


def _check(name: str, about: Json, spec: Json) -> None:
    own = numpy.dtype(about["dtype"]).name
    if spec["dtype"] and spec["dtype"] != own:
        raise ValueError(f"its input {name} is {own}, not {spec['dtype']}")
    rank = len(about["shape"])
    if spec["shape"] is not None and len(spec["shape"]) != rank:
        raise ValueError(f"its input {name} has {rank} axes, not {len(spec['shape'])}")


def _named(details: Sequence[Json], names: Mapping[int, str]) -> list[str]:
    """Return the names of a signature where it has them all, else those of the tensors."""
    if {one["index"] for one in details} <= names.keys():
        found = [names[one["index"]] for one in details]
    else:
        found = [one["name"].rpartition(":")[0] or one["name"] for one in details]
        found = [name.removeprefix(_PREFIX) for name in found]
    if len(set(found)) == len(found):
        return found
    return [f"{name}_{at}" for at, name in enumerate(found)]
