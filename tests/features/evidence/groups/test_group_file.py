"""Groups of samples in a CSV, and errors of it in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import InvalidData
from studio.features.evidence.groups.group_file import GroupFile


def read(tmp_path: Path, text: str) -> GroupFile:
    file = tmp_path / "groups.csv"
    file.write_text(text, encoding="utf-8")
    return GroupFile.read(file)


def test_groups_by_sample(tmp_path: Path) -> None:
    found = read(tmp_path, "sample,script,blur\na/1.png,arabic,low\n2.png,latin,\n")
    assert found.columns == ("script", "blur")
    assert found.groups == {
        "a/1.png": {"script": "arabic", "blur": "low"},
        "2.png": {"script": "latin"},
    }


def test_a_sample_twice_with_the_same_groups_is_one(tmp_path: Path) -> None:
    assert len(read(tmp_path, "sample,script\na,x\na,x\n").groups) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no first line"),
        ("sample\na\n", "no first line"),
        ("script,sample\nx,a\n", "no first line"),
        ("sample,script\na,x\na,y\n", "'a' twice, with different groups"),
        ("sample,script\na,x,y\n", "3 cells in row 2"),
        ("sample,script,script\na,x,y\n", "two columns of the same name"),
        ("sample,a*b\nx,y\n", "a column 'a\\*b'"),
        (f"sample,{'x' * 61}\na,y\n", "a column 'xxx"),
        (f"sample{',c' * 1}{''.join(f',c{k}' for k in range(40))}\n", "more than 32 columns"),
        ('sample,script\n"a,x\n', "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InvalidData, match=words):
        read(tmp_path, text)


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "groups.csv"
    file.write_bytes(b"\xff\xfe,\x00")
    with pytest.raises(InvalidData, match="cannot be read as CSV"):
        GroupFile.read(file)


def test_a_sample_that_the_file_lacks_is_one_sentence(tmp_path: Path) -> None:
    found = read(tmp_path, "sample,script\na,x\n")
    with pytest.raises(InvalidData, match="no row for 1 of 2 samples, the first of them 'b'"):
        found.check(["a", "b"], whole=True)


def test_a_sample_that_the_data_lack_is_one_sentence(tmp_path: Path) -> None:
    found = read(tmp_path, "sample,script\na,x\nb,x\n")
    with pytest.raises(InvalidData, match="1 samples that the data lack, the first of them 'b'"):
        found.check(["a"], whole=True)
    found.check(["a"], whole=False)
