"""OpenVINO as a writer of its IR, in its own environment."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainConverter


class OpenVinoWriter(ToolchainConverter):
    """The writer of OpenVINO IR."""

    id = "openvino"
    title = "OpenVINO"
    sources = ("onnx",)
    distribution = "openvino"
    tool = Path(__file__).with_name("tool.py")
