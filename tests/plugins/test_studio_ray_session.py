"""What a program that speaks with Ray may do to the studio, from a script in its place."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.api import TargetError, TaskOrder
from studio_ray import executor
from studio_ray.executor import RaySession

Open = Callable[[str], RaySession]
HEAD = "import os, sys, time\nout = sys.stdout\nprint('{}', flush=True)\n"
ASKED = HEAD + "sys.stdin.buffer.readline()\n"


@pytest.fixture
def open_session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open sessions whose program is a script; they end with the test."""
    monkeypatch.setattr(executor, "_python", lambda: sys.executable)
    monkeypatch.setattr(executor, "_LONGEST_S", 1.0)
    monkeypatch.setattr(executor, "_END_S", 0.5)
    sessions = []

    def start_script(script: str) -> RaySession:
        def start(*_: object) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [sys.executable, "-c", script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )

        sessions.append(RaySession("ray://head:10001", 1.0, start))
        return sessions[-1]

    yield start_script
    for session in sessions:
        session.close()


def test_an_answer_that_does_not_come_ends_the_program(open_session: Open) -> None:
    session = open_session(ASKED + "time.sleep(600)")
    with pytest.raises(TargetError, match="its connection has ended"):
        session.look("task")
    assert session._process.wait(10) != 0


def test_an_input_that_is_not_read_ends_the_program(open_session: Open, tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(bytes(4 << 20))
    session = open_session(HEAD + "time.sleep(600)")
    with pytest.raises(TargetError, match="its connection has ended"):
        session.submit(TaskOrder("task", "A task", b"{}", {"digest": tmp_path / "input"}))


def test_a_session_ends_while_a_request_waits(
    open_session: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "_LONGEST_S", 600.0)
    session = open_session(ASKED + "time.sleep(600)")
    refusals: list[str] = []

    def look() -> None:
        try:
            session.look("task")
        except TargetError as error:
            refusals.append(error.message)

    waiting = threading.Thread(target=look, daemon=True)
    waiting.start()
    session.close()
    waiting.join(10)
    assert session._process.poll() is not None
    assert len(refusals) == 1


@pytest.mark.parametrize(
    "answer", ["x" * 100_000, '{"error": "' + "e" * 100_000 + '"}', "[" * 5_000, "[]"]
)
def test_an_answer_of_another_form_is_one_short_sentence(open_session: Open, answer: str) -> None:
    session = open_session(ASKED + f"print({answer!r}, flush=True)\ntime.sleep(600)")
    with pytest.raises(TargetError) as caught:
        session.look("task")
    assert len(caught.value.message) < 500


def test_a_node_has_a_short_name(open_session: Open) -> None:
    answer = '{"phase": "running", "node": "' + "n" * 100_000 + '"}'
    session = open_session(ASKED + f"print({answer!r}, flush=True)\ntime.sleep(600)")
    assert len(session.look("task").node) == 300
