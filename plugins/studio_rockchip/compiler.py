"""Rockchip's compiler and its simulator, in an environment of their own."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainCompiler


class Rknn(ToolchainCompiler):
    """The compiler for Rockchip's NPUs, with the simulator of the chip that was compiled for."""

    id = "rknn"
    title = "RKNN-Toolkit2"
    distribution = "rknn-toolkit2"
    how = "simulated"
    tool = Path(__file__).with_name("tool.py")
