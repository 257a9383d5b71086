"""The view of chats: what it sends, how answers are shown, compared and kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.features.language.chat.lines import UPDATE as CHAT_UPDATE
from studio.features.language.chat.results import ChatAnswer, ChatMessage, ChatResult, ChatTimes
from studio.features.language.pages.chat.transcript import Transcript
from studio.features.language.pages.chat.view import ChatView
from studio.gui.pages.try_it.page import TryItPage
from studio.jobs import End
from studio.workspace import JobOutcome, VariantRecord
from tests.gui.page_rig import Rig, opened, visible_texts

TEMPLATE = "{% for m in messages %}{{ m }}{% endfor %}"


def marked_text(transcript: Transcript) -> str:
    """The text that is marked; empty without a mark."""
    return "".join(mark.cursor.selectedText() for mark in transcript.extraSelections())


def chat(page: TryItPage) -> ChatView:
    [view] = page.added
    assert isinstance(view, ChatView)
    return view


@pytest.fixture
def rig(
    qtbot: QtBot, studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rig]:
    monkeypatch.setattr(
        "studio.features.language.pages.chat.column.missing_chat_backend", lambda *_: None
    )
    with opened(studio_home, tmp_path) as made:
        yield made


def language(rig: Rig, folder: Path, name: str) -> VariantRecord:
    """A variant that writes text."""
    path = folder / f"{name}.gguf"
    path.write_bytes(name.encode())
    facts = {"architecture": "llama", "context": 2048, "chat_template": TEMPLATE}
    return rig.registry.add_variant(
        rig.registry.add_model(f"tiny-{name}"),
        name,
        rig.registry.adopt(path),
        format="gguf",
        precision=name,
        parent=None,
        step="open",
        options={},
        summary={"inputs": [], "language": facts},
        graph=None,
    )


def outcome(*tokens: str) -> JobOutcome:
    answer = ChatAnswer(
        "".join(tokens), tokens, "stop", 12, 0, len(tokens), ChatTimes(51.0, 25.5, 300.0)
    )
    result = ChatResult("tiny", "", "llama-cpp 1", (ChatMessage("user", "Hello"),), answer)
    return JobOutcome(End.SUCCEEDED, result=result)


def update(rig: Rig, page: TryItPage, text: str, count: int) -> None:
    times = {"first_ms": 40.0, "tokens_per_s": 20.0, "total_ms": 90.0}
    rig.message(page, CHAT_UPDATE, text=text, tokens=[text], count=count, times=times)


def chat_page(rig: Rig, variant: VariantRecord) -> TryItPage:
    page = rig.page(TryItPage, variant)
    assert page.shown_added is not None
    return page


def test_other_models_are_tried_with_pictures(rig: Rig) -> None:
    page = rig.page(TryItPage, rig.variant())
    assert page.shown_added is None
    page.show_view(1)
    assert "No model to chat with yet" in visible_texts(page)


def test_enter_sends_and_the_answer_grows(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    assert page.primary is not None
    assert page.primary.toolTip() == "Write a message first."
    QTest.keyClicks(chat(page).prompt, "Hello")
    QTest.keyClick(chat(page).prompt, Qt.Key.Key_Return)
    (job,) = rig.shell.jobs
    assert job.step == "chat"
    assert job.options["prompt"] == "Hello"
    assert "history" not in job.options
    assert chat(page).prompt.text == ""
    assert page.primary.text() == "Stop"
    update(rig, page, "Good", 1)
    update(rig, page, " day", 2)
    assert chat(page).left.text.toPlainText() == "You\nHello\n\nModel\nGood day"
    assert "2 tokens, first after 40 ms, 20.0 tokens/s" in visible_texts(page)
    rig.finish(page, outcome("Good", " day"))
    assert "first after 51 ms, 25.5 tokens/s" in visible_texts(page)
    assert page.primary.text() == "Send"


def test_shift_enter_is_a_new_line(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    QTest.keyClicks(chat(page).prompt, "a")
    QTest.keyClick(chat(page).prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(chat(page).prompt, "b")
    assert rig.shell.jobs == []
    assert chat(page).prompt.text.splitlines() == ["a", "b"]


def ask(page: TryItPage, text: str) -> None:
    chat(page).prompt.setPlainText(text)
    chat(page).send()


def test_the_conversation_is_sent_again_with_the_next_message(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    ask(page, "Hello")
    rig.finish(page, outcome("Good", " day"))
    ask(page, "Why?")
    assert rig.shell.jobs[-1].options["history"] == ("Hello", "Good day")


def test_a_stopped_answer_is_kept_as_far_as_it_came(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    assert page.primary is not None
    ask(page, "Hello")
    update(rig, page, "Good", 1)
    page.primary.click()
    assert rig.shell.jobs[-1].cancelled
    rig.finish(page, JobOutcome(End.CANCELLED))
    assert "Stopped." in visible_texts(page)
    assert [one.content for one in chat(page).left.messages] == ["Hello", "Good"]


def test_a_failure_is_a_sentence_in_its_place(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    ask(page, "Hello")
    rig.finish(page, JobOutcome(End.FAILED, message="The model cannot be loaded: no memory."))
    assert "The model cannot be loaded: no memory." in visible_texts(page)
    assert chat(page).left.messages == ()


def two(rig: Rig, folder: Path) -> TryItPage:
    language(rig, folder, "q8")
    page = chat_page(rig, language(rig, folder, "q4"))
    chat(page).right.choice.setCurrentText("tiny-q8 q8")
    return page


def test_models_of_one_computer_answer_one_after_the_other(rig: Rig, tmp_path: Path) -> None:
    page = two(rig, tmp_path)
    ask(page, "Hello")
    assert len(rig.shell.jobs) == 1
    assert "Waits for the other answer." in visible_texts(page)
    rig.finish(page, outcome("Good"))
    first, second = rig.shell.jobs
    assert first.options["prompt"] == second.options["prompt"]
    assert first.options["model"] != second.options["model"]


def test_the_first_token_that_differs_is_marked(rig: Rig, tmp_path: Path) -> None:
    page = two(rig, tmp_path)
    ask(page, "Hello")
    update(rig, page, "Good day", 2)
    rig.finish(page, outcome("Good", " day"))
    update(rig, page, "Good night", 2)
    rig.finish(page, outcome("Good", " night"))
    assert "Token 2 is the first that differs. It is marked." in visible_texts(page)
    assert marked_text(chat(page).left.text) == " day"
    assert marked_text(chat(page).right.text) == " night"
    chat(page).form.fields["temperature"].editor.set_value(0.5)
    ask(page, "Again")
    for _ in range(2):
        rig.finish(page, outcome("Good"))
    assert marked_text(chat(page).left.text) == ""


def test_stop_ends_what_waits_too(rig: Rig, tmp_path: Path) -> None:
    page = two(rig, tmp_path)
    ask(page, "Hello")
    chat(page).stop()
    rig.finish(page, JobOutcome(End.CANCELLED))
    assert len(rig.shell.jobs) == 1
    assert not chat(page).is_busy


def test_the_template_is_shown_as_text(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    chat(page).template_button.click()
    assert chat(page).template.toPlainText() == TEMPLATE


def test_parameters_go_with_the_question(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    chat(page).parameters.click()
    chat(page).form.set_values({"temperature": 0.5, "system": "Be brief.", "tokens": 7})
    ask(page, "Hello")
    options = rig.shell.jobs[-1].options
    chosen = (options["temperature"], options["system"], options["tokens"])
    assert chosen == (0.5, "Be brief.", 7)


def test_a_conversation_becomes_a_test(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    ask(page, "Capital of France?")
    rig.finish(page, outcome("Paris"))
    chat(page).save.click()
    sheet = chat(page).sheet
    assert sheet.primary.toolTip() == "Choose a file first."
    sheet.file.setText(str(tmp_path / "own.jsonl"))
    sheet.primary.click()
    assert rig.shell.said == ["Saved as test 1 in own.jsonl."]
    saved: dict[str, Any] = json.loads((tmp_path / "own.jsonl").read_text())
    assert saved["answer"] == "Paris"
    assert saved["messages"] == [{"role": "user", "content": "Capital of France?"}]


def test_a_test_that_cannot_be_saved_says_why(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    ask(page, "Hello")
    rig.finish(page, outcome("Good"))
    chat(page).save.click()
    chat(page).sheet.file.setText(str(tmp_path / "own.txt"))
    chat(page).sheet.primary.click()
    assert "own.txt: the file's name must end with .jsonl." in visible_texts(page)


def test_a_missing_backend_is_installed_from_here(
    qtbot: QtBot, studio_home: Path, tmp_path: Path
) -> None:
    with opened(studio_home, tmp_path) as rig:
        page = chat_page(rig, language(rig, tmp_path, "q4"))
        assert page.primary is not None
        chat(page).prompt.setPlainText("Hello")
        assert page.primary.toolTip() == "Install the backend first."
        assert "The backend is not installed" in visible_texts(page)
        chat(page).left.lacking.button.click()
        (job,) = rig.shell.jobs
        assert job.step == "environment-install"
        assert job.options["name"] == "studio_llama_cpp"


def test_an_empty_conversation_says_what_to_do(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    assert "No messages yet" in visible_texts(page)
    ask(page, "Hello")
    assert "No messages yet" not in visible_texts(page)
    rig.finish(page, outcome("Good"))
    chat(page).new.click()
    assert "No messages yet" in visible_texts(page)


def test_a_question_that_failed_stays_to_be_read(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    ask(page, "Hello")
    rig.finish(page, JobOutcome(End.FAILED, message="The model is gone."))
    assert "Hello" in chat(page).left.text.toPlainText()
    assert chat(page).left.pane.currentWidget() is chat(page).left.text


def test_an_answer_is_plain_text(rig: Rig, tmp_path: Path) -> None:
    page = chat_page(rig, language(rig, tmp_path, "q4"))
    ask(page, "Hello")
    update(rig, page, "<b>x</b>\x1b[2J\u202eevil", 1)
    assert chat(page).left.text.toPlainText().endswith("<b>x</b>\\x1b[2J\\u202eevil")
