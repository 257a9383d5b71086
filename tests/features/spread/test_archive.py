"""Archives of tasks: equal for equal folders, and never beyond their folder."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from studio.api import InvalidData
from studio.features.spread.archive import pack, unpack
from studio.steps.turns import Turns


def archive(file: Path, entry: tarfile.TarInfo, content: bytes = b"") -> Path:
    entry.size = len(content)
    with tarfile.open(file, "w") as made:
        made.addfile(entry, io.BytesIO(content))
    return file


def test_equal_folders_give_equal_bytes(tmp_path: Path) -> None:
    for name, order in (("a", "xyz"), ("b", "zyx")):
        for letter in order:
            (tmp_path / name / letter).mkdir(parents=True)
            (tmp_path / name / letter / "file").write_text(letter)
        pack(tmp_path / name, tmp_path / f"{name}.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_a_folder_comes_back(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_text("text")
    pack(tmp_path / "a", tmp_path / "a.tar")
    unpack(tmp_path / "a.tar", tmp_path / "c")
    assert (tmp_path / "c" / "b" / "file").read_text() == "text"


def test_a_link_out_of_the_folder_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("key")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link").symlink_to(tmp_path / "secret")
    pack(tmp_path / "a", tmp_path / "a.tar")
    unpack(tmp_path / "a.tar", tmp_path / "c")
    assert not list((tmp_path / "c").iterdir())


def test_a_way_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    file = archive(tmp_path / "a.tar", tarfile.TarInfo("../out"), b"x")
    with pytest.raises(InvalidData, match="cannot be unpacked"):
        unpack(file, tmp_path / "c")
    assert not (tmp_path / "out").exists()


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("link")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(InvalidData, match="cannot be unpacked"):
        unpack(archive(tmp_path / "a.tar", entry), tmp_path / "c")


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"no archive" * 100)
    with pytest.raises(InvalidData, match="cannot be unpacked"):
        unpack(tmp_path / "a.tar", tmp_path / "c")


def test_turns_come_in_their_order() -> None:
    turns, seen = Turns(), []
    first, second, third = turns.next(), turns.next(), turns.next()
    second.end()
    with first.reached():
        seen.append(1)
    with third.reached():
        seen.append(3)
    assert seen == [1, 3]
