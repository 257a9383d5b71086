"""PyTorch exports and TorchScript modules as ONNX."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainConverter


class PyTorchConverter(ToolchainConverter):
    """The converter: PyTorch's own exporter, in PyTorch's own environment."""

    id = "pytorch"
    title = "PyTorch"
    sources = ("pytorch-export", "torchscript")
    distribution = "torch"
    tool = Path(__file__).with_name("tool.py")
