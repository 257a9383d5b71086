"""The promise that no telemetry is written or sent, kept in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import models

_SCRIPT = """
import socket, sys
from pathlib import Path

def audit(event, args):
    # A Unix socket stays on this machine; everything else would be a call home.
    if event == "socket.connect" and args[0].family != socket.AF_UNIX:
        print("CONNECT", args[1])
sys.addaudithook(audit)

{work}
assert "onnxruntime" in sys.modules
"""

_LOAD = """
from studio_onnxruntime.backend import OnnxRuntime
OnnxRuntime().load(Path(sys.argv[1]), {}).close()
"""

_QUANTIZE = """
from studio.api import Silent
from studio_onnxruntime.dynamic_int8 import DynamicInt8
DynamicInt8().apply(Path(sys.argv[1]), Path(sys.argv[2]), {}, None, Silent())
"""

_HALVE = """
from studio.api import Silent
from studio_onnxruntime.fp16 import Float16
Float16().apply(Path(sys.argv[1]), Path(sys.argv[2]), {}, None, Silent())
"""


@pytest.mark.parametrize("work", [_LOAD, _QUANTIZE, _HALVE])
def test_no_telemetry(tmp_path: Path, work: str) -> None:
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    model = models.attention(scratch / "m.onnx")
    env = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    del env["ORT_DISABLE_TELEMETRY"]
    done = subprocess.run(
        [sys.executable, "-B", "-c", _SCRIPT.format(work=work), model, scratch / "out.onnx"],
        env={**env, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "CONNECT" not in done.stdout
    assert list(home.rglob("*")) == []


def test_the_plugin_is_not_imported_with_the_runtime() -> None:
    """Looking at the plugin's data imports neither onnx nor onnxruntime."""
    code = (
        "import sys, studio_onnxruntime.backend, studio_onnxruntime.hardware;"
        "print({'onnx', 'onnxruntime', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "set()"
