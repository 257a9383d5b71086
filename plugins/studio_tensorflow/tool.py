"""The conversion of TensorFlow's and TFLite's files to ONNX, in the environment of TensorFlow.

This file and its parts, numpy, onnx, tensorflow and tf2onnx alone; nothing of the studio.
``run`` is called as ``studio.api.toolchains`` describes for converters. The result also has
``labels``, ``preprocess`` and ``metadata`` where a TFLite file holds them.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy

Tell = Callable[..., None]
Json = Mapping[str, Any]

# Before the first import of TensorFlow. oneDNN's kernels round in another order.
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

# A converter's parts lie next to it; the environment knows nothing of the folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_safety: Any = importlib.import_module("tool_safety")

_FAULTS = (
    (
        re.compile(r"Op type not registered '([^']+)'"),
        "its operator {0} is not one of TensorFlow's, and the code of it is not in the file",
    ),
    (
        re.compile(r"(?:unresolved custom op|custom op): *([\w.]+)"),
        "its operator {0} is a custom one, and the code of it is not in the file",
    ),
    (
        re.compile(r"Select TensorFlow op\(s\)[^\n]*|Flex delegate"),
        "it has operators of TensorFlow, which TFLite alone does not run",
    ),
    (
        re.compile(r"[Tt]ensorflow op \[([^\]:]+): (\w+)\] is not supported"),
        "ONNX has no form of its operator {1} (node '{0}')",
    ),
    (re.compile("Error parsing message|DecodeError"), "it is damaged"),
    (re.compile(r"[Tt]he model is not a valid Flatbuffer"), "it is damaged"),
    (
        re.compile(
            r"could not find .*variables|[Uu]nable to open table file|Data loss|Read less bytes"
        ),
        "its variables are missing or damaged",
    ),
)
"""Sentences in place of those of a library."""

_LONGEST_REASON = 300
"""Signs of a library's own sentence, which may quote a whole file."""

_SAVED_MODEL = "saved_model.pb"


class RequestFault(Exception):
    """The fault of a request or a file, in one sentence."""


class LoadedFile(Protocol):
    """A file of TensorFlow's that was loaded."""

    def names(self) -> list[str]:
        """Names of its inputs."""

    def export(self, inputs: Mapping[str, Json]) -> Any:
        """Return it as ONNX."""

    def results(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it; its outputs in the order of the exported model's."""

    def described(self) -> dict[str, Any]:
        """Return labels and metadata of the file, as more keys of the result."""


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a file, or run it on samples; what goes wrong is in ``error``."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    try:
        return _done(request, tell)
    except RequestFault as error:
        return {"error": str(error)}


def _done(request: Json, tell: Tell) -> dict[str, Any]:
    name = os.path.basename(os.path.normpath(request["source"]))
    tell(0.0, 0.0, "Loading the model")
    with _explained(f"{name} cannot be loaded"):
        model = _load(request["source"])
    if request["work"] == "answer":
        with _explained(f"{name} does not run on the samples"):
            _answer(model, request, tell)
        return {}
    inputs = _by_name(request["inputs"], model.names())
    tell(0.0, 0.0, "Converting the model")
    with _explained(f"{name} cannot be converted"):
        return _converted(model, inputs, request["output"], tell)


def _converted(
    model: LoadedFile, inputs: Mapping[str, Json], output: str, tell: Tell
) -> dict[str, Any]:
    after: Any = importlib.import_module("tool_onnx")
    made = model.export(inputs)
    after.check_operators(made)
    tell(0.0, 0.0, "Writing the model")
    after.set_sizes(made, inputs)
    after.save(made, output)
    found = {"warnings": after.notes(made), **model.described()}
    make: Any = getattr(model, "samples", None)
    samples = make(inputs) if make is not None else {}
    if samples:
        numpy.savez("samples.npz", **samples)
        found["samples"] = True
    return found


def _by_name(inputs: Mapping[str, Json], names: Sequence[str]) -> dict[str, Json]:
    """Return the user's shapes, types and axes by the names of the model's inputs."""
    known = ", ".join(names)
    if "*" in inputs and len(names) != 1:
        raise RequestFault(f"The model has several inputs: {known}. Give each shape with a name.")
    found = {names[0] if name == "*" else name: spec for name, spec in inputs.items()}
    unknown = sorted(set(found) - set(names))
    if unknown:
        raise RequestFault(f"The model has no input {unknown[0]!r}; it has {known}.")
    return found


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn an exception of the framework into one sentence; its whole text goes to the log."""
    try:
        yield
    except (RequestFault, MemoryError):
        raise
    except Exception as error:
        traceback.print_exc()
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        first = lines[0][:_LONGEST_REASON] if lines else "no reason given"
        reason = _known_fault(str(error)) or first
        raise RequestFault(f"{what}: {reason.rstrip('.')}.") from None


def _known_fault(text: str) -> str:
    for pattern, message in _FAULTS:
        if found := pattern.search(text):
            return message.format(*found.groups())
    return ""


def _load(path: str) -> LoadedFile:
    """Load a file; what it must not hold is looked for before TensorFlow is imported."""
    if os.path.isdir(path):
        _safety.check_folder(path)
        kind = "SavedModel"
    elif os.path.basename(path) == _SAVED_MODEL:
        raise ValueError("it is the graph of a SavedModel; name the folder that it is in")
    elif _is_lite(path):
        return _part("tool_lite", "LiteModel", path)
    else:
        with _safety.mapped(path) as content:
            _safety.check_frozen(content)
        kind = "FrozenGraph"
    return _part("tool_graphs", kind, path)


def _part(module: str, kind: str, path: str) -> LoadedFile:
    found: LoadedFile = getattr(importlib.import_module(module), kind)(path)
    return found


def _is_lite(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(8)[4:] == b"TFL3"


def _answer(model: LoadedFile, request: Json, tell: Tell) -> None:
    paths = sorted(glob.glob(os.path.join(request["samples"], "*.npz")))
    for number, path in enumerate(paths):
        tell(number, len(paths), f"Running sample {number + 1} of {len(paths)}")
        with numpy.load(path, allow_pickle=False) as arrays:
            outputs = model.results({name: arrays[name] for name in arrays.files})
        made = {str(at): one for at, one in enumerate(outputs)}
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **made)
