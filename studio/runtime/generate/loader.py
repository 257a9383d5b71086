"""The load of a language model by its backend."""

from __future__ import annotations

from pathlib import Path

from ..backends.catalog import ServingBackend
from .catalog import LLAMA_CPP, ONNX_GENAI
from .text_model import TextModel, TextSettings


def load_text_model(path: Path, backend: ServingBackend, settings: TextSettings) -> TextModel:
    """Load a language model; only its own backend is imported.

    Raises:
        LoadError: in one sentence, when the backend refuses the file or lacks memory.
        ModuleNotFoundError: when the backend's package is missing.
    """
    if backend is LLAMA_CPP:
        from .backends.llama_cpp import LlamaCppModel

        return LlamaCppModel(path, settings)
    if backend is ONNX_GENAI:
        from .backends.onnx_genai import OnnxGenaiModel

        return OnnxGenaiModel(path, settings)
    from .backends.openvino_genai import OpenVinoGenaiModel

    return OpenVinoGenaiModel(path, settings)
