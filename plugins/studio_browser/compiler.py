"""onnxruntime-web in Chromium, whose tool works in an environment of its own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.api import Compiled, Progress, Toolchain, ToolchainCompiler, Unavailable

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Browser(ToolchainCompiler):
    """The folder for browsers, and its run in a headless Chromium."""

    id = "browser"
    title = "onnxruntime-web"
    distribution = "onnxruntime-web"
    how = "emulated"
    tool = Path(__file__).with_name("tool.py")

    def __init__(self, toolchain: Toolchain) -> None:
        super().__init__(toolchain)
        self._settings: Mapping[str, object] = {}

    def version(self) -> str:
        """Return the version of onnxruntime-web.

        Raises:
            Unavailable: without the environment, or without Chromium.
        """
        version = super().version()
        if not any(map(shutil.which, PROGRAMS)):
            raise Unavailable(
                "Chromium is not installed, and the browser's numbers come from there.",
                hint="Install the package chromium (Debian: apt install chromium).",
            )
        return version

    def compile(
        self,
        model: Path,
        output: Path,
        settings: Mapping[str, object],
        inputs: Mapping[str, Sequence[int]],
        folder: Path,
        progress: Progress,
    ) -> Compiled:
        """Write the folder and load its model; what runs later has the same build."""
        self._settings = {**settings, "version": self.version()}
        return super().compile(model, output, self._settings, inputs, folder, progress)

    def _run(
        self, request: Mapping[str, object], folder: Path, progress: Progress
    ) -> Mapping[str, Any]:
        words = {"settings": self._settings, "folder": str(folder), **request}
        return super()._run(words, folder, progress)
