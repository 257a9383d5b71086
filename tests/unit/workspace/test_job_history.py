"""The history of jobs: over restarts, kills, damage, two studios and a full disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.jobs import End, JobOutcome, JobSpec, RunningJob
from studio.jobs.runner import JobProgress
from studio.settings import resource
from studio.workspace import Workspace
from studio.workspace.job_history import JobHistory, counts
from tests.rigs.patience import patience

DIGITS = resource("samples", "digits", "digits.onnx")
PATIENCE = 60.0


@pytest.fixture
def history(tmp_path: Path) -> Iterator[JobHistory]:
    made = JobHistory(tmp_path / "activity")
    made.open()
    yield made
    made.close()


def job(name: str, step: str = "quantize") -> RunningJob:
    asked = {"model": "#1", "out": Path("/tmp/x")}
    return RunningJob(JobSpec(name, f"Quantize {name}", "m:w", {}, step=step, asked=asked))


def end(running: RunningJob, end: End, message: str = "") -> RunningJob:
    running._end(JobOutcome(end, title=running.title, message=message, seconds=2.0))
    return running


def test_each_end_is_counted_as_what_it_is(history: JobHistory) -> None:
    ends = {
        "a": End.SUCCEEDED,
        "b": End.FAILED,
        "c": End.CANCELLED,
        "d": End.CRASHED,
        "e": End.TIMED_OUT,
        "f": End.OUT_OF_MEMORY,
    }
    history.started(job("g"))
    for name, how in ends.items():
        one = job(name)
        history.started(one)
        history.finished(end(one, how, "No room."), action=7)
    found = {entry.id: entry for entry in history.entries()}
    assert counts(found.values()) == {
        "running": 1,
        "done": 1,
        "failed": 4,
        "cancelled": 1,
        "interrupted": 0,
    }
    assert found["b"].sentence == "No room."
    assert found["a"].sentence == ""
    assert found["a"].action == 7
    assert found["a"].options == {"model": "#1", "out": "/tmp/x"}
    assert not found["g"].is_elsewhere


def test_a_reading_job_is_listed_only_when_it_fails(history: JobHistory) -> None:
    for name, step, how in (
        ("a", "inspect", End.SUCCEEDED),
        ("b", "monitor", End.CANCELLED),
        ("c", "target-probe", End.FAILED),
    ):
        one = job(name, step)
        history.started(one)
        history.finished(end(one, how, "No answer."))
    assert [entry.id for entry in history.entries()] == ["c"]


def test_what_ran_when_the_process_was_killed_is_interrupted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from studio.workspace import Workspace\n"
        "workspace = Workspace.open(Path(sys.argv[1]))\n"
        "workspace.activity.open()\n"
        "assert workspace.run('open', model=sys.argv[2]).ok\n"
        "workspace.start('profile', model=['#1'], mode='sustained', minutes=10.0)\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program, str(home), str(DIGITS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with Workspace.open(home) as other:
            (running, opened) = other.activity.entries()
            assert (running.state, running.is_elsewhere) == ("running", True)
            assert (opened.state, opened.title) == ("done", "Open digits.onnx")
        os.kill(process.pid, signal.SIGKILL)
    with Workspace.open(home) as workspace:
        # A child that it was about to start holds the lock until it has started, or has ended.
        deadline = time.monotonic() + patience(10)
        while workspace.activity.entries()[0].is_elsewhere and time.monotonic() < deadline:
            time.sleep(0.1)
        (first, _) = workspace.activity.entries()
        assert first.state == "interrupted"
        assert first.step == "profile"
        assert first.options["model"] == ["#1"]


def test_a_job_that_closing_ended_is_interrupted_where_it_was(history: JobHistory) -> None:
    one = job("a")
    history.started(one)
    one.state = JobProgress(48, 96, "48 of 96 layers")
    history.end_session()
    history.finished(end(one, End.CANCELLED))
    (entry,) = history.entries()
    assert (entry.state, entry.progress) == ("interrupted", "48 of 96 layers")


def test_damaged_lines_are_passed_over(history: JobHistory, tmp_path: Path) -> None:
    history.started(job("a"))
    (path,) = (tmp_path / "activity").glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'\xff\xfe{{{\n[1]\n{"id": 3, "title": []}\n{"id":"cut')
    damaged = tmp_path / "activity" / "00000000T000000-00000000.jsonl"
    damaged.write_bytes(os.urandom(4096))
    assert [entry.id for entry in history.entries()] == ["a"]


def test_old_jobs_are_left_out_and_their_journals_removed(tmp_path: Path) -> None:
    folder = tmp_path / "activity"
    folder.mkdir()
    old = datetime.now(UTC) - timedelta(days=31)
    line = {"id": "a", "title": "Old", "state": "done", "started": old.isoformat(), "ended": "x"}
    path = folder / "20200101T000000-aaaaaaaa.jsonl"
    path.write_text(json.dumps(line) + "\n")
    history = JobHistory(folder)
    assert history.entries() == []
    os.utime(path, (old.timestamp(), old.timestamp()))
    history.open()
    assert not path.exists()


def test_clear_done_removes_only_what_has_succeeded(history: JobHistory) -> None:
    for name, how in (("a", End.SUCCEEDED), ("b", End.FAILED)):
        history.finished(end(job(name), how, "No."))
    history.clear_done()
    assert [entry.id for entry in history.entries()] == ["b"]
    later = job("c")
    history.started(later)
    history.finished(end(later, End.SUCCEEDED))
    assert {entry.id for entry in history.entries()} == {"b", "c"}


def test_two_studios_on_one_profile_have_a_journal_each(tmp_path: Path) -> None:
    folder = tmp_path / "activity"
    first, second = JobHistory(folder), JobHistory(folder)
    for number, one in enumerate((first, second)):
        one.open()
        one.started(job(f"job{number}"))
    assert len(list(folder.glob("*.jsonl"))) == 2
    assert {entry.id: entry.is_elsewhere for entry in first.entries()} == {
        "job0": False,
        "job1": True,
    }
    second.close()
    assert {entry.id: entry.state for entry in first.entries()} == {
        "job0": "running",
        "job1": "interrupted",
    }
    first.close()


def test_a_full_disk_fails_no_job(
    history: JobHistory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    one = job("a")
    history.started(one)
    history.finished(end(one, End.SUCCEEDED))
    monkeypatch.undo()
    assert history.entries() == []
    assert "No space left" in caplog.text


def test_nothing_is_recorded_for_a_command(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "home") as workspace:
        with pytest.raises(StudioError):
            workspace.start("open", model=str(tmp_path / "gone.onnx"))
        assert workspace.run("open", model=str(DIGITS)).ok
        assert workspace.unfinished() == []
    assert not list((tmp_path / "home" / "data" / "activity").glob("*"))


def test_only_its_owner_may_read_it(history: JobHistory, tmp_path: Path) -> None:
    """Options of jobs name files and targets."""
    history.started(job("a"))
    (journal,) = (tmp_path / "activity").iterdir()
    assert journal.stat().st_mode & 0o777 == 0o600


def test_no_secret_is_kept(history: JobHistory, tmp_path: Path) -> None:
    running = job("a")
    history.started(running)
    running.log.append("Authorization: Bearer abcdef123456")
    history.finished(end(running, End.FAILED, "It failed with token=hunter2hunter2."))
    (journal,) = (tmp_path / "activity").iterdir()
    text = journal.read_text()
    assert "It failed with" in text
    assert "abcdef123456" not in text
    assert "hunter2hunter2" not in text
