"""ONNX Runtime generate() as a backend of language models."""

from __future__ import annotations

from studio.api import TextToolchain


class OnnxRuntimeGenai(TextToolchain):
    """The backend for folders with a genai_config.json."""

    id = "onnxruntime-genai"
    title = "ONNX Runtime generate()"
    distribution = "onnxruntime-genai"
