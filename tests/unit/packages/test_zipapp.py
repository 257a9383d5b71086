"""The zip application: the same bytes each time, and run by plain interpreters."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from studio.packages import build_runtime


def interpreters() -> list[str]:
    """This Python, the system's, and the oldest supported one where it is installed."""
    beside = Path(sys.base_prefix).parent.glob("3.8*/bin/python3.8")
    system = shutil.which("python3", path="/usr/bin")
    return [sys.executable, *([system] if system else []), *map(str, beside)]


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = build_runtime(tmp_path / "a"), build_runtime(tmp_path / "b")
    assert first.digest == second.digest
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.size == first.path.stat().st_size < 1_000_000


def test_it_holds_the_runtime_and_nothing_of_the_studio(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_runtime(tmp_path).path) as archive:
        names = archive.namelist()
    assert "__main__.py" in names
    assert "edgewright_runtime/main.py" in names
    assert "edgewright_runtime/release/command.py" in names
    assert all(name == "__main__.py" or name.startswith("edgewright_runtime/") for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("python", interpreters())
@pytest.mark.parametrize("entries", [None, os.pathsep, f"{os.pathsep}/nowhere", "."])
def test_an_empty_entry_of_the_path_is_not_the_current_folder(
    tmp_path: Path, python: str, entries: str | None
) -> None:
    application = build_runtime(tmp_path)
    folder = tmp_path / "stranger"
    folder.mkdir()
    for name in ("argparse", "json", "numpy"):
        (folder / f"{name}.py").write_text("raise SystemExit('the folder runs')\n")
    done = subprocess.run(
        [python, str(application.path), "release", "status", "--root", str(tmp_path / "root")],
        input=b"{}",
        capture_output=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"], **({"PYTHONPATH": entries} if entries else {})},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("python", interpreters())
def test_release_runs_with_the_standard_library_alone(tmp_path: Path, python: str) -> None:
    application = build_runtime(tmp_path)
    done = subprocess.run(
        [python, "-I", "-S", str(application.path), "release", "status", "--root", str(tmp_path)],
        input=b"{}",
        capture_output=True,
        env={"PATH": os.environ["PATH"]},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    answer = json.loads(done.stdout)
    assert answer["event"] == "result"
    assert answer["runtime"] == application.digest
    assert answer["current"] == ""
