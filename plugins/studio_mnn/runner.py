"""The bench's runner for MNN: this one file, numpy and mnn alone, Python 3.8.

The contract is in the docstring of ``studio.runtime.bench``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any, Callable, Mapping

import _tools  # MNN's converter; the script around it would call pip when it is imported
import MNN
import MNN.expr as expr
import MNN.nn as nn
import numpy

_TYPES = {
    "float": ("float32", expr.float),
    "double": ("float64", expr.double),
    "int": ("int32", expr.int),
    "int64": ("int64", expr.int64),
    "uint8": ("uint8", expr.uint8),
}
"""numpy's and MNN's type by the name that MNN prints."""


def load(path: str, options: Mapping[str, Any]) -> MnnRunner:
    """Convert an ONNX model (or take an .mnn file as it is) and load it.

    Args:
        path: The model's file.
        options: ``threads`` (0 or absent: one for each core).

    Raises:
        ValueError: when the converter makes nothing of it.
    """
    return MnnRunner(path, options)


class MnnRunner:
    """Runner with one loaded MNN module."""

    def __init__(self, path: str, options: Mapping[str, Any]) -> None:
        self._threads = int(options.get("threads") or os.cpu_count() or 1)
        settings = {"backend": "CPU", "precision": "high", "numThread": self._threads}
        self._manager = nn.create_runtime_manager((settings,))
        folder = tempfile.mkdtemp(prefix="edgewright-mnn-")
        try:
            file = path if path.endswith(".mnn") else _converted(path, folder)
            self._module = nn.load_module_from_file(file, [], [], runtime_manager=self._manager)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        told = self._module.get_info()
        self._inputs = list(zip(told["inputNames"], told["inputs"]))
        self._outputs = [str(name) for name in told["outputNames"]]

    def inputs(self) -> list[dict[str, Any]]:
        """Name, numpy type and declared shape of each input."""
        return [
            {"name": name, "dtype": _type(each)[0], "shape": [_size(n) for n in each.shape]}
            for name, each in self._inputs
        ]

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Run once."""
        made = self._module.forward(self._variables(feeds))
        return {name: numpy.array(_read(each)) for name, each in zip(self._outputs, made)}

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], Any]:
        """Return the timed call: inputs in place, and outputs read, since reading may compute."""
        variables, forward = self._variables(feeds), self._module.forward

        def once() -> None:
            for each in forward(variables):
                each.read()

        return once

    def describe(self) -> dict[str, Any]:
        """Return the effective settings."""
        return {
            "runtime": "mnn",
            "version": str(MNN.version()),
            "device": "cpu",
            "providers": [],
            "precision": "fp32",  # precision "high", with which MNN reduces nothing
            "threads": self._threads,
            "outputs": self._outputs,
        }

    def operators(self, feeds: Mapping[str, Any], runs: int) -> list[dict[str, Any]]:
        """Return no times: MNN's Python package does not profile operators."""
        return []

    def close(self) -> None:
        """Free the module."""
        del self._module

    def _variables(self, feeds: Mapping[str, Any]) -> list[Any]:
        return [
            expr.const(
                numpy.ascontiguousarray(feeds[name]),
                list(feeds[name].shape),
                each.data_format,
                _type(each)[1],
            )
            for name, each in self._inputs
        ]


def _converted(path: str, folder: str) -> str:
    """Return the path of the .mnn file converted from an ONNX file."""
    made = os.path.join(folder, "model.mnn")
    command = ["mnnconvert", "-f", "ONNX", "--modelFile", path, "--MNNModel", made]
    done = _tools.mnnconvert([*command, "--bizCode", "edgewright"])
    if not done or not os.path.isfile(made) or not os.path.getsize(made):
        raise ValueError("MNN's converter makes nothing of {}".format(os.path.basename(path)))
    return made


def _read(variable: Any) -> Any:
    """Return values in the model's order, because MNN may store them in blocks of channels."""
    if variable.data_format == expr.NC4HW4:
        variable = expr.convert(variable, expr.NCHW)
    return variable.read()


def _type(variable: Any) -> tuple[str, Any]:
    name = str(variable.dtype).rpartition(".")[2]
    if name not in _TYPES:
        raise ValueError("an input of the type {} cannot be fed".format(name))
    return _TYPES[name]


def _size(number: int) -> int | None:
    return number if number > 0 else None
