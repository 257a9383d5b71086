"""The conversion of models of PyTorch, Keras and transformers to ONNX, where PyTorch lives.

This file and its parts, numpy, onnx, onnxscript, keras and torch alone; nothing of the studio.
``run`` is called as ``studio.api.toolchains`` describes for converters.
"""

from __future__ import annotations

import contextlib
import glob
import importlib
import logging
import os
import re
import sys
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy
import onnx
import torch

Tell = Callable[..., None]
Json = Mapping[str, Any]

# A converter's parts lie next to it; the environment knows nothing of the folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_parts: Any = importlib.import_module("tool_models")
ConversionError: type[Exception] = _parts.ConversionError

_FAULTS = (
    (re.compile("`Lambda` layer"), "its Lambda layer is Python code, which is not run here"),
    (
        re.compile(r"Could not locate (?:class|function) '(\w+)'"),
        "the code of {0} is not in the file; convert it where its class is defined",
    ),
    (
        re.compile(r"via `torch\.load\(\)`|Non-modeling APIs"),
        "its configuration names code, which is not run here",
    ),
    (
        re.compile(r"Constraints violated|TORCH_LOGS"),
        "its code fixes a size that the model leaves open; give all sizes with --input",
    ),
    (re.compile("timm"), "its backbone is of the library timm, which is not in the environment"),
    (re.compile("Please check the warnings above"), "it is damaged, or of another PyTorch"),
    (re.compile("Expected hasRecord"), "it is damaged: a record is missing"),
)
"""Sentences in place of those of a library."""

_LONGEST_REASON = 300
"""Signs of a library's own sentence, which may quote a whole file."""

_SYMBOL = re.compile(r"\bs\d+\b")
_OPERATOR = re.compile(r"No ONNX function found for <OpOverload\(op='([\w.:]+)'")
_NODE = re.compile(r"translating node %(\w+) ")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ARCHIVES = {"serialized_exported_program.json", "archive_format"}


