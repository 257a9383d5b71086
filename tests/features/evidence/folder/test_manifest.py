"""The list of files: one spelling, a digest of itself, and plain names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import InvalidData
from studio.features.evidence.folder.manifest import (
    MANIFEST,
    MOST_BYTES,
    EvidenceList,
    is_plain_name,
)
from tests.features.evidence.folder.made import made


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    manifest = made(tmp_path)
    assert EvidenceList.read(tmp_path) == manifest
    assert manifest.is_spelled((tmp_path / MANIFEST).read_bytes())


def test_another_spelling_of_the_same_list_is_an_alteration(tmp_path: Path) -> None:
    manifest = made(tmp_path)
    document = json.loads((tmp_path / MANIFEST).read_text())
    assert not manifest.is_spelled(json.dumps(document).encode())


def test_another_list_does_not_have_its_digest(tmp_path: Path) -> None:
    manifest = made(tmp_path)
    other = replace(manifest, files=manifest.files[1:])
    assert not other.is_sealed
    assert other.sealed().digest != manifest.digest


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', "[" * 100_000, "\0"])
def test_a_damaged_list_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(InvalidData, match="is damaged"):
        EvidenceList.read(tmp_path)


def test_a_list_of_a_later_format_is_named(tmp_path: Path) -> None:
    manifest = made(tmp_path)
    (tmp_path / MANIFEST).write_text(replace(manifest, format=2).text)
    with pytest.raises(InvalidData, match="has format 2; this studio reads format 1"):
        EvidenceList.read(tmp_path)


def test_a_folder_without_a_list_is_no_evidence(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="is no evidence"):
        EvidenceList.read(tmp_path)


def test_a_list_is_not_read_through_a_link_nor_beyond_its_bound(tmp_path: Path) -> None:
    made(tmp_path / "real")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / MANIFEST).symlink_to(tmp_path / "real" / MANIFEST)
    with pytest.raises(InvalidData, match="is no evidence"):
        EvidenceList.read(linked)
    with (tmp_path / "real" / MANIFEST).open("r+b") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(InvalidData, match="is no evidence"):
        EvidenceList.read(tmp_path / "real")


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../a", "a/../../b", "a//b", "a/", "./a"])
def test_a_name_that_is_not_plain_is_refused(name: str) -> None:
    assert not is_plain_name(name)


def test_a_plain_name_is_below_the_folder() -> None:
    assert is_plain_name("records/profile-2/rounds.json")
