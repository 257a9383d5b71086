"""The bench's runner for onnxruntime: this one file, numpy and onnxruntime alone, Python 3.8.

The contract is in the docstring of ``studio.runtime.bench``.
"""

from __future__ import annotations

import bisect
import json
import os
import statistics
import tempfile
import time
from functools import partial
from typing import Any, Callable, Iterator, Mapping

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

_MOST_SAVED = 512 << 20
"""Bytes of a model whose optimized graph is saved for the names of its values."""

_WITH_BLOCKS = ("If", "Loop", "Scan", "SequenceMap")
"""Operators whose kernels run others."""

# Numbers of fields in onnx.proto: the names of a graph's values are all that is read.
_MODEL_GRAPH, _GRAPH_NODE = 7, 1
_NODE_INPUT, _NODE_OUTPUT, _NODE_NAME, _NODE_ATTRIBUTE = 1, 2, 3, 5
_ATTRIBUTE_GRAPHS = (6, 11)

_PRECISIONS = {"float": "fp32", "float16": "fp16", "double": "fp64", "uint8": "int8"}


def load(path: str, options: Mapping[str, Any]) -> OnnxRuntimeRunner:
    """Load a model.

    Args:
        path: The model's file.
        options: ``threads`` (0 or absent: the runtime's choice), ``provider`` (an execution
            provider, ``CPUExecutionProvider``), ``provider_options`` (``name:value;name:value``),
            ``optimization`` (all, extended, basic, none).

    Raises:
        Exception: any error of the runtime for a model that it cannot load.
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
        """Return the timed call: the session's own, without the studio's code."""
        return partial(self._session.run, None, dict(feeds))

    def streams(self, feeds: Mapping[str, Any], count: int) -> list[Callable[[], Any]]:
        """Return the call of parallel streams: one session that several threads run."""
        return [self.bind(feeds) for _ in range(count)]

    def describe(self) -> dict[str, Any]:
        """Return the effective settings; onnxruntime computes in the model's types."""
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

    def operators(self, feeds: Mapping[str, Any], runs: int) -> dict[str, Any]:
        """Return the time of each executed kernel, from a profiled second session.

        The graph that the runtime made of the model is read from what the session saves: it lists
        which values a kernel makes, whatever its name became. Both sessions run interleaved, so
        that the cost of profiling is reported with the times.
        """
        with tempfile.TemporaryDirectory(prefix="edgewright-ort-") as folder:
            session, saved = self._profiled(folder)
            pairs = []
            for number in range(_PROFILE_WARM_UP + runs):
                pair = (_timed(self._session, feeds), _timed(session, feeds))
                if number >= _PROFILE_WARM_UP:
                    pairs.append(pair)
            with open(session.end_profiling(), encoding="utf-8") as stream:
                events = json.load(stream)
            wiring = _wiring(saved)
        plain, profiled = (statistics.median(times) / 1e3 for times in zip(*pairs))
        kernels = _kernels(events, runs)
        for kernel in kernels:
            kernel.update(wiring.get(kernel["name"], {}))
        return {"operators": kernels, "plain_us": plain, "profiled_us": profiled}

    def _profiled(self, folder: str) -> tuple[onnxruntime.InferenceSession, str]:
        """Return a profiled session, and the file with its saved graph."""
        options = self._session_options()
        options.enable_profiling = True
        options.profile_file_prefix = os.path.join(folder, "profile")
        saved = os.path.join(folder, "optimized.onnx")
        if _size(self._path) <= _MOST_SAVED:
            options.optimized_model_filepath = saved
            try:
                return self._open(options), saved
            except RuntimeError:  # graphs with parts that a provider has compiled cannot be saved
                options = self._session_options()
                options.enable_profiling = True
                options.profile_file_prefix = os.path.join(folder, "again")
        return self._open(options), ""

    def close(self) -> None:
        """Free the session."""
        del self._session

    def _open(self, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
        wanted = self._options.get("provider") or "CPUExecutionProvider"
        available = onnxruntime.get_available_providers()
        if wanted not in available:
            raise ValueError(f"{wanted} is not in this onnxruntime; it has {', '.join(available)}")
        chosen = _pairs(str(self._options.get("provider_options") or ""))
        providers: list[Any] = [(wanted, chosen) if chosen else wanted]
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


def _pairs(text: str) -> dict[str, str]:
    """Return options in the form ``name:value``, with semicolons between them."""
    parts = [part.partition(":") for part in text.split(";") if part.strip()]
    broken = [name for name, colon, _ in parts if not colon]
    if broken:
        raise ValueError(f"{broken[0]!r} is no option of a provider; write name:value")
    return {name.strip(): value.strip() for name, _, value in parts}


def _message(error: Exception) -> str:
    """Return the runtime's message without its prefix of codes."""
    text = " ".join(str(error).split())
    return text.split(" : ", 3)[-1] if text.startswith("[ONNXRuntimeError]") else text


def _dtype(kind: str) -> str:
    if not kind.startswith("tensor("):
        raise ValueError(f"an input of the type {kind} cannot be fed")
    return _DTYPES.get(kind, kind[len("tensor(") : -1])


def _device(providers: list[str]) -> str:
    return providers[0].replace("ExecutionProvider", "").lower()


def _timed(session: onnxruntime.InferenceSession, feeds: Mapping[str, Any]) -> int:
    start = time.perf_counter_ns()
    session.run(None, feeds)
    return time.perf_counter_ns() - start


def _size(path: str) -> int:
    """Return the bytes of a model with the files next to it."""
    folder = os.path.dirname(os.path.abspath(path))
    with os.scandir(folder) as entries:
        return sum(each.stat().st_size for each in entries if each.is_file())


def _kernels(events: list[dict[str, Any]], runs: int) -> list[dict[str, Any]]:
    """Time of each kernel in the last ``runs`` inferences, per inference, and when it starts.

    A kernel that runs others (If, Loop, Scan) counts without them: they have events of their own.
    """
    inferences = sorted(each["ts"] for each in events if each.get("name") == "model_run")
    starts: dict[str, dict[int, float]] = {}
    start = inferences[-runs] if len(inferences) >= runs else 0
    found: dict[str, dict[str, Any]] = {}
    for event in _by_itself([each for each in events if _is_kernel(each) and each["ts"] >= start]):
        name = event["name"][: -len("_kernel_time")]
        args = event.get("args", {})
        row = found.setdefault(
            name,
            {
                "name": name,
                "operator": args.get("op_name", ""),
                "provider": args.get("provider", "").replace("ExecutionProvider", "").lower(),
                "type": _type(args),
                "times": [],
            },
        )
        row["times"].append(event["own"])
        moment = event["ts"]
        inference = bisect.bisect_right(inferences, moment) - 1
        if inference >= 0:  # of several calls the first one counts, as the events are in order
            offset = moment - inferences[inference]
            starts.setdefault(name, {}).setdefault(inference, offset)
    for name, row in found.items():
        times = row.pop("times")
        if name in starts:
            row.update(start_us=statistics.median(starts[name].values()))
        calls = len(times) / runs
        # The median: one inference in which the machine was busy must not colour a node.
        row.update(calls=calls, us=statistics.median(times) * calls)
    return sorted(found.values(), key=lambda row: -float(row["us"]))


def _is_kernel(event: Mapping[str, Any]) -> bool:
    return event.get("cat") == "Node" and event.get("name", "").endswith("_kernel_time")


def _by_itself(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events with ``own``: their time less that of the events within them."""
    around: list[dict[str, Any]] = []
    for event in sorted(events, key=lambda each: (each["ts"], -each["dur"], not _around(each))):
        event["own"] = event["dur"]
        end = event["ts"] + event["dur"]
        while around and around[-1]["ts"] + around[-1]["dur"] < end:
            around.pop()
        if around:
            around[-1]["own"] = max(0, around[-1]["own"] - event["dur"])
        if _around(event):
            around.append(event)
    return events


def _around(event: Mapping[str, Any]) -> bool:
    """Return whether others may be within it, because the events' clock is too coarse."""
    return event.get("args", {}).get("op_name") in _WITH_BLOCKS


def _wiring(saved: str) -> dict[str, dict[str, list[str]]]:
    """Return the inputs and outputs of each kernel in a saved graph, inner graphs included."""
    try:
        with open(saved, "rb") as stream:
            model = memoryview(stream.read())
    except OSError:
        return {}
    found: dict[str, dict[str, list[str]]] = {}
    graphs = [value for number, value in _fields(model) if number == _MODEL_GRAPH]
    while graphs:
        for number, node in _fields(graphs.pop()):
            if number != _GRAPH_NODE:
                continue
            parts: dict[int, list[Any]] = {}
            for key, value in _fields(node):
                parts.setdefault(key, []).append(value)
            name, inputs, outputs = (
                [bytes(text).decode("utf-8", "replace") for text in parts.get(key, [])]
                for key in (_NODE_NAME, _NODE_INPUT, _NODE_OUTPUT)
            )
            found.setdefault("".join(name), {"inputs": inputs, "outputs": outputs})
            for attribute in parts.get(_NODE_ATTRIBUTE, []):
                graphs += [value for key, value in _fields(attribute) if key in _ATTRIBUTE_GRAPHS]
    return found


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield the length-delimited fields of a protobuf message: texts, messages, packed numbers."""
    place, end = 0, len(message)
    while place < end:
        key, place = _varint(message, place)
        kind = key & 7
        if kind == 2:
            length, place = _varint(message, place)
            yield key >> 3, message[place : place + length]
            place += length
        elif kind == 0:
            _, place = _varint(message, place)
        elif kind in (1, 5):
            place += 8 if kind == 1 else 4
        else:
            raise ValueError("the saved graph is no protobuf message")


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def _type(args: Mapping[str, Any]) -> str:
    """Return the precision of a kernel: the type of its first input."""
    shapes = args.get("input_type_shape") or []
    first = next(iter(shapes[0]), "") if shapes else ""
    return _PRECISIONS.get(first, first)
