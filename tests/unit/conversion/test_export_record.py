"""Copies of an exported model of several files: nothing else is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import StudioError
from studio.conversion.export_record import _copies, _finished


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "m.bin").write_text("weights")
    (folder / "m.xml").write_text("graph")
    return folder / "m.xml"


def test_what_lies_next_to_it_is_copied_under_the_same_name(made: Path, tmp_path: Path) -> None:
    assert _finished(_copies(made, tmp_path / "a.xml")) == tmp_path / "a.xml"
    assert (tmp_path / "a.xml").read_text() == "graph"
    assert (tmp_path / "a.bin").read_text() == "weights"
    _finished(_copies(made, tmp_path / "a.xml"))  # its user has agreed to overwrite it


@pytest.mark.parametrize("out", ["a.xml", "."])
def test_a_file_next_to_it_is_not_overwritten(made: Path, tmp_path: Path, out: str) -> None:
    place = tmp_path / "out"
    place.mkdir()
    mine = place / ("a.bin" if out != "." else "m.bin")
    mine.write_text("mine")
    with pytest.raises(StudioError, match="exists already"):
        _copies(made, place / out)
    assert [one.name for one in place.iterdir()] == [mine.name]
    assert mine.read_text() == "mine"


def test_both_cannot_have_one_name(made: Path, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="name of the file with the weights"):
        _copies(made, tmp_path / "a.bin")
    assert not (tmp_path / "a.bin").exists()
