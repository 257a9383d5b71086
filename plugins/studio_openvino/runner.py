"""The bench's runner for OpenVINO: this one file, numpy and openvino alone, Python 3.8.

The contract is in the docstring of ``studio.runtime.bench``.
"""

from __future__ import annotations

import os
import re
from typing import Any, Callable, Mapping

import openvino

_HEAVY = (
    {"Convolution", "Deconvolution", "GroupConvolution", "FullyConnected", "MatMul"}
    | {"RNNCell", "RNNSeq", "LSTMCell", "LSTMSequence", "ScaledDotProductAttention", "MHA"}
)  # fmt: skip
"""Layers that take a model's time; their precision is the precision of the model."""

_PRECISIONS = {"f32": "fp32", "f16": "fp16", "i8": "int8", "u8": "int8", "i32": "int32"}
_DTYPES = {"f32": "float32", "f64": "float64", "f16": "float16", "boolean": "bool"}
_DTYPES.update({"string": "str", "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64"})
_DTYPES.update({"i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64"})
_HINTS = {"f32": "f32", "bf16": "bf16", "f16": "f16"}
_WARM_UP = 3
"""Inferences of a profiled request that are not counted: the first ones allocate."""


def load(path: str, options: Mapping[str, Any]) -> OpenVinoRunner:
    """Load a model (ONNX or IR).

    Args:
        path: The model's file.
        options: ``threads`` (0 or absent: the runtime's choice), ``precision`` (auto, f32, bf16,
            f16: a hint for float operators), ``device``, ``hint`` (latency, throughput).

    Raises:
        Exception: any error of the runtime for a model that it cannot load.
    """
    return OpenVinoRunner(path, options)


class OpenVinoRunner:
    """A compiled model with one request."""

    def __init__(self, path: str, options: Mapping[str, Any]) -> None:
        self._core = openvino.Core()
        self._device = str(options.get("device") or "CPU")
        if not any(name.split(".")[0] == self._device for name in self._core.available_devices):
            names = ", ".join(self._core.available_devices)
            raise ValueError("OpenVINO finds no {} here; it has {}".format(self._device, names))
        self._settings = _settings(options)
        try:
            self._model = self._core.read_model(path)
        except RuntimeError as error:
            raise ValueError(_reason(str(error))) from error
        self._inputs = [_name(each) for each in self._model.inputs]
        self._compiled = self._compile({})
        self._outputs = [_name(each) for each in self._model.outputs]
        self._request = self._compiled.create_infer_request()

    def inputs(self) -> list[dict[str, Any]]:
        """Name, numpy type and declared shape of each input."""
        return [
            {"name": name, "dtype": _dtype(each.get_element_type()), "shape": _shape(each)}
            for name, each in zip(self._inputs, self._model.inputs)
        ]

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Run once; the outputs are copies."""
        self._feed(self._request, feeds)
        self._request.infer()
        tensors = (self._request.get_output_tensor(n) for n in range(len(self._outputs)))
        return {name: tensor.data.copy() for name, tensor in zip(self._outputs, tensors)}

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], Any]:
        """Return the timed call: one inference on tensors in place, as OpenVINO advises."""
        self._kept = dict(feeds)  # the tensors below only look at these arrays
        self._feed(self._request, self._kept)
        infer: Callable[[], Any] = self._request.infer
        return infer

    def streams(self, feeds: Mapping[str, Any], count: int) -> list[Callable[[], Any]]:
        """Return the call of parallel streams: a request each, on a model compiled for them."""
        threads = int(self._settings.get("INFERENCE_NUM_THREADS") or 0)
        more: dict[str, Any] = {"NUM_STREAMS": count, "PERFORMANCE_HINT": "THROUGHPUT"}
        if threads:
            more["INFERENCE_NUM_THREADS"] = threads * count
        self._parallel = self._compile(more)
        made = []
        for _ in range(count):
            request = self._parallel.create_infer_request()
            self._kept = dict(feeds)
            self._feed(request, self._kept)
            made.append(request.infer)
        return made

    def describe(self) -> dict[str, Any]:
        """Return the effective settings, with the precision of the executed kernels."""
        threads = self._property("INFERENCE_NUM_THREADS")
        return {
            "runtime": "openvino",
            "version": openvino.__version__.split("-")[0],
            "device": self._device.lower(),
            "providers": [str(each) for each in self._property("EXECUTION_DEVICES") or ()],
            "precision": self._precision(),
            "threads": int(threads or os.cpu_count() or 1),
            "outputs": self._outputs,
        }

    def operators(self, feeds: Mapping[str, Any], runs: int) -> list[dict[str, Any]]:
        """Return the time of each executed layer, from a profiled second request."""
        compiled = self._compile({"PERF_COUNT": True})
        layers = {op.get_friendly_name(): _facts(op) for op in _operations(compiled)}
        request = compiled.create_infer_request()
        self._feed(request, feeds)
        times: dict[str, list[float]] = {}
        for number in range(_WARM_UP + runs):
            request.infer()
            for each in request.profiling_info if number >= _WARM_UP else ():
                if each.status == openvino.ProfilingInfo.Status.EXECUTED:
                    microseconds = each.real_time.total_seconds() * 1e6
                    times.setdefault(each.node_name, []).append(microseconds)
        rows = [_row(name, layers.get(name, {}), taken, runs) for name, taken in times.items()]
        return sorted(rows, key=lambda row: -float(row["us"]))

    def close(self) -> None:
        """Free the model."""
        del self._request, self._compiled, self._model

    def _compile(self, more: Mapping[str, Any]) -> Any:
        return self._core.compile_model(self._model, self._device, dict(self._settings, **more))

    def _feed(self, request: Any, feeds: Mapping[str, Any]) -> None:
        for number, name in enumerate(self._inputs):
            tensor = openvino.Tensor(feeds[name], shared_memory=feeds[name].ndim > 0)
            request.set_input_tensor(number, tensor)

    def _property(self, name: str) -> Any:
        try:
            return self._compiled.get_property(name)
        except RuntimeError:  # a device that does not know it
            return None

    def _precision(self) -> str:
        """Return the precisions of the slowest layers, the most frequent first."""
        counts: dict[str, int] = {}
        for op in _operations(self._compiled):
            facts = _facts(op)
            if facts.get("layer") in _HEAVY and facts.get("type"):
                counts[facts["type"]] = counts.get(facts["type"], 0) + 1
        if counts:
            return "+".join(sorted(counts, key=lambda each: -counts[each]))
        hint = str(getattr(self._property("INFERENCE_PRECISION_HINT"), "to_string", str)())
        return _PRECISIONS.get(hint, "as in the model")


def _reason(text: str) -> str:
    """Return operator and problem from a long message of the reader."""
    text = " ".join(text.split())
    found = re.search(r"detailed log: -- (\S+) with a message: (.*)", text)
    if found is None:
        return text[-240:] if "Check" in text else text
    rule = re.search(r"Check '([^']+)' failed", found.group(2))
    why = rule.group(1) + " does not hold" if rule else found.group(2)[:160]
    return "OpenVINO cannot convert {}: {}".format(found.group(1), why)


def _settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings for one low-latency stream; the precision is set only on request."""
    settings: dict[str, Any] = {"PERFORMANCE_HINT": str(options.get("hint") or "latency").upper()}
    if settings["PERFORMANCE_HINT"] == "LATENCY":
        settings["NUM_STREAMS"] = 1
    threads = int(options.get("threads") or 0)
    if threads:
        settings["INFERENCE_NUM_THREADS"] = threads
    precision = str(options.get("precision") or "auto")
    if precision != "auto":
        settings["INFERENCE_PRECISION_HINT"] = _HINTS[precision]
    return settings


