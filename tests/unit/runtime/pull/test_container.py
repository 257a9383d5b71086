"""Artefacts that are damaged, or made to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.packages import Bundle
from studio.runtime.pull.container import Container
from studio.runtime.pull.errors import PullError
from tests.rigs.pull.artifacts import artifact_of


@pytest.fixture(scope="module")
def whole(bundles: list[Bundle], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return artifact_of(bundles[0], tmp_path_factory.mktemp("whole"))


def opened(content: bytes, folder: Path) -> Container:
    path = folder / "release.swu"
    path.write_bytes(content)
    return Container(path)


def test_a_bundle_comes_out_as_it_went_in(
    whole: bytes, bundles: list[Bundle], tmp_path: Path
) -> None:
    found = opened(whole, tmp_path)
    assert found.manifest.digest == bundles[0].digest
    assert found.text == bundles[0].text
    for file in bundles[0].files:
        assert b"".join(found.content(file.digest)) == file.path.read_bytes()


def test_the_same_bundle_gives_the_same_artefact(
    whole: bytes, bundles: list[Bundle], tmp_path: Path
) -> None:
    assert artifact_of(bundles[0], tmp_path) == whole


def test_each_cut_is_noticed(whole: bytes, tmp_path: Path) -> None:
    for place in range(0, len(whole) - 124, max(1, len(whole) // 97)):
        with pytest.raises(PullError):
            opened(whole[:place], tmp_path)


def test_damaged_headers_are_sentences(whole: bytes, tmp_path: Path) -> None:
    found = set()
    for place in range(400):
        for value in (0x00, 0x2D, 0x46, 0xFF):
            content = bytearray(whole)
            content[place] = value
            found.add(sentence(bytes(content), tmp_path))
    assert "The artefact is no archive of the form .swu." in found
    assert all(one.endswith(".") for one in found)


def sentence(content: bytes, folder: Path) -> str:
    try:
        opened(content, folder)
    except PullError as error:
        return str(error)
    return "It is whole."


def test_a_negative_size_is_no_size(whole: bytes, tmp_path: Path) -> None:
    content = whole[:54] + b"-0000001" + whole[62:]
    with pytest.raises(PullError, match="no archive"):
        opened(content, tmp_path)


def test_a_file_that_the_manifest_names_must_be_there(
    whole: bytes, bundles: list[Bundle], tmp_path: Path
) -> None:
    digest = bundles[0].files[0].digest.encode()
    # The manifest names it first, then the member itself.
    place = whole.rindex(digest)
    content = whole[:place] + b"0" * 64 + whole[place + 64 :]
    with pytest.raises(PullError, match="lacks the file"):
        opened(content, tmp_path)
