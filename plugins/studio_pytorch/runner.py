"""Bench runner for PyTorch: numpy, onnx, torch and the two files next to it, Python 3.8.

It runs an ONNX graph eagerly, a torch function for each operator, in the order of the graph:
nothing is fused, folded or laid out again. That makes it slow, and an independent reference. The
contract is in the docstring of ``studio.runtime.bench``.
"""

from __future__ import annotations

import importlib
import os
import statistics
import sys
import time
from typing import Any, Callable, Dict, Mapping, Optional

import numpy
import onnx
import torch

# The operators are next to this file, which is loaded by path: Python does not search there.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_OPERATORS: Any = importlib.import_module("runner_table").OPERATORS
_TYPES: Any = importlib.import_module("runner_operators").TYPES

_WARM_UP = 2

Attributes = Mapping[str, Any]
Operator = Callable[..., Any]
Values = Dict[str, Any]


def load(path: str, options: Mapping[str, Any]) -> TorchRunner:
    """Load an ONNX model.

    Args:
        path: The model's file.
        options: ``threads`` (0 or absent: the runtime's choice).

    Raises:
        ValueError: when the model has an operator that is not known here, in one sentence.
    """
    return TorchRunner(path, options)


class TorchRunner:
    """A graph with its constants as tensors.

    Attributes:
        graph: Its steps; ``run`` takes and returns tensors.
        outputs: Names of the outputs.
    """

    def __init__(self, path: str, options: Mapping[str, Any]) -> None:
        threads = int(options.get("threads") or 0)
        if threads:
            torch.set_num_threads(threads)
        model = onnx.load(path)
        versions = {each.domain: each.version for each in model.opset_import}
        if model.functions:
            raise ValueError("the model has functions, which this runner does not unfold")
        self._declared = model.graph
        self.graph = _Graph(model.graph, versions.get("", 1))
        self.outputs = [each.name for each in model.graph.output]

    def inputs(self) -> list[dict[str, Any]]:
        """Name, numpy type and declared shape of each input."""
        constants = {each.name for each in self._declared.initializer}
        found = []
        for each in self._declared.input:
            if each.name in constants:
                continue
            kind = each.type.tensor_type
            if kind.elem_type not in _TYPES:
                raise ValueError("the input {!r} is no tensor of numbers".format(each.name))
            dtype = numpy.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).name
            shape = [size.dim_value or size.dim_param or None for size in kind.shape.dim]
            found.append({"name": each.name, "dtype": dtype, "shape": shape})
        return found

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Run once."""
        made = self._once(_tensors(feeds))
        return {name: value.numpy() for name, value in zip(self.outputs, made)}

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], Any]:
        """Return the timed call: the whole graph, on tensors in place."""
        tensors = _tensors(feeds)
        return lambda: self._once(tensors)

    def streams(self, feeds: Mapping[str, Any], count: int) -> list[Callable[[], Any]]:
        """Return the call of parallel streams: the graph keeps nothing between its runs."""
        return [self.bind(feeds) for _ in range(count)]

    def describe(self) -> dict[str, Any]:
        """Return the effective settings; PyTorch computes in the model's types."""
        return {
            "runtime": "pytorch",
            "version": torch.__version__.partition("+")[0],
            "device": "cpu",
            "providers": [],
            "precision": "as in the model",
            "threads": torch.get_num_threads(),
            "outputs": self.outputs,
        }

    def operators(self, feeds: Mapping[str, Any], runs: int) -> list[dict[str, Any]]:
        """Time of each node of the main graph; those of a branch are with its If."""
        tensors, steps = _tensors(feeds), self.graph.steps
        times: list[list[float]] = [[] for _ in steps]
        for number in range(_WARM_UP + runs):
            marks = self.graph.timed(tensors)
            for index, taken in enumerate(marks if number >= _WARM_UP else ()):
                times[index].append(taken)
        rows = [
            {
                "name": step.name,
                "operator": step.operator,
                "provider": "cpu",
                "type": "",
                "us": statistics.median(taken) / 1e3,
                "calls": 1,
            }
            for step, taken in zip(steps, times)
        ]
        return sorted(rows, key=lambda row: -float(row["us"]))

    def close(self) -> None:
        """Free the graph."""
        del self.graph

    def _once(self, tensors: Values) -> list[Any]:
        with torch.inference_mode():
            return self.graph.run(tensors)


