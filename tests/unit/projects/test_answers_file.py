"""A form in its file: only added to, written whole, and never trusted blindly."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from studio.api import StudioError, UsageError
from studio.projects import answers_file as store
from studio.projects.answers import EvidenceForm, FormAnswer
from studio.projects.answers_file import add_answers, read_form

AT = "2026-11-30T12:00:00.000+00:00"


def answer(
    question: str = "intended.use", text: str = "Reads digits", by: str = "Ada"
) -> FormAnswer:
    return FormAnswer(question, text, by, AT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "projects" / "digits.evidence.json"


def test_without_a_file_the_form_is_empty(file: Path) -> None:
    assert read_form(file) == EvidenceForm()


def test_a_later_answer_counts_and_the_earlier_one_stays(file: Path) -> None:
    add_answers(file, [answer(), answer("misuse", "None")])
    add_answers(file, [answer(text="Reads meters", by="Bo")])
    form = read_form(file)
    assert form.latest()["intended.use"].text == "Reads meters"
    assert [one.by for one in form.history("intended.use")] == ["Ada", "Bo"]
    assert form.latest()["misuse"].text == "None"


def test_screening_answers_are_those_with_the_prefix(file: Path) -> None:
    form = add_answers(file, [answer("screen.education", "yes"), answer()])
    assert form.screening() == {"education": "yes"}


def test_lines_and_foreign_letters_survive(file: Path) -> None:
    text = "Zählerstände lesen:\n\t- 测试"
    add_answers(file, [answer(text=text)])
    assert read_form(file).latest()["intended.use"].text == text


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (answer(text=" \n"), "The answer is empty."),
        (answer(text="x" * (store.MOST_TEXT + 1)), "The answer is longer than 20,000 characters."),
        (answer(text="\x1b[31mred"), "The answer has control characters or hidden marks."),
        (answer(text="a\u202eb"), "The answer has control characters or hidden marks."),
        (answer(text="\ud800"), "The answer has control characters or hidden marks."),
        (answer(by=""), "The name must be one line of up to 200 characters."),
        (answer(by="A\nB"), "The name must be one line of up to 200 characters."),
        (answer(by="x" * 201), "The name must be one line of up to 200 characters."),
        (answer("../x"), "'../x' cannot be the id of a question."),
    ],
)
def test_what_the_file_cannot_hold_is_refused(file: Path, wrong: FormAnswer, expected: str) -> None:
    add_answers(file, [answer()])
    before = file.read_bytes()
    with pytest.raises(UsageError) as caught:
        add_answers(file, [answer("misuse"), wrong])
    assert caught.value.message == expected
    assert file.read_bytes() == before


def test_a_full_form_is_refused_and_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_ANSWERS", 2)
    add_answers(file, [answer(), answer()])
    with pytest.raises(UsageError, match="The form of this model is full"):
        add_answers(file, [answer()])
    assert len(read_form(file).answers) == 2


def test_a_form_of_too_many_bytes_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_BYTES", 1000)
    with pytest.raises(UsageError, match="The form of this model is full"):
        add_answers(file, [answer(text="x" * 1000)])
    assert not file.exists()


GOOD = {"question": "misuse", "text": "t", "by": "b", "at": AT}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"schema": 1}',
        b'{"schema": "1", "answers": []}',
        b'{"schema": 1, "answers": [1]}',
        json.dumps({"schema": 1, "answers": [{**GOOD, "text": 5}]}).encode(),
        json.dumps({"schema": 1, "answers": [{**GOOD, "text": ""}]}).encode(),
        json.dumps({"schema": 1, "answers": [{**GOOD, "text": "\u001b[2J"}]}).encode(),
        json.dumps({"schema": 1, "answers": [{**GOOD, "by": "a\nb"}]}).encode(),
        json.dumps({"schema": 1, "answers": [{**GOOD, "at": "\u202e"}]}).encode(),
        json.dumps({"schema": 1, "answers": [{**GOOD, "question": "<b>"}]}).encode(),
    ],
)
def test_a_damaged_file_is_one_sentence_and_stays(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    for attempt in (read_form, lambda path: add_answers(path, [answer()])):
        with pytest.raises(StudioError) as caught:
            attempt(file)
        assert caught.value.message == f"{file} is not a form of answers."
    assert file.read_bytes() == content


def test_a_form_of_a_later_version_is_left_as_it_is(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"schema": 2, "answers": []}')
    with pytest.raises(StudioError, match="written by another version"):
        add_answers(file, [answer()])
    assert file.read_text() == '{"schema": 2, "answers": []}'


def test_a_file_that_is_too_large_is_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.parent.mkdir()
    file.write_bytes(b" " * 2000)
    monkeypatch.setattr(store, "MOST_BYTES", 1000)
    with pytest.raises(StudioError, match="is not a form of answers"):
        read_form(file)


def test_links_and_pipes_are_not_followed(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    file.parent.mkdir()
    file.symlink_to(secret)
    with pytest.raises(StudioError, match="cannot be read") as caught:
        add_answers(file, [answer()])
    assert "secret" not in caught.value.detail
    assert secret.read_text() == "secret"
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(StudioError, match="is not a file"):
        read_form(file)


def test_writers_at_the_same_time_lose_no_answer(file: Path) -> None:
    def add(name: str) -> None:
        for number in range(10):
            add_answers(file, [answer(text=f"{name} {number}")])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(add, "abc"))
    texts = [one.text for one in read_form(file).answers]
    assert sorted(texts) == sorted(f"{name} {n}" for name in "abc" for n in range(10))


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "projects").write_text("a file")
    with pytest.raises(StudioError, match="cannot be written"):
        add_answers(tmp_path / "projects" / "m.evidence.json", [answer()])
