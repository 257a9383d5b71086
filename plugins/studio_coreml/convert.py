"""Programs of PyTorch as Core ML, in the environment of its makers' converter."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainConverter


class CoreMlWriter(ToolchainConverter):
    """The writer of Core ML."""

    id = "coreml"
    title = "Core ML"
    sources = ("pytorch-export",)
    distribution = "coremltools"
    tool = Path(__file__).with_name("tool.py")
