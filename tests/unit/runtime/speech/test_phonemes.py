"""Clauses and sentences of a text, and what the program for phonemes may do wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.runtime.speech import phonemes
from studio.runtime.speech.phonemes import SpeechError, clauses_of, sentences_of
from tests.unit.runtime.speech.programs import put_program


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = put_program(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_sentences_keep_their_marks_and_numbers_are_not_cut(program: Path) -> None:
    found = sentences_of("At 10:30, pi is 3.14!  Is it?\nyes", "en-us")
    assert found == ["At 10:30, pi is 3.14!", "Is it?", "yes"]


def test_letters_and_their_marks_are_apart(program: Path) -> None:
    assert sentences_of("\u00e7a", "fr-fr") == ["c\u0327a"]


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("one, two", [("one", ","), ("two", "")]),
        ("well... no", [("well", "."), ("no", "")]),
        ("...", []),
        (" \x00\x1b[0m a\u2028b.", [("[0m a b", ".")]),
        ("[[h@]] x", [("[ [h@]] x", "")]),
    ],
)
def test_clauses(text: str, clauses: list[tuple[str, str]]) -> None:
    assert [(one.text, one.mark) for one in clauses_of(text)] == clauses


def test_a_text_is_never_an_option(program: Path) -> None:
    assert sentences_of("-f /etc/passwd", "en") == ["-f /etc/passwd"]


@pytest.mark.parametrize("language", ["", "../en", "-x", "en us", "EN", "e", "en-us-" + "a" * 17])
def test_a_language_is_a_name(program: Path, language: str) -> None:
    with pytest.raises(SpeechError, match=r"is no language of espeak-ng\.") as caught:
        sentences_of("hello", language)
    assert caught.value.of_board


@pytest.mark.parametrize(
    ("text", "sentence", "of_board"),
    [
        ("?!", "The text has no words.", False),
        ("a" * 4097, "The text has 4,097 characters, and 4,096 are the most.", False),
        ("fail", "espeak-ng failed: no such voice", True),
    ],
)
def test_texts_that_cannot_be_spoken(
    program: Path, text: str, sentence: str, of_board: bool
) -> None:
    with pytest.raises(SpeechError) as caught:
        sentences_of(text, "en")
    assert str(caught.value) == sentence
    assert caught.value.of_board is of_board


def test_a_board_without_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpeechError, match=r"no espeak-ng \(Debian: apt install espeak-ng\)"):
        sentences_of("hello", "en")


def test_a_program_that_hangs_is_ended(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program / "espeak-ng").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    monkeypatch.setattr(phonemes, "_SECONDS", 0.2)
    with pytest.raises(SpeechError, match="did not answer in time"):
        sentences_of("hello", "en")
