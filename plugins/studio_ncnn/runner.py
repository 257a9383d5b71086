"""The bench's runner for ncnn: this one file, numpy, onnx, ncnn and pnnx alone, Python 3.8.

The contract is in the docstring of ``studio.runtime.bench``.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
from typing import Any, Callable, Mapping

import ncnn
import numpy
import onnx

_CONVERSION_S = 100
"""Less than the bench waits for a load."""

_PR_SET_PDEATHSIG = 1
_SUFFIXES = {"float32": "f32", "float16": "f16", "int32": "i32", "int64": "i64", "uint8": "u8"}
_PRECISIONS = {"f32": "fp32", "bf16": "bf16"}
_FED = re.compile(r"ncnn\.Mat\(in(\d+)\.numpy\(\), batch_index=(\d+)\)")
_READ = re.compile(r"out(\d+)\.numpy\(batch_index=(\d+)\)")
"""Batch axis of an output in pnnx's own script; the others have none."""


def load(path: str, options: Mapping[str, Any]) -> NcnnRunner:
    """Convert an ONNX model for the sizes of ``options["shapes"]``, and load it.

    Args:
        path: The model's file.
        options: ``threads`` (0 or absent: one for each core), ``precision`` (f32, bf16),
            ``shapes`` (by input).

    Raises:
        ValueError: when the converter or the runtime cannot do it, in one sentence.
    """
    return NcnnRunner(path, options)


class NcnnRunner:
    """A net with fixed sizes."""

    def __init__(self, path: str, options: Mapping[str, Any]) -> None:
        self._threads = int(options.get("threads") or os.cpu_count() or 1)
        self._precision = _PRECISIONS[str(options.get("precision") or "f32")]
        self._inputs, self._outputs = _ports(path, options.get("shapes") or {})
        self._net = ncnn.Net()
        self._set(self._net.opt)
        folder = tempfile.mkdtemp(prefix="edgewright-ncnn-")
        try:
            script = _convert(path, self._inputs, folder)
            parameters, weights = (os.path.join(folder, "m." + end) for end in ("param", "bin"))
            if self._net.load_param(parameters) or self._net.load_model(weights):
                raise ValueError(_unreadable(parameters, path))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._fed = _axes(_FED, script)
        self._read = _axes(_READ, script)

    def inputs(self) -> list[dict[str, Any]]:
        """Name, numpy type and the fixed shape of each input."""
        return [dict(each) for each in self._inputs]

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Run once."""
        made = self._extract(self._mats(feeds))
        return {
            name: numpy.array(made[number].numpy(**_batch(self._read, number)))
            for number, name in enumerate(self._outputs)
        }

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], Any]:
        """Return the timed call: a new extractor for each run, as ncnn requires."""
        mats, extract = self._mats(feeds), self._extract
        return lambda: extract(mats)

    def streams(self, feeds: Mapping[str, Any], count: int) -> list[Callable[[], Any]]:
        """Return the call of parallel streams: a shared net, an extractor for each run."""
        return [self.bind(feeds) for _ in range(count)]

    def describe(self) -> dict[str, Any]:
        """Return the effective settings."""
        return {
            "runtime": "ncnn",
            "version": str(ncnn.__version__),
            "device": "cpu",
            "providers": [],
            "precision": self._precision,
            "threads": self._threads,
            "outputs": self._outputs,
        }

    def operators(self, feeds: Mapping[str, Any], runs: int) -> list[dict[str, Any]]:
        """Return no times: ncnn's Python package does not profile layers."""
        return []

    def close(self) -> None:
        """Free the net."""
        self._net.clear()

    def _set(self, option: Any) -> None:
        option.num_threads = self._threads
        option.use_vulkan_compute = False
        for name in ("use_fp16_storage", "use_fp16_packed", "use_fp16_arithmetic"):
            setattr(option, name, False)
        option.use_bf16_storage = self._precision == "bf16"

    def _mats(self, feeds: Mapping[str, Any]) -> list[Any]:
        arrays = []
        for each in self._inputs:
            array = feeds[each["name"]]
            if array.dtype == numpy.int64:
                array = array.astype(numpy.int32)
            arrays.append(numpy.ascontiguousarray(array))
        self._kept = [*getattr(self, "_kept", ()), *arrays]  # a Mat only looks at its array
        return [ncnn.Mat(array, **_batch(self._fed, number)) for number, array in enumerate(arrays)]

    def _extract(self, mats: list[Any]) -> list[Any]:
        extractor = self._net.create_extractor()
        for number, mat in enumerate(mats):
            extractor.input("in{}".format(number), mat)
        made = []
        for number, name in enumerate(self._outputs):
            status, mat = extractor.extract("out{}".format(number))
            if status:
                raise ValueError("ncnn cannot compute the output {!r}".format(name))
            made.append(mat)
        return made


