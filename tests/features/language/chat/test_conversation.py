"""``studio chat``: its subject, its conversation, and what is kept of a stopped answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.api import UsageError
from studio.documents.dataclass_json import to_json
from studio.features.language.chat.lines import UPDATE as CHAT_UPDATE
from studio.features.language.chat.results import ChatAnswer, ChatResult, ChatTimes, ChatUpdate
from studio.features.language.commands.chat import ChatSubject, Conversation, subject_of
from studio.jobs import End
from studio.workspace import JobMessage, JobOutcome


class Opened:
    """A workspace whose models answer with the number of the question."""

    def __init__(self) -> None:
        self.registry = SimpleNamespace(targets=lambda: [SimpleNamespace(name="roof")])
        self.events = SimpleNamespace(subscribe=self._subscribe)
        self.asked: list[dict[str, Any]] = []
        self.stopped = False
        self._listen: Callable[[Any], None] = print

    def _subscribe(self, listen: Callable[[Any], None]) -> None:
        self._listen = listen

    def run(self, name: str, **options: Any) -> JobOutcome:
        self.asked.append({"step": name, **options})
        text = f"answer {len(self.asked)}"
        update = to_json(ChatUpdate(text, (), 2, ChatTimes()))
        self._listen(JobMessage(SimpleNamespace(), CHAT_UPDATE, update))  # type: ignore[arg-type]
        if self.stopped:
            raise KeyboardInterrupt
        answer = ChatAnswer(text, (), "stop", 1, 0, 2, ChatTimes())
        return JobOutcome(End.SUCCEEDED, result=ChatResult("m", "", "", (), answer))


def subject(opened: Opened, text: str, **options: Any) -> ChatSubject:
    return subject_of(opened, text, options)  # type: ignore[arg-type]


def test_a_target_is_asked_at_its_endpoint() -> None:
    found = subject(Opened(), "roof", tokens="5")
    assert (found.step, found.options) == ("chat-served", {"target": "roof", "tokens": "5"})


def test_any_other_name_is_a_model() -> None:
    found = subject(Opened(), "tiny:q4", threads="1")
    assert (found.step, found.options) == ("chat", {"model": "tiny:q4", "threads": "1"})


def test_a_file_comes_before_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("roof").touch()
    assert subject(Opened(), "roof").step == "chat"


def test_a_target_has_its_own_threads() -> None:
    with pytest.raises(UsageError, match="--threads is for models on this computer"):
        subject(Opened(), "roof", threads="2")


def talk(opened: Opened, quiet: bool = False) -> Conversation:
    return Conversation(opened, subject(opened, "roof", system="Be brief."), quiet)  # type: ignore[arg-type]


def test_the_conversation_is_sent_with_each_message(capsys: pytest.CaptureFixture[str]) -> None:
    opened = Opened()
    made = talk(opened)
    made.ask("one")
    made.ask("two")
    assert opened.asked[1]["history"] == ("one", "answer 1")
    assert [(m.role, m.content) for m in made.messages] == [
        ("system", "Be brief."),
        ("user", "one"),
        ("assistant", "answer 1"),
        ("user", "two"),
        ("assistant", "answer 2"),
    ]
    assert capsys.readouterr().out == "answer 1answer 2"


def test_nothing_is_printed_beside_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    talk(Opened(), quiet=True).ask("one")
    assert capsys.readouterr().out == ""


def test_a_stopped_answer_stays_in_the_conversation() -> None:
    opened = Opened()
    opened.stopped = True
    made = talk(opened, quiet=True)
    with pytest.raises(KeyboardInterrupt):
        made.ask("one")
    assert made.last_answer == "answer 1"


def test_the_limit_of_a_saved_test_is_that_of_the_answers() -> None:
    opened = Opened()
    assert Conversation(opened, subject(opened, "roof", tokens="7")).limit == 7  # type: ignore[arg-type]
    assert talk(opened).limit == 256
