"""A library that the window needs and the system lacks is named before Qt ends the process."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from studio.api import Unavailable
from studio.settings import window_libraries


@pytest.fixture
def qt(tmp_path: Path) -> Path:
    """The place of a library in a package like Qt's."""
    folder = tmp_path / "PySide6" / "Qt" / "lib"
    folder.mkdir(parents=True)
    return folder / "libQt6Widgets.so.6"


def test_nothing_is_missing_here() -> None:
    assert window_libraries.missing_library() == ""
    window_libraries.refuse_missing_library()


@pytest.mark.needs("cc")
def test_the_missing_library_is_named(
    qt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = tmp_path / "libneeded.so.1"
    compiler = ["cc", "-shared", "-x", "c", "/dev/null", "-o"]
    subprocess.run([*compiler, needed, "-Wl,-soname,libneeded.so.1"], check=True)
    subprocess.run([*compiler, qt, "-Wl,--no-as-needed", "-x", "none", needed], check=True)
    needed.unlink()
    monkeypatch.setattr(window_libraries, "find_spec", lambda name: _Spec(qt.parents[2]))
    with pytest.raises(Unavailable, match=r"needs libneeded\.so\.1, which this system lacks"):
        window_libraries.refuse_missing_library()


def test_the_hint_fits_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/apt-get")
    assert "apt-get install libegl1" in window_libraries.install_hint()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "apt-get" not in window_libraries.install_hint()


class _Spec:
    def __init__(self, package: Path) -> None:
        self.origin = str(package / "__init__.py")
