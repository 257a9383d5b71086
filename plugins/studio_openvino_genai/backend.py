"""OpenVINO GenAI as a backend of language models."""

from __future__ import annotations

from studio.api import TextToolchain


class OpenVinoGenai(TextToolchain):
    """The backend for folders with an openvino_model.xml and a tokenizer."""

    id = "openvino-genai"
    title = "OpenVINO GenAI"
    distribution = "openvino-genai"