class _Step:
    """A node: its function, its attributes, the names of what it takes and makes."""

    def __init__(self, node: Any, opset: int) -> None:
        self.name = node.name or node.output[0]
        self.operator = node.op_type
        self.takes = list(node.input)
        self.makes = list(node.output)
        self.frees: list[str] = []
        self.branches = {
            each.name: _Graph(each.g, opset) for each in node.attribute if each.HasField("g")
        }
        known = None if node.domain not in ("", "ai.onnx") else _OPERATORS.get(node.op_type)
        if known is None and node.op_type != "If":
            name = "{}.{}".format(node.domain, node.op_type) if node.domain else node.op_type
            raise ValueError("PyTorch's runner has no operator {}".format(name))
        self._function: Operator = known or _no_operator
        self._attributes = _attributes(node, opset)
        _refuse(node.op_type, self._attributes)

    def names(self) -> set[str]:
        """Return all inputs of a node, those of its branches included."""
        inner = (step.names() for graph in self.branches.values() for step in graph.steps)
        outer = {name for graph in self.branches.values() for name in graph.outputs}
        return set(self.takes).union(outer, *inner)

    def run(self, values: Values) -> None:
        """Compute, and put what is made among the values."""
        if self.operator == "If":
            chosen = "then_branch" if bool(values[self.takes[0]]) else "else_branch"
            made = self.branches[chosen].run(values)
        else:
            taken = [values[name] if name else None for name in self.takes]
            result = self._function(self._attributes, *taken)
            made = list(result) if isinstance(result, (tuple, list)) else [result]
        if len(made) < len(self.makes):
            raise ValueError("{} with all its outputs is not known here".format(self.operator))
        for name, value in zip(self.makes, made):
            values[name] = value
        for name in self.frees:
            values.pop(name, None)


class _Graph:
    """The steps of a graph, in its order, and its constants."""

    def __init__(self, graph: Any, opset: int) -> None:
        self.outputs = [each.name for each in graph.output]
        self._constants = {
            each.name: _tensor(onnx.numpy_helper.to_array(each)) for each in graph.initializer
        }
        self.steps: list[_Step] = []
        for node in graph.node:
            if node.op_type == "Constant" and node.domain in ("", "ai.onnx"):
                self._constants[node.output[0]] = _constant(node)
            else:
                self.steps.append(_Step(node, opset))
        self._free()

    def _free(self) -> None:
        """Let each value go after the last step that needs it."""
        made = {name for step in self.steps for name in step.makes} - set(self.outputs)
        last = {name: step for step in self.steps for name in step.names()}
        for name in made:
            if name in last:
                last[name].frees.append(name)

    def run(
        self, outside: Values, on_value: Optional[Callable[[str, Any], None]] = None
    ) -> list[Any]:
        """Return the outputs; a branch reads the values outside of it.

        Args:
            on_value: Called with the name of each value and the value, once it is computed.
        """
        values = {**outside, **self._constants}
        for step in self.steps:
            step.run(values)
            for name in step.makes if on_value else ():
                if on_value is not None and name in values:
                    on_value(name, values[name])
        return [values[name] for name in self.outputs]

    def timed(self, outside: Values) -> list[int]:
        """Return nanoseconds of each step."""
        values = {**outside, **self._constants}
        marks = []
        with torch.inference_mode():
            for step in self.steps:
                start = time.perf_counter_ns()
                step.run(values)
                marks.append(time.perf_counter_ns() - start)
        return marks


def _tensors(feeds: Mapping[str, Any]) -> Values:
    return {name: _tensor(array) for name, array in feeds.items()}


def _tensor(array: Any) -> Any:
    if array.dtype.kind in "OSU":
        raise ValueError("PyTorch has no texts")
    array = numpy.array(array)  # a copy: those of onnx are read-only
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.astype(numpy.float32)).to(torch.bfloat16)
    return torch.from_numpy(array)


def _constant(node: Any) -> Any:
    value = onnx.helper.get_attribute_value(node.attribute[0])
    if node.attribute[0].name == "value":
        return _tensor(onnx.numpy_helper.to_array(value))
    kind = numpy.int64 if "int" in node.attribute[0].name else numpy.float32
    return _tensor(numpy.array(value, kind))


def _attributes(node: Any, opset: int) -> dict[str, Any]:
    found: dict[str, Any] = {"opset": opset, "outputs": len(node.output)}
    for each in node.attribute:
        if each.HasField("g"):
            continue
        value = onnx.helper.get_attribute_value(each)
        if isinstance(value, bytes):
            value = value.decode()
        if isinstance(value, onnx.TensorProto):
            value = _tensor(onnx.numpy_helper.to_array(value))
        found[each.name] = value
    return found


_REFUSED: Dict[str, Attributes] = {
    "ArgMax": {"select_last_index": 0},
    "ArgMin": {"select_last_index": 0},
    "AveragePool": {"dilations": None},
    "BatchNormalization": {"training_mode": 0},
    "DequantizeLinear": {"block_size": 0},
    "QuantizeLinear": {"block_size": 0},
    "Resize": {"antialias": 0, "keep_aspect_ratio_policy": "stretch", "exclude_outside": 0},
}
"""Attributes whose other values are not known here: better refused than computed wrongly."""


def _refuse(operator: str, attributes: Attributes) -> None:
    for name, plain in _REFUSED.get(operator, {}).items():
        value = attributes.get(name, plain)
        if value != plain and set(value if isinstance(value, list) else [0]) != {1}:
            raise ValueError("{} with {} is not known here".format(operator, name))


def _no_operator(*_: Any) -> Any:
    raise ValueError("an operator is missing")