def _ports(path: str, shapes: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the inputs with their sizes, and the names of the outputs."""
    graph = onnx.load(path, load_external_data=False).graph
    constants = {each.name for each in graph.initializer}
    inputs = []
    for each in graph.input:
        if each.name in constants:
            continue
        kind = each.type.tensor_type
        dtype = numpy.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).name
        declared = [size.dim_value or None for size in kind.shape.dim]
        shape = list(shapes.get(each.name) or declared)
        if None in shape:
            raise ValueError("the sizes of the input {!r} must be given".format(each.name))
        inputs.append({"name": each.name, "dtype": dtype, "shape": shape})
    return inputs, [each.name for each in graph.output]


def _convert(path: str, inputs: list[dict[str, Any]], folder: str) -> str:
    """Let pnnx write ``m.param`` and ``m.bin``; its own script of how to feed them."""
    spec = importlib.util.find_spec("pnnx")  # found, not imported: that would need torch
    if spec is None or spec.origin is None:
        raise ValueError("the converter pnnx is not installed")
    # It also writes next to the model, regardless of its options.
    model = shutil.copy(path, os.path.join(folder, "model.onnx"))
    sizes = ",".join("[{}]{}".format(_sizes(each), _suffix(each)) for each in inputs)
    names = {"ncnnparam": "m.param", "ncnnbin": "m.bin", "ncnnpy": "m.py", "pnnxparam": "p.param"}
    names.update(pnnxbin="p.bin", pnnxpy="p.py", pnnxonnx="p.onnx")
    command = [os.path.join(os.path.dirname(spec.origin), "pnnx"), model, "inputshape=" + sizes]
    command += ["{}={}".format(name, os.path.join(folder, file)) for name, file in names.items()]
    done = subprocess.run(
        [*command, "fp16=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_CONVERSION_S,
        cwd=folder,
        preexec_fn=_die_with_parent,
    )
    made = os.path.join(folder, "m.py")
    if done.returncode or not os.path.isfile(made):
        raise ValueError("the converter pnnx fails: {}".format(_complaint(done)))
    with open(made, encoding="utf-8") as script:
        return script.read()


def _unreadable(parameters: str, path: str) -> str:
    """Return why ncnn does not load a net: the layer that the converter wrote and ncnn lacks."""
    with open(parameters, encoding="utf-8") as lines:
        rows = [line.split() for line in lines][2:]  # behind the magic number and the counts
    unknown = [row for row in rows if row and ncnn.create_layer(row[0]) is None]
    if not unknown:
        return "ncnn cannot load the net that its converter pnnx made"
    kind, name = unknown[0][:2]
    # The converter leaves an operator of ONNX as it was where it does not know its form.
    nodes = onnx.load(path, load_external_data=False).graph.node
    same = [repr(node.name or node.output[0]) for node in nodes if node.op_type == kind]
    text = "the converter pnnx cannot translate {} {}, and ncnn has no such layer"
    return text.format(kind, " or ".join(same[:3]) or repr(name))


def _die_with_parent() -> None:
    """Let the kernel end the converter with this process, which the bench may kill."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _complaint(done: Any) -> str:
    if done.returncode < 0:
        return "killed by signal {}".format(-done.returncode)
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else "status {}".format(done.returncode)


def _sizes(each: Mapping[str, Any]) -> str:
    return ",".join(map(str, each["shape"]))


def _suffix(each: Mapping[str, Any]) -> str:
    if each["dtype"] not in _SUFFIXES:
        raise ValueError("ncnn takes no input of the type {}".format(each["dtype"]))
    return _SUFFIXES[each["dtype"]]


def _axes(pattern: Any, script: str) -> dict[int, int]:
    """Return the batch axis by number of an input or output, where the script names one."""
    return {int(number): int(axis) for number, axis in pattern.findall(script)}


def _batch(axes: Mapping[int, int], number: int) -> dict[str, int]:
    return {"batch_index": axes[number]} if number in axes else {}
