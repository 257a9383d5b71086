"""Artefacts in folders: what is read, and which members are refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from studio.packages import Bundle
from studio.runtime.pull.artefact_folder import ArtefactFolder
from studio.runtime.pull.errors import PullError
from tests.rigs.pull.artifacts import parcel_of


@pytest.fixture
def folder(bundles: list[Bundle], tmp_path: Path) -> Path:
    """A bundle as it is delivered."""
    place = tmp_path / "release"
    place.mkdir()
    for name, file in parcel_of(bundles[0]).members.items():
        shutil.copyfile(file, place / name)
    return place


def test_a_folder_has_the_bundle(folder: Path, bundles: list[Bundle]) -> None:
    found = ArtefactFolder(folder)
    assert found.manifest.digest == bundles[0].digest
    assert found.text == bundles[0].text
    for file in bundles[0].files:
        assert b"".join(found.content(file.digest)) == file.path.read_bytes()


@pytest.mark.parametrize("name", ["manifest.json", "manifest.json.sig", "blob"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_member_that_is_no_file_is_refused(
    folder: Path, bundles: list[Bundle], tmp_path: Path, name: str, kind: str
) -> None:
    member = folder / (bundles[0].files[0].digest if name == "blob" else name)
    content = tmp_path / "elsewhere"
    content.write_bytes(member.read_bytes() if member.exists() else b"")
    member.unlink(missing_ok=True)
    if kind == "link":
        member.symlink_to(content)
    elif kind == "pipe":
        os.mkfifo(member)
    else:
        member.mkdir()
    with pytest.raises(PullError, match="The artefact"):
        ArtefactFolder(folder)


def test_a_file_that_became_a_link_is_not_followed(
    folder: Path, bundles: list[Bundle], tmp_path: Path
) -> None:
    digest = bundles[0].files[0].digest
    found = ArtefactFolder(folder)
    (folder / digest).rename(tmp_path / "elsewhere")
    (folder / digest).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PullError, match="cannot be read"):
        list(found.content(digest))


def test_a_file_of_another_size_is_missing(folder: Path, bundles: list[Bundle]) -> None:
    with (folder / bundles[0].files[0].digest).open("ab") as file:
        file.write(b"x")
    with pytest.raises(PullError, match="lacks the file"):
        ArtefactFolder(folder)


def test_a_manifest_of_any_size_is_not_read_as_a_whole(folder: Path) -> None:
    os.truncate(folder / "manifest.json", 1 << 40)
    with pytest.raises(PullError, match="is too large"):
        ArtefactFolder(folder)


def test_no_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PullError, match="cannot be read"):
        ArtefactFolder(tmp_path / "none")
