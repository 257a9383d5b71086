"""Writers of folders of language models, in the environment of transformers."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainConverter


class GenaiWriter(ToolchainConverter):
    """The writer of folders of onnxruntime-genai, which is that project's own builder."""

    id = "genai-builder"
    title = "onnxruntime-genai"
    sources = ("safetensors",)
    distribution = "onnxruntime-genai"
    tool = Path(__file__).with_name("tool_genai.py")


class OpenVinoWriter(ToolchainConverter):
    """The writer of folders of OpenVINO GenAI."""

    id = "openvino-builder"
    title = "OpenVINO GenAI"
    sources = ("safetensors",)
    distribution = "openvino"
    tool = Path(__file__).with_name("tool_openvino.py")
