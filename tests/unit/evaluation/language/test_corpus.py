"""Texts of a user: files and folders, and what is no text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.api import InvalidData
from studio.evaluation.language.corpus import Corpus


def test_a_file_is_one_document(tmp_path: Path) -> None:
    file = tmp_path / "poem.txt"
    file.write_bytes(b"\xef\xbb\xbfone\r\ntwo\n")
    (found,) = Corpus.read(file).documents
    assert (found.name, found.text) == ("poem.txt", "one\ntwo\n")


def test_a_folder_has_its_texts_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("second")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("first")
    (tmp_path / "picture.png").write_bytes(b"\xff")
    (tmp_path / "empty.txt").write_text(" \n")
    assert [one.name for one in Corpus.read(tmp_path).documents] == ["a/x.txt", "b.md"]


def test_lines_of_json_are_documents(tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text('{"text": "one", "id": 4}\n\n{"text": "two"}\n')
    assert [one.text for one in Corpus.read(file).documents] == ["one", "two"]


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    first = Corpus.read(file).digest
    assert Corpus.read(tmp_path).digest == first
    file.write_text("two")
    assert Corpus.read(file).digest != first


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", b"", "a.txt has no text."),
        ("a.txt", b"  \n \n", "a.txt has no text."),
        ("a.txt", b"one\ntwo \xff\xfe", "a.txt, line 2: this is no UTF-8 text."),
        ("a.txt", b"one\0two", "a.txt is no text: it has characters of value 0."),
        ("a.jsonl", b'{"text": "a"}\n{"text": ', "a.jsonl, line 2: this is not JSON."),
        ("a.jsonl", b"[1]", "a.jsonl, line 1: no object with a text under “text”."),
        ("a.jsonl", b'{"text": "\\ud800"}', "a.jsonl, line 1: the text has half of a character."),
        ("a.jsonl", b"[" * 100_000, "a.jsonl, line 1: this is not JSON."),
    ],
)
def test_what_is_no_text(name: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(InvalidData) as error:
        Corpus.read(file)
    assert error.value.message == sentence


def test_a_folder_without_texts(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(InvalidData, match="has no texts"):
        Corpus.read(tmp_path)


def test_a_pipe_among_texts_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(InvalidData, match=r"a\.txt is no file"):
        Corpus.read(tmp_path)
