"""Conversations kept as tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.features.language.chat.results import ChatMessage
from studio.features.language.chat.saved_test import ExpectedAnswer, save_test

TALK = (
    ChatMessage("system", "Be brief."),
    ChatMessage("user", "Capital of France?"),
    ChatMessage("assistant", "Paris."),
)


def test_a_test_is_a_line_with_the_conversation_and_the_right_answer(tmp_path: Path) -> None:
    path = tmp_path / "tests.jsonl"
    assert save_test(path, TALK, ExpectedAnswer("exact", " Paris ", limit=9)) == 1
    assert json.loads(path.read_text()) == {
        "kind": "exact",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Capital of France?"},
        ],
        "limit": 9,
        "answer": "Paris",
    }


def test_tests_are_added_also_behind_a_line_without_an_end(tmp_path: Path) -> None:
    path = tmp_path / "tests.jsonl"
    path.write_text('{"question": "1+1", "answer": "2"}')
    assert save_test(path, TALK, ExpectedAnswer("regex", "Par.s")) == 2
    first, second = map(json.loads, path.read_text().splitlines())
    assert first["answer"] == "2"
    assert second["pattern"] == "Par.s"


def test_json_and_open_answers_need_no_text(tmp_path: Path) -> None:
    path = tmp_path / "tests.jsonl"
    save_test(path, TALK, ExpectedAnswer("json", schema={"type": "object"}))
    save_test(path, TALK, ExpectedAnswer("open"))
    first, second = map(json.loads, path.read_text().splitlines())
    assert first["schema"] == {"type": "object"}
    assert "answer" not in second


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        (ExpectedAnswer("exact", "  "), "The right answer is empty."),
        (ExpectedAnswer("regex", ""), "The pattern is empty."),
        (ExpectedAnswer("json"), "Choose a JSON Schema for the answer first."),
    ],
)
def test_a_test_that_no_answer_can_pass_is_refused(
    tmp_path: Path, expected: ExpectedAnswer, sentence: str
) -> None:
    path = tmp_path / "tests.jsonl"
    with pytest.raises(UsageError) as caught:
        save_test(path, TALK, expected)
    assert caught.value.message == sentence
    assert not path.exists()


def test_a_wrong_pattern_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="The pattern cannot be used"):
        save_test(tmp_path / "t.jsonl", TALK, ExpectedAnswer("regex", "("))


@pytest.mark.parametrize("name", ["tests.txt", "none/tests.jsonl"])
def test_a_file_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        save_test(tmp_path / name, TALK, ExpectedAnswer("open"))


def test_a_folder_is_not_a_file_of_tests(tmp_path: Path) -> None:
    (tmp_path / "tests.jsonl").mkdir()
    with pytest.raises(UsageError, match="is not a regular file"):
        save_test(tmp_path / "tests.jsonl", TALK, ExpectedAnswer("open"))
