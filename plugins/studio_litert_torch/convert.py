"""Programs of PyTorch as TFLite, in the environment of its makers' converter."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainConverter


class TfliteWriter(ToolchainConverter):
    """The writer of TFLite."""

    id = "litert-torch"
    title = "LiteRT Torch"
    sources = ("pytorch-export",)
    distribution = "litert-torch"
    tool = Path(__file__).with_name("tool.py")
