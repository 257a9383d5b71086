"""Labels of folders, from files and from sub-folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import InvalidData
from studio.datasets.labels import labels_of_folder


def test_csv_with_quotes_and_loose_commas(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text('a.png,"x, y"\nb.png,one, two\n', encoding="utf-8")
    assert labels_of_folder(tmp_path, ["a.png", "b.png"]) == {"a.png": "x, y", "b.png": "one, two"}


def test_txt_with_tabs_keeps_commas_and_spaces(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a.png\t 1,5 EUR \nb.png\t7\n", encoding="utf-8")
    assert labels_of_folder(tmp_path, ["a.png", "b.png"]) == {"a.png": " 1,5 EUR ", "b.png": "7"}


@pytest.mark.parametrize(
    ("written", "read"),
    [(["3", "12"], [3, 12]), (["3", "012"], ["3", "012"]), (["-1", "x"], ["-1", "x"])],
)
def test_numbers_are_classes_only_when_all_are_plainly_numbers(
    tmp_path: Path, written: list[str], read: list[int | str]
) -> None:
    (tmp_path / "labels.csv").write_text(f"a,{written[0]}\nb,{written[1]}\n")
    assert labels_of_folder(tmp_path, ["a", "b"]) == dict(zip("ab", read, strict=True))


def test_sub_folders_are_classes_in_alphabetical_order(tmp_path: Path) -> None:
    found = labels_of_folder(tmp_path, ["dog/1.png", "cat/1.png", "cat/2.png"])
    assert found == {"dog/1.png": 1, "cat/1.png": 0, "cat/2.png": 0}


def test_sub_folders_named_by_numbers_are_those_classes(tmp_path: Path) -> None:
    assert labels_of_folder(tmp_path, ["10/a.png", "9/a.png"]) == {"10/a.png": 10, "9/a.png": 9}


def test_a_list_of_classes_gives_sub_folders_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("dog\ncat\n")
    assert labels_of_folder(tmp_path, ["dog/1.png", "cat/1.png"]) == {
        "dog/1.png": 0,
        "cat/1.png": 1,
    }
    with pytest.raises(InvalidData, match="'cow' is not among them"):
        labels_of_folder(tmp_path, ["cow/1.png"])


def test_without_labels(tmp_path: Path) -> None:
    assert labels_of_folder(tmp_path, ["a.png", "b.png"]) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a.png,1\n", "labels.csv has no label for 1 of 2 samples, the first of them b.png."),
        (
            "a.png,1\nb.png,2\nc.png,3\n",
            "labels.csv has labels for 1 files that are not there, the first of them c.png.",
        ),
        ("a.png,1\na.png,2\n", "labels.csv gives a file more than one label."),
        ("a.png\n", "labels.csv has a line without a label: 'a.png'."),
    ],
)
def test_labels_that_do_not_agree(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(InvalidData) as caught:
        labels_of_folder(tmp_path, ["a.png", "b.png"])
    assert caught.value.message == sentence


def test_a_labels_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InvalidData, match="cannot be read as text"):
        labels_of_folder(tmp_path, ["a.png"])


@pytest.mark.parametrize("head", ["file,label\n", "name,class\n", "image,text,more\n", ""])
def test_a_first_line_may_name_the_columns(tmp_path: Path, head: str) -> None:
    (tmp_path / "labels.csv").write_text(head + "a.png,3\nb.png,4\n")
    assert labels_of_folder(tmp_path, ["a.png", "b.png"]) == {"a.png": 3, "b.png": 4}


def test_a_first_line_that_speaks_of_another_file_is_no_head(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("gone.png,3\na.png,4\n")
    with pytest.raises(InvalidData, match=r"not there.*gone\.png"):
        labels_of_folder(tmp_path, ["a.png"])
