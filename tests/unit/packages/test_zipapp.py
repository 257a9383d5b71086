"""The zip application: the same bytes each time, and run by plain interpreters."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from studio.packages import ZipApplication, build_runtime
from studio.runtime import archive


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


MODULE = "edgewright_runtime/release/command.py"


def runtime_with_bytecode(folder: Path) -> ZipApplication:
    """The application with all modules compiled, as an installation has them."""
    for source in Path(archive.__file__).parent.rglob("*.py"):
        if not archive._compiled(str(source)):  # none, or of an earlier source
            py_compile.compile(str(source))
    return build_runtime(folder, bytecode=True)


def test_with_bytecode_it_has_each_module_twice_and_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = runtime_with_bytecode(tmp_path / "a")
    second = runtime_with_bytecode(tmp_path / "b")
    assert first.path.read_bytes() == second.path.read_bytes()
    with zipfile.ZipFile(first.path) as file:
        names = set(file.namelist())
    sources = {name for name in names if name.endswith(".py")} - {"__main__.py"}
    assert {f"{name}c" for name in sources} == names - sources - {"__main__.py"}
    assert MODULE in sources


def test_without_the_bytecode_of_all_it_is_as_without_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each module that is compiled later would make another application."""
    compiled = archive._compiled
    monkeypatch.setattr(
        archive, "_compiled", lambda file: b"" if file.endswith("main.py") else compiled(file)
    )
    (tmp_path / "plain").mkdir()
    plain = build_runtime(tmp_path / "plain")
    assert runtime_with_bytecode(tmp_path).path.read_bytes() == plain.path.read_bytes()


@pytest.mark.parametrize("damage", ["none", "old", "of another Python", "gone"])
def test_only_bytecode_of_the_source_is_taken(tmp_path: Path, damage: str) -> None:
    source = tmp_path / "module.py"
    source.write_text("number = 1\n")
    compiled = Path(py_compile.compile(str(source)) or "")
    if damage == "old":
        os.utime(source, (1, 1))
    elif damage == "of another Python":
        compiled.write_bytes(b"\0\0\r\n" + compiled.read_bytes()[4:])
    elif damage == "gone":
        compiled.unlink()
    found = archive._compiled(str(source))
    assert bool(found) == (damage == "none")


def test_the_own_interpreter_compiles_nothing(tmp_path: Path) -> None:
    application = runtime_with_bytecode(tmp_path)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import edgewright_runtime.serve.worker\n"
        "own = [one for name, one in sys.modules.items() if name.startswith('edgewright_')]\n"
        "files = {one.__file__ for one in own}\n"
        "print(len(files), [f for f in files if not f.endswith('.pyc')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(application.path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    count, _, others = done.stdout.partition(" ")
    assert int(count) > 100
    assert others.strip() == "[]"


@pytest.mark.parametrize("python", interpreters())
def test_with_bytecode_it_runs_by_any_interpreter(tmp_path: Path, python: str) -> None:
    application = runtime_with_bytecode(tmp_path)
    done = subprocess.run(
        [python, "-I", "-S", str(application.path), "release", "status", "--root", str(tmp_path)],
        input=b"{}",
        capture_output=True,
        env={"PATH": os.environ["PATH"]},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["runtime"] == application.digest


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
