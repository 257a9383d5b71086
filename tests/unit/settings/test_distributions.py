"""Installed distributions, held against ``importlib.metadata``."""

from __future__ import annotations

import os
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from studio.settings.distributions import entry_points, installed_version


def test_each_version_is_that_of_the_library() -> None:
    names = [one.metadata["Name"] for one in metadata.distributions()]
    assert len(names) > 50
    found = {name: installed_version(name) for name in names}
    assert found == {name: metadata.version(name) for name in names}


@pytest.mark.parametrize("group", ["edgewright.plugins", "console_scripts", "pytest11", "none"])
def test_each_entry_point_is_that_of_the_library(group: str) -> None:
    wanted = [(one.name, one.value) for one in metadata.entry_points(group=group)]
    assert sorted(entry_points(group)) == sorted(wanted)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def about(site: Path, folder: str, name: str, version: str, file: str = "METADATA") -> Path:
    made = site / folder
    made.mkdir()
    text = f"Metadata-Version: 2.1\r\nName: {name}\r\nVersion: {version}\r\n\r\nVersion: 9\r\n"
    (made / file).write_bytes(text.encode())
    return made


@pytest.mark.parametrize("name", ["odd-name", "Odd_Name", "odd.name", "ODD--name"])
@pytest.mark.parametrize(
    ("folder", "file"),
    [("Odd_Name-1.5.dist-info", "METADATA"), ("odd.name-1.5-py3.11.egg-info", "PKG-INFO")],
)
def test_names_are_compared_as_packages_are(site: Path, name: str, folder: str, file: str) -> None:
    about(site, folder, "odd-name", "1.5", file)
    assert installed_version(name) == "1.5" == metadata.version(name)


def test_a_file_of_distutils(site: Path) -> None:
    (site / "old_one-0.3.egg-info").write_text("Metadata-Version: 1.0\nName: old_one\nVersion: 0.3")
    assert installed_version("old-one") == "0.3"


def test_what_is_installed_while_the_process_runs_is_seen(site: Path) -> None:
    assert installed_version("late-one") is None
    made = about(site, "late_one-1.0.dist-info", "late-one", "1.0")
    (made / "entry_points.txt").write_text(
        "[late.group]\n# a remark\nfirst = a.b:c\n\n[other]\nd=e\n"
    )
    os.utime(site, (1, 1))  # on a quick machine both states have one time
    assert installed_version("late-one") == "1.0"
    assert entry_points("late.group") == [("first", "a.b:c")]


def test_of_two_with_one_name_the_first_counts(
    site: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    about(site, "twice-1.0.dist-info", "twice", "1.0")
    other = tmp_path_factory.mktemp("other")
    about(other, "twice-2.0.dist-info", "twice", "2.0")
    monkeypatch.setattr(sys, "path", [*sys.path, str(other)])
    assert installed_version("twice") == "1.0" == metadata.version("twice")


def test_archives_on_the_path_are_read_by_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("packed-3.1.dist-info/METADATA", "Name: packed\nVersion: 3.1\n")
        file.writestr("packed-3.1.dist-info/entry_points.txt", "[packed.group]\na = b\n")
    monkeypatch.setattr(sys, "path", [str(archive), *sys.path])
    assert installed_version("packed") == "3.1"
    assert installed_version("none-such") is None
    assert entry_points("packed.group") == [("a", "b")]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"Name: broken\n\nVersion: 1\n"])
def test_a_damaged_document_is_no_version(site: Path, content: bytes) -> None:
    made = site / "broken-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_bytes(content)
    assert installed_version("broken") is None
