"""Arm's Vela and the interpreter for microcontrollers, in an environment of their own."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainCompiler


class EthosU(ToolchainCompiler):
    """The compiler for NPUs of the Ethos-U family."""

    id = "ethos-u"
    title = "Arm Vela"
    distribution = "ethos-u-vela"
    how = "compiled"
    runs = False
    tool = Path(__file__).with_name("tool_vela.py")


class TfliteMicro(ToolchainCompiler):
    """The interpreter for microcontrollers; its kernels are those of the device, in C."""

    id = "tflite-micro"
    title = "TFLite Micro"
    distribution = "tflite-micro"
    how = "emulated"
    tool = Path(__file__).with_name("tool_micro.py")