class TorchModel(Protocol):
    """A file of PyTorch's or Keras's that was loaded.

    Attributes:
        axes: Names of open axes by the rank of the first input that has them.
    """

    axes: Mapping[int, Sequence[str]]

    def names(self) -> list[str]:
        """Names of its inputs."""

    def export(self, output: str, inputs: Mapping[str, Json]) -> list[str]:
        """Write it as ONNX; returns what the user should know."""

    def outputs(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it; its outputs in the order of the exported model's."""

    def line_of(self, node: str) -> str:
        """Return the line of code of a node, as the end of a sentence; empty if not known."""

    def fed(self) -> list[str]:
        """Names of its inputs in the ONNX model."""

    def inner(self, made: bool) -> Any | None:
        """Return its intermediate values (``tool_values``); None without a graph of them.

        Args:
            made: Whether it was made of the ONNX model, not the ONNX model of it.
        """


@runtime_checkable
class KnowingModel(Protocol):
    """A model whose file has labels, preprocessing or metadata, too."""

    def more(self) -> tuple[dict[str, Any], list[str]]:
        """Return further keys of the result, and what the user should know of them."""


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a file, or run it on samples; what goes wrong is in ``error``."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    try:
        return _done(request, tell)
    except ConversionError as error:
        return {"error": str(error)}


def _done(request: Json, tell: Tell) -> dict[str, Any]:
    name = os.path.basename(request["source"])
    tell(0.0, 0.0, "Loading the model")
    with _explained(f"{name} cannot be loaded"):
        source = _load(request["source"])
    if request["work"] == "answer":
        with _explained(f"{name} does not run on the samples"):
            return {"warnings": [], "places": _answer(source, request, tell)}
    inputs = _by_name(request["inputs"], source.names())
    tell(0.0, 0.0, "Exporting the model")
    with _explained(f"{name} cannot be exported", source):
        notes = source.export(request["output"], inputs)
    if source.axes:
        _name_axes(request["output"], inputs, source)
    known, more = source.more() if isinstance(source, KnowingModel) else ({}, [])
    return {**known, "warnings": [*notes, *more]}


def _by_name(inputs: Mapping[str, Json], names: Sequence[str]) -> dict[str, Json]:
    """The user's shapes, types and axes by the names of the model's inputs."""
    known = ", ".join(names)
    if "*" in inputs and len(names) != 1:
        raise ConversionError(
            f"The model has several inputs: {known}. Give each shape with a name."
        )
    found = {names[0] if name == "*" else name: spec for name, spec in inputs.items()}
    unknown = sorted(set(found) - set(names))
    if unknown:
        raise ConversionError(f"The model has no input {unknown[0]!r}; it has {known}.")
    return found


@contextlib.contextmanager
def _explained(what: str, source: TorchModel | None = None) -> Iterator[None]:
    """Turn an exception of the framework into one sentence; its whole text goes to the log."""
    try:
        yield
    except (ConversionError, MemoryError):
        raise
    except Exception as error:
        traceback.print_exc()
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        first = lines[0][:_LONGEST_REASON] if lines else "no reason given"
        reason = _unsupported(error, source) or _known_fault(str(error)) or first
        raise ConversionError(f"{what}: {reason.rstrip('.')}.") from None


def _known_fault(text: str) -> str:
    for pattern, said in _FAULTS:
        if found := pattern.search(text):
            return said.format(*found.groups())
    return ""


def _unsupported(error: BaseException | None, source: TorchModel | None) -> str:
    """The operator that the exporter does not know, and the line of code that it comes from."""
    operator = node = ""
    while error is not None:
        text = str(error)
        operator = operator or (found[1] if (found := _OPERATOR.search(text)) else "")
        node = node or (found[1] if (found := _NODE.search(text)) else "")
        error = error.__cause__
    if not operator:
        return ""
    place = source.line_of(node) if source is not None else ""
    return f"ONNX has no form of its operator {operator}{place}"


def _load(path: str) -> TorchModel:
    if path.endswith(".onnx"):
        return _onnx_model(path)
    if os.path.isdir(path) or path.endswith((".safetensors", ".bin")):
        return _hub_model(path)
    with open(path, "rb") as file:
        if file.read(len(_HDF5)) == _HDF5:
            return _keras_model(path)
    with zipfile.ZipFile(path) as archive:
        whole = archive.namelist()
    if "model.weights.h5" in whole:
        return _keras_model(path)
    names = {name.partition("/")[2] for name in whole} | set(whole)
    kind = _parts.ExportedModel if names & _ARCHIVES else _parts.ScriptedModel
    found: TorchModel = kind(path)
    return found


def _onnx_model(path: str) -> TorchModel:
    found: TorchModel = importlib.import_module("tool_bridge").OnnxModel(path)
    return found


def _keras_model(path: str) -> TorchModel:
    found: TorchModel = importlib.import_module("tool_keras").KerasModel(path)
    return found


def _hub_model(path: str) -> TorchModel:
    found: TorchModel = importlib.import_module("tool_hub").HubModel(path)
    return found


def _answer(source: TorchModel, request: Json, tell: Tell) -> Mapping[str, str]:
    """Run it; returns the places of the values that are wanted too."""
    values = request.get("values") or []
    inner = source.inner(request["made"]) if values else None
    paths = sorted(glob.glob(os.path.join(request["samples"], "*.npz")))
    for number, path in enumerate(paths):
        tell(number, len(paths), f"Running sample {number + 1} of {len(paths)}")
        with numpy.load(path, allow_pickle=False) as arrays:
            outputs = source.outputs({name: arrays[name] for name in arrays.files})
            inputs = [torch.from_numpy(arrays[name]) for name in source.fed()] if inner else []
        made = {str(at): one.detach().cpu().numpy() for at, one in enumerate(outputs)}
        found = inner.computed(values, inputs) if inner else {}
        made.update({f"value/{values.index(name)}": one.numpy() for name, one in found.items()})
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **made)
    return inner.places(values) if inner else {}


def _name_axes(path: str, inputs: Mapping[str, Json], source: TorchModel) -> None:
    """Give open sizes names that people use instead of the exporter's symbols."""
    model = onnx.load(path, load_external_data=False)
    names = dict(_names(model.graph.input, inputs, source))
    if not names:
        return
    for value in _values(model.graph):
        for one in value.type.tensor_type.shape.dim:
            if one.dim_param:
                one.dim_param = _SYMBOL.sub(lambda m: names.get(m[0], m[0]), one.dim_param)
    onnx.save(model, path)


def _names(
    values: Sequence[Any], inputs: Mapping[str, Json], source: TorchModel
) -> Iterator[tuple[str, str]]:
    taken: dict[str, str] = {}
    is_shared = getattr(source, "shares_axes", False)  # every input has the same batch
    for value in values:
        sizes = value.type.tensor_type.shape.dim
        usual = source.axes.get(len(sizes), ("batch",))
        wanted = (inputs.get(value.name) or {}).get("dynamic") or {}
        for axis, one in enumerate(sizes):
            symbol = one.dim_param
            if not _SYMBOL.fullmatch(symbol) or symbol in taken.values():
                continue
            name = wanted.get(str(axis)) or (usual[axis] if axis < len(usual) else "")
            name = name or f"{value.name}_{axis}"
            if name in taken and not is_shared:
                name = f"{value.name}_{name}"
            taken[name] = symbol
            yield symbol, name


def _values(graph: Any) -> Iterator[Any]:
    yield from graph.input
    yield from graph.output
    yield from graph.value_info
