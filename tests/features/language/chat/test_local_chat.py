"""A chat with a model on this computer; the process of the model is a script."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from studio.api import Cancelled, StudioError
from studio.features.language.chat import local_chat
from studio.features.language.chat.step import CHAT, ChatModelOptions
from studio.registry import ModelRef
from tests.features.language.chat.parts import ChatJob, ended, part

MODEL = ModelRef("/models/tiny.gguf", "ab" * 32, 1, 1, "tiny", "q4", "gguf", "q4")
READY = b'{"ready": {"version": "1.2", "context": 64, "fault": ""}}\n'


@pytest.fixture
def speak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Make the process write something after the first line, and after the request."""

    def make(first: bytes, then: bytes, last: str = "") -> ChatJob:
        (tmp_path / "first").write_bytes(first)
        (tmp_path / "then").write_bytes(then)
        script = tmp_path / "python"
        here = f"cat '{tmp_path}"
        lines = f"read a; {here}/first'; read b || exit; {here}/then'; {last or 'read c'}"
        script.write_text(f"#!/bin/sh\necho $$ > '{tmp_path}/pid'\n{lines}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        backend = local_chat.ChatBackend("llama-cpp", str(script))
        monkeypatch.setattr(local_chat, "backend_of", lambda *_: backend)
        return ChatJob(tmp_path)

    return make


def ask(job: ChatJob) -> object:
    return local_chat.chat(ChatModelOptions(prompt="Hello", model=MODEL), job)


def test_the_answer_is_streamed_and_returned(speak) -> None:  # type: ignore[no-untyped-def]
    job = speak(READY, part("Good") + part(" day") + ended(answer=2))
    found = ask(job)
    assert found.answer.text == "Good day"  # type: ignore[attr-defined]
    assert job.text == "Good day"
    assert found.backend == "llama-cpp 1.2"  # type: ignore[attr-defined]
    assert [one.role for one in found.messages] == ["user", "assistant"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("first", "then", "last", "sentence"),
    [
        (b'{"error": "no such tensor"}\n', b"", "", "The model cannot be loaded: no such tensor"),
        (b'{"ready": {"fault": "It has no template."}}\n', b"", "", "It has no template."),
        (b"", b"", "exit 3", "The process of the model ended unexpectedly."),
        (READY, part("Go"), "kill -9 $$", "The process of the model ended unexpectedly."),
    ],
)
def test_a_failure_is_one_sentence(  # type: ignore[no-untyped-def]
    speak, first: bytes, then: bytes, last: str, sentence: str
) -> None:
    job = speak(first, then, last)
    if not first:
        (job.folder / "python").write_text("#!/bin/sh\nread a; exit 3\n")
    with pytest.raises(StudioError) as caught:
        ask(job)
    assert caught.value.message == sentence


def test_a_cancelled_answer_ends_the_process(speak, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    job = speak(READY, part("Good"), "exec sleep 600")
    job._cancel_after = 1
    with pytest.raises(Cancelled):
        ask(job)
    pid = int((tmp_path / "pid").read_text())
    assert not Path("/proc", str(pid)).exists()


def test_the_worker_has_no_permission() -> None:
    assert CHAT.needs == frozenset()
    assert CHAT.remote_needs == frozenset()
