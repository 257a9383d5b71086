"""A folder of a stranger: beside the model lies code that Python or a shell may run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MODULES = (
    *("argparse", "asyncio", "hashlib", "importlib", "json", "logging", "numpy", "onnx"),
    *("onnxruntime", "docker", "paramiko", "pip", "uv", "PIL", "PySide6", "matplotlib"),
    *("sitecustomize", "usercustomize", "studio_onnx", "edgewright_runtime"),
)
PACKAGES = ("onnxruntime", "importlib", "studio_onnx", "pip")
PROGRAMS = (
    *("bwrap", "ssh", "ssh-keygen", "git", "docker", "docker-credential-desktop", "openssl"),
    *("python3", "python", "uv", "rsync", "uname", "df", "getconf", "systemctl", "unshare", "sh"),
    *("vcgencmd", "nvidia-smi", "tegrastats"),
)


class HostileFolder:
    """Modules and programs that leave a note when they run.

    Attributes:
        path: The folder, in which a person opens the model.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._notes = path.parent / "ran.txt"
        path.mkdir()
        for name in MODULES:
            self._module(name)
        for name in PROGRAMS:
            program = path / name
            program.write_text(f"#!/bin/sh\necho program {name} >> {self._notes}\nexit 1\n")
            program.chmod(0o755)

    def add(self, *files: Path) -> None:
        """Copy what a person wants to work with."""
        for file in files:
            shutil.copyfile(file, self.path / file.name)

    def remove(self, package: str) -> None:
        """Take a package away."""
        shutil.rmtree(self.path / package)

    @property
    def ran(self) -> list[str]:
        """What has run since it was last asked."""
        if not self._notes.exists():
            return []
        lines = self._notes.read_text().splitlines()
        self._notes.unlink()
        return lines

    def environment(self, given: dict[str, str]) -> dict[str, str]:
        """The variables of a shell whose PATH has an empty entry: the current folder, first."""
        return {**given, "PATH": os.pathsep + given["PATH"]}

    def _module(self, name: str) -> None:
        file = self.path / f"{name}.py"
        if name in PACKAGES:
            file = self.path / name / "__init__.py"
            file.parent.mkdir()
        file.write_text(f"open({str(self._notes)!r}, 'a').write('module {name}\\n')\n")
