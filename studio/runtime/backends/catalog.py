"""The backends that a server can load a model with, and the one for a file."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping, NamedTuple, Tuple

from ..shared.errors import LoadError


class ServingBackend(NamedTuple):
    """A runtime that serves models.

    Attributes:
        id: As bundles and commands name it.
        distribution: Name of its Python package.
        module: Import name of the package.
        oldest: Version of the oldest release that is taken.
        suffixes: Suffixes of the model files that it loads, lower case.
        generates: It runs language models, token by token.
        more: Packages that it cannot be imported without.
    """

    id: str
    title: str
    distribution: str
    module: str
    oldest: str
    suffixes: Tuple[str, ...]
    generates: bool = False
    more: Tuple[str, ...] = ()


ONNX_RUNTIME = ServingBackend(
    "onnxruntime", "ONNX Runtime", "onnxruntime", "onnxruntime", "1.17", (".onnx", ".ort")
)
LITERT = ServingBackend("litert", "LiteRT", "ai-edge-litert", "ai_edge_litert", "2.1", (".tflite",))
OPENVINO = ServingBackend(
    "openvino", "OpenVINO", "openvino", "openvino", "2025.0", (".xml", ".onnx")
)
LLAMA_CPP = ServingBackend(
    "llama-cpp",
    "llama.cpp",
    "llama-cpp-py-sync",
    "llama_cpp_py_sync",
    "0.11739",
    (".gguf",),
    generates=True,
    more=("cffi", "pycparser"),
)
ONNX_GENAI = ServingBackend(
    "onnxruntime-genai",
    "ONNX Runtime generate()",
    "onnxruntime-genai",
    "onnxruntime_genai",
    "0.18",
    (".onnx",),
    generates=True,
    more=("onnxruntime",),
)
OPENVINO_GENAI = ServingBackend(
    "openvino-genai",
    "OpenVINO GenAI",
    "openvino-genai",
    "openvino_genai",
    "2026.0",
    (".xml",),
    generates=True,
    more=("openvino", "openvino-tokenizers"),
)

_ALL = (ONNX_RUNTIME, LITERT, OPENVINO, LLAMA_CPP, ONNX_GENAI, OPENVINO_GENAI)
BACKENDS: Mapping[str, ServingBackend] = {one.id: one for one in _ALL}
SUFFIXES = (".onnx", ".tflite", ".xml", ".gguf")
"""Suffixes of model files in a folder of models; the first is taken where several lie there."""


def backend_by_id(name: str) -> ServingBackend:
    """Return a backend; ONNX Runtime for one that serves nothing."""
    return BACKENDS.get(name, ONNX_RUNTIME)


def backend_of(path: Path, wanted: str = "") -> ServingBackend:
    """Return the backend that loads a model file.

    Args:
        wanted: Id of a backend; empty for the first one that loads such files.

    Raises:
        LoadError: when the backend is unknown, or loads no such files.
    """
    suffix = path.suffix.lower()
    if not wanted:
        # A file of any other name is one of ONNX Runtime's, which says what is wrong with it.
        fitting = (one for one in BACKENDS.values() if suffix in one.suffixes)
        return next(fitting, ONNX_RUNTIME)
    found = BACKENDS.get(wanted)
    if found is None:
        raise LoadError("The backend {!r} is unknown to this server.".format(wanted[:40]))
    if suffix not in found.suffixes:
        raise LoadError("{} loads no {} files.".format(found.title, suffix or "such"))
    return found
