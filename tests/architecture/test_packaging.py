"""Packages of the studio: the wheel without Qt, the packages that are named twice, the lock."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path
from types import ModuleType

import pytest

from studio.datasets import video
from studio.settings import window_libraries
from studio.settings.installation import MARKER

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
METADATA = """\
Metadata-Version: 2.4
Name: edgewright
Version: 0.1.0
Summary: A desktop studio
Requires-Dist: netron>=9
Requires-Dist: pyside6-essentials>=6.8.3; python_version >= '3.12'
Provides-Extra: mqtt
Requires-Dist: paho-mqtt>=2.1; extra == 'mqtt'
Provides-Extra: webengine
Requires-Dist: pyside6-addons>=6.8.3; extra == 'webengine'

Name: edgewright
"""


@pytest.fixture(autouse=True)
def packaging(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts import each other from their own folder."""
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))


@pytest.fixture
def headless() -> ModuleType:
    import headless

    return headless


@pytest.fixture
def installed() -> ModuleType:
    import installed

    return installed


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "edgewright-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("studio/__init__.py", "x = 1\n")
        archive.writestr("edgewright-0.1.0.dist-info/METADATA", METADATA)
        archive.writestr("edgewright-0.1.0.dist-info/RECORD", "studio/__init__.py,sha256=x,6\n")
    return path


def test_the_wheel_without_qt_has_the_other_requirements(headless: ModuleType, wheel: Path) -> None:
    made = headless.headless(wheel)
    assert made.name == "edgewright_headless-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(made) as archive:
        text = archive.read("edgewright_headless-0.1.0.dist-info/METADATA").decode()
    head, _, body = text.partition("\n\n")
    assert "Name: edgewright-headless" in head
    assert not re.search("pyside|webengine", head, re.IGNORECASE)
    assert {"Requires-Dist: netron>=9", "Provides-Extra: mqtt"} <= set(head.splitlines())
    assert body == "Name: edgewright\n", "the text for readers stays"


def test_its_record_is_that_of_its_files(headless: ModuleType, wheel: Path) -> None:
    with zipfile.ZipFile(headless.headless(wheel)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    record = "edgewright_headless-0.1.0.dist-info/RECORD"
    rows = {name: digest for name, digest, _ in csv.reader(files[record].decode().splitlines())}
    assert set(rows) == set(files)
    for name, content in files.items():
        digest = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        assert rows[name] in (f"sha256={digest}", "" if name == record else None)


def test_equal_wheels_give_equal_bytes(headless: ModuleType, wheel: Path) -> None:
    first = headless.headless(wheel).read_bytes()
    assert headless.headless(wheel).read_bytes() == first


def test_packages_of_programs_leave_out_what_builds_the_wheel(installed: ModuleType) -> None:
    text = installed.without_build(ROOT / "requirements.lock")
    names = set(re.findall(r"^([a-z0-9.\-]+)==", text, re.MULTILINE))
    assert {"numpy", "onnxruntime", "packaging", "pip", "pyside6-essentials"} <= names
    assert not {"hatchling", "editables", "trove-classifiers", "pluggy"} & names
    assert text.count("--hash=sha256:") > 100


def test_the_marker_has_one_name(installed: ModuleType) -> None:
    assert installed.MARKER == MARKER


def test_what_the_window_needs_is_named_alike() -> None:
    script = (ROOT / "packaging" / "system_packages.sh").read_text(encoding="utf-8")
    (names,) = re.findall(r'^window="([^"]+)"', script, re.MULTILINE)
    assert tuple(names.split()) == window_libraries.DEBIAN_PACKAGES


def test_requirements_in_hints_are_those_of_the_project() -> None:
    assert video._REQUIREMENT in PROJECT["optional-dependencies"]["video"]
    qt = [text.partition(";")[0] for text in PROJECT["dependencies"] if "PySide6" in text]
    assert window_libraries.REQUIREMENT in qt


def test_python_programs_that_the_studio_starts_are_requirements() -> None:
    started = set()
    for path in (ROOT / "studio").rglob("*.py"):
        started |= set(re.findall(r'own_python\("-m", "(\w+)"', path.read_text(encoding="utf-8")))
    required = {re.split(r"[<>=!~\[]", text)[0] for text in PROJECT["dependencies"]}
    assert "pip" in started
    assert started - required == {"uv"}, "uv is used where it is; the others must be there"


def test_the_debian_package_runs_no_module_of_the_current_folder_as_root(tmp_path: Path) -> None:
    import debian

    place, hostile = tmp_path / "place", tmp_path / "hostile"
    for folder in (place / "bin", place / "lib", hostile):
        folder.mkdir(parents=True)
    (place / "bin" / "python").symlink_to(sys.executable)
    (place / "lib" / "module.py").touch()
    for name in ("compileall", "sitecustomize", "py_compile"):
        (hostile / f"{name}.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w')\n")
    script = debian._POSTINST.format(here=str(place).lstrip("/"))
    words = ["sh", "-c", script, "postinst", "configure"]
    variables = {**os.environ, "PYTHONPATH": str(hostile)}
    subprocess.run(words, cwd=hostile, env=variables, check=True)
    assert list((place / "lib").rglob("*.pyc"))
    assert not (tmp_path / "mark").exists()


def test_the_tree_of_the_debian_package_has_the_modes_of_packages(tmp_path: Path) -> None:
    import debian

    here = tmp_path / debian.HERE
    for name in ("bin/studio", "lib/a.so", "lib/__pycache__/a.pyc"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).touch(mode=0o777)
    (here / "bin" / "python").symlink_to("/usr/bin/python3.13")
    debian._normalize(tmp_path)
    assert (here / "bin/python").readlink() == Path("../../../bin/python3.13")
    modes = {name: (here / name).stat().st_mode & 0o777 for name in ("bin/studio", "lib/a.so")}
    assert modes == {"bin/studio": 0o755, "lib/a.so": 0o644}
    assert not (here / "lib" / "__pycache__").exists()
