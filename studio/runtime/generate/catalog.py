"""The backends that serve language models, and the one for a file."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

from ..backends.catalog import ServingBackend
from ..shared.errors import LoadError

LLAMA_CPP = ServingBackend(
    "llama-cpp", "llama.cpp", "llama-cpp-py-sync", "llama_cpp_py_sync", "0.11739", (".gguf",)
)
ONNX_GENAI = ServingBackend(
    "onnxruntime-genai",
    "ONNX Runtime generate()",
    "onnxruntime-genai",
    "onnxruntime_genai",
    "0.18",
    (".onnx",),
)
OPENVINO_GENAI = ServingBackend(
    "openvino-genai", "OpenVINO GenAI", "openvino-genai", "openvino_genai", "2026.0", (".xml",)
)

TEXT_BACKENDS: Mapping[str, ServingBackend] = {
    one.id: one for one in (LLAMA_CPP, ONNX_GENAI, OPENVINO_GENAI)
}


def text_backend_of(path: Path) -> ServingBackend:
    """Return the backend that runs a language model's file.

    Raises:
        LoadError: when no backend runs such files.
    """
    suffix = path.suffix.lower()
    for one in TEXT_BACKENDS.values():
        if suffix in one.suffixes:
            return one
    raise LoadError("No backend runs language models in {} files.".format(suffix or "such"))
