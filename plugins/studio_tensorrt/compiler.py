"""TensorRT's parser and builder, in an environment of their own."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainCompiler


class TensorRt(ToolchainCompiler):
    """The compiler for NVIDIA's GPUs."""

    id = "tensorrt"
    title = "TensorRT for RTX"
    distribution = "tensorrt-rtx-cu13-bindings"
    how = "compiled"
    runs = False
    tool = Path(__file__).with_name("tool.py")
