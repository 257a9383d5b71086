"""Arm's Vela and the interpreter for microcontrollers, in an environment of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from studio.api import Progress, ToolchainCompiler, Unavailable


class EthosU(ToolchainCompiler):
    """The compiler for NPUs of the Ethos-U family."""

    id = "ethos-u"
    title = "Arm Vela"
    distribution = "ethos-u-vela"
    how = "compiled"
    tool = Path(__file__).with_name("tool_vela.py")

    def answer(
        self,
        model: Path,
        samples: Path,
        answers: Path,
        folder: Path,
        progress: Progress,
        *,
        values: Sequence[str] = (),
    ) -> Mapping[str, str]:
        """Raise Unavailable: Vela compiles, and nothing here runs its code."""
        raise Unavailable("nothing here runs the code of an Ethos-U.")


class TfliteMicro(ToolchainCompiler):
    """The interpreter for microcontrollers; its kernels are those of the device, in C."""

    id = "tflite-micro"
    title = "TFLite Micro"
    distribution = "tflite-micro"
    how = "emulated"
    tool = Path(__file__).with_name("tool_micro.py")
