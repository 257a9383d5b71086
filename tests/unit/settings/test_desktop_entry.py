"""The entry in the desktop's menu, read by the desktop's own programs."""

from __future__ import annotations

import configparser
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.settings.desktop_entry import DesktopFiles, exec_word, own_program


def entry(files: DesktopFiles) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(files.entry, encoding="utf-8")
    return parser["Desktop Entry"]


def test_the_entry_starts_this_program_with_a_file(tmp_path: Path) -> None:
    files = DesktopFiles(tmp_path)
    made = files.install("/opt/bin/studio")
    assert {path.relative_to(tmp_path).as_posix() for path in made} == {
        "applications/edgewright.desktop",
        "icons/hicolor/scalable/apps/edgewright.svg",
        "mime/packages/edgewright.xml",
    }
    assert entry(files)["Exec"] == "/opt/bin/studio open %f"
    assert entry(files)["TryExec"] == "/opt/bin/studio"
    assert files.icon.read_text().startswith("<svg")


def test_its_file_types_are_defined(tmp_path: Path) -> None:
    files = DesktopFiles(tmp_path)
    files.install("studio")
    space = "{http://www.freedesktop.org/standards/shared-mime-info}"
    types = {one.get("type") for one in ET.parse(files.types).iter(f"{space}mime-type")}
    assert set(entry(files)["MimeType"].strip(";").split(";")) == types


@pytest.mark.needs("desktop-file-validate")
def test_the_desktop_accepts_it(tmp_path: Path) -> None:
    files = DesktopFiles(tmp_path)
    files.install("/home/a b/$x/studio")
    done = subprocess.run(
        ["desktop-file-validate", str(files.entry)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.needs("update-mime-database")
def test_a_model_gets_its_type(tmp_path: Path) -> None:
    DesktopFiles(tmp_path).install("studio")
    assert "application/x-onnx:*.onnx" in (tmp_path / "mime" / "globs2").read_text()


def test_remove_deletes_its_files_alone(tmp_path: Path) -> None:
    files = DesktopFiles(tmp_path)
    files.install("studio")
    other = files.entry.with_name("other.desktop")
    other.write_text("")
    assert len(files.remove()) == 3
    assert other.is_file()
    assert not files.entry.exists()
    assert files.remove() == []


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "applications").write_text("in the way")
    with pytest.raises(StudioError, match="cannot be written"):
        DesktopFiles(tmp_path).install("studio")


@pytest.mark.parametrize(
    ("program", "word"),
    [
        ("/usr/bin/studio", "/usr/bin/studio"),
        ("/home/a b/studio", '"/home/a b/studio"'),
        ("/home/$x/studio", '"/home/\\\\$x/studio"'),
        ("/home/100%/studio", '"/home/100%%/studio"'),
    ],
)
def test_paths_are_quoted_by_the_rules_of_exec(program: str, word: str) -> None:
    assert exec_word(program) == word


def test_the_folder_is_the_users(tmp_path: Path) -> None:
    assert DesktopFiles.of_user({"HOME": "/home/x"}).data == Path("/home/x/.local/share")
    assert DesktopFiles.of_user({"HOME": "/home/x", "XDG_DATA_HOME": "/d"}).data == Path("/d")
    relative = {"HOME": "/home/x", "XDG_DATA_HOME": "d"}  # which the standard ignores
    assert DesktopFiles.of_user(relative).data == Path("/home/x/.local/share")


def test_the_program_is_the_one_of_this_environment() -> None:
    assert own_program() == str(Path(sys.prefix) / "bin" / "studio")


def test_an_appimage_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPIMAGE", "/home/x/Edgewright.AppImage")
    assert own_program() == str(Path(sys.prefix) / "bin" / "studio"), "that of another program"
    monkeypatch.setenv("APPDIR", sys.prefix)
    assert own_program() == "/home/x/Edgewright.AppImage"
