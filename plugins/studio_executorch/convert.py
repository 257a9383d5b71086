"""Programs of PyTorch as ExecuTorch, in the environment of its makers' converter."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainConverter


class ExecuTorchWriter(ToolchainConverter):
    """The writer of ExecuTorch."""

    id = "executorch"
    title = "ExecuTorch"
    sources = ("pytorch-export",)
    distribution = "executorch"
    tool = Path(__file__).with_name("tool.py")
