"""Qualcomm's compiler and its emulator, in an environment of their own."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainCompiler


class Qnn(ToolchainCompiler):
    """The compiler for Hexagon NPUs, with the emulator of the chip that was compiled for."""

    id = "qnn"
    title = "Qualcomm QNN"
    distribution = "onnxruntime-qnn"
    how = "emulated"
    tool = Path(__file__).with_name("tool.py")
