"""NVIDIA's aiperf, which puts load on an endpoint, in an environment of its own (1.2 GB)."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_PACKAGES = ("aiperf==0.13.*",)
_INSTALL_S = 1800
_RUN_S = 1500


def aiperf_program(rigs: Path) -> Path:
    """Return the program, installed when its packages are others."""
    digest = hashlib.sha256(" ".join(_PACKAGES).encode()).hexdigest()[:12]
    folder = rigs / "language" / f"aiperf-{digest}"
    ready = folder / "ready"
    if not ready.is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *_PACKAGES]
        subprocess.run(install, check=True, timeout=_INSTALL_S, stdout=sys.stderr)
        ready.touch()
    return folder / "bin" / "aiperf"


def profile(program: Path, url: str, model: str, folder: Path, *options: str) -> Any:
    """Run a profile; return its report.

    Args:
        folder: For reports and logs.
    """
    words = ["profile", "--model", model, "--url", url, "--ui-type", "none"]
    command = [str(program), *words, "--output-artifact-dir", str(folder), *options]
    variables = {**os.environ, "NO_PROXY": "*"}
    variables.pop("PYTHONPATH", None)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_RUN_S, env=variables, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads((folder / "profile_export_aiperf.json").read_text())
