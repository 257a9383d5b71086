"""The bench's runner for onnxruntime: this one file, numpy and onnxruntime alone, Python 3.8.

The contract is in the docstring of ``studio.runtime.bench``.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from functools import partial
from typing import Any, Callable, Mapping

# Before the first import: afterwards it is too late, the library has phoned home.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(string)": "str",
    "tensor(bool)": "bool",
}

_LEVELS = {
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "none": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
}

_PROFILE_WARM_UP = 3
"""Inferences of a profiled session that are not counted: the first ones allocate."""

_PRECISIONS = {"float": "fp32", "float16": "fp16", "double": "fp64", "uint8": "int8"}


def load(path: str, options: Mapping[str, Any]) -> OnnxRuntimeRunner:
    """Load a model.

    Args:
        path: The model's file.
        options: ``threads`` (0 or absent: the runtime's choice), ``provider`` (an execution
            provider, ``CPUExecutionProvider``), ``optimization`` (all, extended, basic, none).

    Raises:
        Exception: whatever the runtime says about a model that it cannot load.
    """
    return OnnxRuntimeRunner(path, options)


class OnnxRuntimeRunner:
    """A model in an inference session."""

    def __init__(self, path: str, options: Mapping[str, Any]) -> None:
        self._path = path
        self._options = dict(options)
        self._session = self._open(self._session_options())
        self._outputs = [each.name for each in self._session.get_outputs()]

    def inputs(self) -> list[dict[str, Any]]:
        """Name, numpy type and declared shape of each input."""
        return [
            {"name": each.name, "dtype": _dtype(each.type), "shape": list(each.shape)}
            for each in self._session.get_inputs()
        ]

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Run once."""
        return dict(zip(self._outputs, self._session.run(None, feeds)))

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], Any]:
        """What is timed: the session's own call, with nothing of ours in it."""
        return partial(self._session.run, None, dict(feeds))

    def streams(self, feeds: Mapping[str, Any], count: int) -> list[Callable[[], Any]]:
        """What parallel streams call: a session may be run by several threads at once."""
        return [self.bind(feeds) for _ in range(count)]

    def describe(self) -> dict[str, Any]:
        """What is in force. onnxruntime computes in the types that the model names."""
        options = self._session.get_session_options()
        providers = self._session.get_providers()
        return {
            "runtime": "onnxruntime",
            "version": onnxruntime.__version__,
            "device": _device(providers),
            "providers": providers,
            "precision": "as in the model",
            "threads": options.intra_op_num_threads or (os.cpu_count() or 1),
        }

    def operators(self, feeds: Mapping[str, Any], runs: int) -> list[dict[str, Any]]:
        """Time of each executed kernel, from a profiled session beside the measured one."""
        with tempfile.TemporaryDirectory(prefix="edgewright-ort-") as folder:
            options = self._session_options()
            options.enable_profiling = True
            options.profile_file_prefix = os.path.join(folder, "profile")
            session = self._open(options)
            for _ in range(_PROFILE_WARM_UP + runs):
                session.run(None, feeds)
            with open(session.end_profiling(), encoding="utf-8") as stream:
                events = json.load(stream)
        return _kernels(events, runs)

    def close(self) -> None:
        """Free the session."""
        del self._session

    def _open(self, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
        wanted = self._options.get("provider") or "CPUExecutionProvider"
        available = onnxruntime.get_available_providers()
        if wanted not in available:
            raise ValueError(f"{wanted} is not in this onnxruntime; it has {', '.join(available)}")
        providers = [wanted]
        if wanted != "CPUExecutionProvider":
            providers.append("CPUExecutionProvider")
        try:
            return onnxruntime.InferenceSession(self._path, options, providers=providers)
        except Exception as error:
            raise RuntimeError(_message(error)) from error

    def _session_options(self) -> onnxruntime.SessionOptions:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = int(self._options.get("threads") or 0)
        options.inter_op_num_threads = 1
        level = str(self._options.get("optimization") or "all")
        options.graph_optimization_level = _LEVELS[level]
        return options


def _message(error: Exception) -> str:
    """The runtime's message without its prefix of codes."""
    text = " ".join(str(error).split())
    return text.split(" : ", 3)[-1] if text.startswith("[ONNXRuntimeError]") else text


def _dtype(kind: str) -> str:
    if not kind.startswith("tensor("):
        raise ValueError(f"an input of the type {kind} cannot be fed")
    return _DTYPES.get(kind, kind[len("tensor(") : -1])


def _device(providers: list[str]) -> str:
    return providers[0].replace("ExecutionProvider", "").lower()


def _kernels(events: list[dict[str, Any]], runs: int) -> list[dict[str, Any]]:
    """Time of each kernel in the last ``runs`` inferences, per inference."""
    inferences = sorted(each["ts"] for each in events if each.get("name") == "model_run")
    start = inferences[-runs] if len(inferences) >= runs else 0
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        name = event.get("name", "")
        if event.get("cat") != "Node" or not name.endswith("_kernel_time") or event["ts"] < start:
            continue
        args = event.get("args", {})
        row = found.setdefault(
            name,
            {
                "name": name[: -len("_kernel_time")],
                "operator": args.get("op_name", ""),
                "provider": args.get("provider", "").replace("ExecutionProvider", "").lower(),
                "type": _type(args),
                "times": [],
            },
        )
        row["times"].append(event["dur"])
    for row in found.values():
        times = row.pop("times")
        row["calls"] = len(times) / runs
        # The median: one inference in which the machine was busy must not colour a node.
        row["us"] = statistics.median(times) * row["calls"]
    return sorted(found.values(), key=lambda row: -float(row["us"]))


def _type(args: Mapping[str, Any]) -> str:
    """Precision of a kernel: the type of its first input."""
    shapes = args.get("input_type_shape") or []
    first = next(iter(shapes[0]), "") if shapes else ""
    return _PRECISIONS.get(first, first)
