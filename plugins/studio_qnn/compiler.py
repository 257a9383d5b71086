"""Qualcomm's compiler and its emulator, in an environment of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.api import Compiled, Progress, Toolchain, ToolchainCompiler


class Qnn(ToolchainCompiler):
    """The compiler for Hexagon NPUs, with the emulator of the chip that was compiled for."""

    id = "qnn"
    title = "Qualcomm QNN"
    distribution = "onnxruntime-qnn"
    how = "emulated"
    tool = Path(__file__).with_name("tool.py")

    def __init__(self, toolchain: Toolchain) -> None:
        super().__init__(toolchain)
        self._settings: Mapping[str, object] = {}

    def compile(
        self,
        model: Path,
        output: Path,
        settings: Mapping[str, object],
        inputs: Mapping[str, Sequence[int]],
        folder: Path,
        progress: Progress,
    ) -> Compiled:
        """Compile by the tool; what runs later is emulated for the same chip."""
        self._settings = dict(settings)
        return super().compile(model, output, settings, inputs, folder, progress)

    def _run(
        self, request: Mapping[str, object], folder: Path, progress: Progress
    ) -> Mapping[str, Any]:
        return super()._run({"settings": self._settings, **request}, folder, progress)
