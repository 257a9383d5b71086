"""The guard against PySide6 releases that lose references to None."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"], *project["optional-dependencies"]["webengine"]]
    return [req for text in texts if (req := Requirement(text)).name.startswith("PySide6")]


def allowed(version: str, python: str) -> list[bool]:
    return [
        version in requirement.specifier
        for requirement in requirements()
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python})
    ]


def test_metadata_excludes_the_broken_pair() -> None:
    assert allowed("6.12.0", "3.11") == [False, False]
    assert allowed("6.12.0", "3.12") == [True, True]
    assert allowed("6.11.3", "3.11") == [True, True]


def test_installed_pair_is_allowed() -> None:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert all(allowed(metadata.version("PySide6-Essentials"), python))


def test_void_calls_keep_their_reference_to_none() -> None:
    # 6.12.0 on Python 3.11 drops one at each call, and the process aborts after some 5,000.
    code = """
import sys
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([])
label = QLabel()
before = sys.getrefcount(None)
for number in range(1000):
    label.setText("a")
after = sys.getrefcount(None)
print(after - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    # From Python 3.12 None is immortal and the count stands still.
    assert int(done.stdout) > -100
