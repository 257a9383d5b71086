"""What travels to boards is Python 3.8, and imports nothing that is not there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
FILES = [
    *sorted((ROOT / "studio" / "runtime" / "bench").glob("*.py")),
    ROOT / "studio" / "runtime" / "archive.py",
    ROOT / "plugins" / "studio_onnxruntime" / "runner.py",
]
ALLOWED = {"numpy", "onnxruntime", *sys.stdlib_module_names}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_parses_as_python_3_8_and_stands_alone(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        assert {name.partition(".")[0] for name in names} <= ALLOWED


def test_it_uses_nothing_newer():
    done = subprocess.run(
        [Path(sys.executable).with_name("vermin"), "-t=3.8-", "--no-tips", *map(str, FILES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