def _operations(compiled: Any) -> list[Any]:
    try:
        return list(compiled.get_runtime_model().get_ordered_ops())
    except RuntimeError:  # a device that cannot show what it made
        return []


def _facts(operation: Any) -> dict[str, str]:
    """Return an executed layer's kind, its type, and the nodes that it came from."""
    told = operation.get_rt_info()

    def text(name: str) -> str:
        return str(told[name].astype(str)) if name in told else ""

    kind = text("runtimePrecision").lower()
    return {
        "layer": text("layerType"),
        "type": _PRECISIONS.get(kind, kind),
        "nodes": text("originalLayersNames"),
    }


def _row(name: str, facts: Mapping[str, str], taken: list[float], runs: int) -> dict[str, Any]:
    taken = sorted(taken)
    calls = len(taken) / runs
    return {
        "name": facts.get("nodes") or name,
        "operator": facts.get("layer", ""),
        "provider": "openvino",
        "type": facts.get("type", ""),
        # The median: one inference in which the machine was busy must not colour a node.
        "us": taken[len(taken) // 2] * calls,
        "calls": calls,
    }


def _name(port: Any) -> str:
    """Return the name of an input or output; a port may have several or none."""
    names = sorted(port.get_names())
    return str(names[0] if names else port.get_node().get_friendly_name())


def _dtype(kind: Any) -> str:
    """Return the numpy name of an element type (``u8`` is ``uint8``)."""
    name = str(kind.get_type_name())
    if name not in _DTYPES:
        raise ValueError("an input of the type {} cannot be fed".format(name))
    return _DTYPES[name]


def _shape(port: Any) -> list[int | str | None]:
    sizes = port.get_partial_shape()
    if sizes.rank.is_dynamic:
        return []
    return [int(size.get_length()) if size.is_static else None for size in sizes]
