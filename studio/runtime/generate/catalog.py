"""The backends that run language models, and the one for a file."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

from ..backends.catalog import BACKENDS, LLAMA_CPP, ONNX_GENAI, OPENVINO_GENAI, ServingBackend
from ..shared.errors import LoadError

TEXT_BACKENDS: Mapping[str, ServingBackend] = {
    name: one for name, one in BACKENDS.items() if one.generates
}

__all__ = ["LLAMA_CPP", "ONNX_GENAI", "OPENVINO_GENAI", "TEXT_BACKENDS", "text_backend_of"]


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
