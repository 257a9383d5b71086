"""SavedModels, frozen graphs and TFLite files as ONNX."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainConverter


class TensorFlowConverter(ToolchainConverter):
    """The converter: tf2onnx, in an environment with TensorFlow."""

    id = "tensorflow"
    title = "TensorFlow"
    sources = ("saved-model", "tensorflow-graph", "tflite")
    distribution = "tensorflow-cpu"
    tool = Path(__file__).with_name("tool.py")
