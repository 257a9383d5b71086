"""What a command imports: the features that it does not use cost its start nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from studio.settings import resource

DIGITS = resource("samples", "digits", "digits.onnx")
CALIBRATION = DIGITS.with_name("calibration.npz")

SCRIPT = """
import json, sys
from studio.cli.main import main
main(sys.argv[1:])
print(json.dumps([*sys.modules]))
"""
MOST = {
    "target list": 92,
    f"inspect {DIGITS}": 200,
    f"quantize {DIGITS} --data {CALIBRATION}": 233,
}
"""Modules of the studio: what every command imports is seen here, and declarations of features."""

STAGES = {"quantize": "quantization"}
UNUSED = (
    "numpy", "onnx", "onnxruntime", "paramiko", "PySide6",
    "studio.models.language.results", "studio.monitoring.alerts.step", "studio.pipelines",
    "studio.plans", "studio.profiling", "studio.quantization", "studio.rollouts", "studio.versions",
)  # fmt: skip


@pytest.mark.parametrize("command", MOST)
def test_a_command_imports_what_it_uses(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command.split()],
        env={**os.environ, "EDGEWRIGHT_HOME": str(tmp_path)},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    modules = json.loads(done.stdout.splitlines()[-1])
    own = [name for name in modules if name.startswith("studio")]
    used = {f"studio.{STAGES.get(command.split()[0])}"}
    assert sorted((set(UNUSED) & set(modules)) - used) == []
    code = [name for name in own if name.startswith("studio.features.")]
    assert not [name for name in code if name.count(".") > 2 and not name.endswith(".feature")]
    assert len(own) <= MOST[command]
    assert "studio.workspace.workspace" in own  # the command was run


def test_the_list_of_commands_needs_none_of_them() -> None:
    script = "import sys\ntry: from studio.cli.main import main; main(['--help'])\n"
    script += "except SystemExit: print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    listing, _, modules = done.stdout.rstrip().rpartition("\n")
    assert "\n    target " in listing  # with its line
    own = [name for name in modules.split() if name.startswith("studio")]
    features = [name for name in own if name.startswith("studio.features.")]
    assert {name.partition(".features.")[2].partition(".")[2] for name in features} <= {
        "",
        "feature",
    }
    assert len(own) - len(features) <= 27
    assert not [
        name for name in own if name.startswith(("studio.cli.commands", "studio.workspace"))
    ]


def test_flags_of_a_step_are_made_for_the_verb_that_is_asked() -> None:
    script = (
        "import sys; from studio.cli.main import _parser; parser = _parser(['target']);"
        "step = 'studio.deployment.pull.step'; print(step in sys.modules);"
        "parser.parse_words(['target', 'pull', '--board', 'cam']);"
        "print(step in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["False", "True"], done.stderr
