"""Jobs in real worker processes: results, errors, crashes, limits, cancel, sandbox."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from studio.api import Permission, UsageError
from studio.jobs import (
    End,
    JobListener,
    JobOutcome,
    JobRunner,
    JobSpec,
    Limits,
    RunningJob,
    SandboxLevel,
)
from studio.jobs import runner as jobs_runner
from studio.jobs.sandbox import view
from studio.settings import Paths, resource
from tests.rigs.patience import patience

WORKS = "tests.unit.jobs.works"
PATIENCE = 60.0


class Recorder(JobListener):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.progressing = threading.Event()

    def started(self, job: RunningJob) -> None:
        self.events.append("started")

    def progressed(self, job: RunningJob) -> None:
        self.events.append(job.state.text)
        self.progressing.set()

    def message(self, job: RunningJob, name: str, values: Mapping[str, Any]) -> None:
        self.events.append(f"{name} {dict(values)}")

    def finished(self, job: RunningJob) -> None:
        self.events.append("finished")


@pytest.fixture
def listener() -> Recorder:
    return Recorder()


@pytest.fixture
def runner(
    tmp_path: Path, listener: Recorder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[JobRunner]:
    root = Path(__file__).parents[3]
    monkeypatch.setenv("PYTHONPATH", f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    (tmp_path / "store").mkdir()
    runner = JobRunner(
        Paths.of(home=tmp_path / "home"), store=tmp_path / "store", listener=listener
    )
    yield runner
    runner.close()
    assert not list(Paths.of(home=tmp_path / "home").jobs.iterdir()), "a job left its folder behind"


def spec(name: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> JobSpec:
    reads = (Path(__file__).parent, *more.pop("reads", ()))
    return JobSpec(name, name.capitalize(), f"{WORKS}:{name}", arguments or {}, reads=reads, **more)


def test_a_result_arrives_with_its_events_and_chatter_does_not_break_the_stream(
    runner: JobRunner, listener: Recorder
) -> None:
    kept: list[str] = []

    def finish(result: dict[str, Any], folder: Path) -> dict[str, Any]:
        kept.append((folder / "sum.txt").read_text())
        return {**result, "recorded": True}

    job = runner.start(spec("add", {"a": 2, "b": 3}), finish)
    outcome = job.wait(PATIENCE)
    assert outcome is not None
    assert outcome.ok, outcome
    assert outcome.result == {"sum": 5, "recorded": True}
    assert kept == ["5"]
    assert job.log == ["added"]
    assert listener.events[0] == "started"
    assert "partial {'value': 1}" in listener.events
    assert listener.events[-1] == "finished"


@pytest.mark.parametrize(
    ("error", "end", "sentence"),
    [
        (None, End.SUCCEEDED, ""),
        (UsageError("No such incident."), End.FAILED, "No such incident."),
        (OSError(28, "No space left on device"), End.FAILED, "The result cannot be stored: No sp"),
    ],
)
def test_a_job_without_work_makes_its_record_and_starts_no_worker(
    runner: JobRunner,
    listener: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None,
    end: End,
    sentence: str,
) -> None:
    monkeypatch.setattr(jobs_runner, "WorkerProcess", None)

    def finish(result: dict[str, Any], folder: Path) -> dict[str, Any]:
        (folder / "note.txt").write_text("noted")
        if error is not None:
            raise error
        return {"note": 1}

    outcome = runner.start(JobSpec("note", "Add a note", "", {}), finish).wait(PATIENCE)
    assert outcome is not None
    assert outcome.end is end
    assert outcome.ok or outcome.sentence.startswith(sentence)
    assert outcome.result == ({} if error else {"note": 1})
    assert listener.events == ["started", "finished"]


def test_a_job_without_work_that_is_cancelled_before_its_record_makes_none(
    runner: JobRunner, listener: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "started", RunningJob.cancel)
    records: list[Path] = []
    job = runner.start(JobSpec("note", "Add a note", "", {}), lambda _, at: records.append(at))
    outcome = job.wait(PATIENCE)
    assert outcome is not None
    assert (outcome.end, outcome.exit_code, records) == (End.CANCELLED, 130, [])


def test_an_expected_error_keeps_its_sentence_hint_and_exit_code(runner: JobRunner) -> None:
    outcome = runner.start(spec("refuse")).wait(PATIENCE)
    assert outcome is not None
    assert (outcome.end, outcome.sentence) == (End.FAILED, "This is not a model.")
    assert (outcome.hint, outcome.error, outcome.exit_code) == ("Try another.", "InvalidModel", 1)


def test_the_fields_of_an_error_travel(runner: JobRunner) -> None:
    outcome = runner.start(spec("unknown_host")).wait(PATIENCE)
    assert outcome is not None
    assert outcome.exit_code == 4
    assert outcome.fields == {"key": "ssh-ed25519 AAAA", "fingerprint": "SHA256:x"}


def test_a_defect_is_one_sentence_with_the_traceback_behind_it(runner: JobRunner) -> None:
    outcome = runner.start(spec("defect")).wait(PATIENCE)
    assert outcome is not None
    assert outcome.sentence == "Unexpected error: division by zero."
    assert "Traceback" in outcome.detail


def test_a_record_that_fails_in_an_unforeseen_way_ends_the_job(runner: JobRunner) -> None:
    def finish(result: dict[str, Any], folder: Path) -> dict[str, Any]:
        raise sqlite3.OperationalError("database is locked")

    outcome = runner.start(spec("add", {"a": 2, "b": 3}), finish).wait(PATIENCE)
    assert outcome is not None, "whoever waits would wait for ever"
    assert (outcome.ok, outcome.exit_code) == (False, 1)
    assert outcome.sentence.endswith("failed: database is locked.")


def test_a_user_without_a_name_can_run_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that is started with a number for its user."""

    def nobody(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(view.pwd, "getpwuid", nobody)
    assert view.readable_around(Path("/usr/share/model.onnx")) == [Path("/usr/share")]


@pytest.mark.parametrize("needs", [frozenset(), frozenset({Permission.HOME})])
def test_a_crash_names_the_signal(runner: JobRunner, needs: frozenset[Permission]) -> None:
    outcome = runner.start(spec("crash", needs=needs)).wait(PATIENCE)
    assert outcome is not None
    assert outcome.end is End.CRASHED
    assert "SIGSEGV" in outcome.sentence


def test_cancel_at_a_progress_point(runner: JobRunner, listener: Recorder) -> None:
    job = runner.start(spec("hang"))
    assert listener.progressing.wait(PATIENCE)
    asked = time.monotonic()
    job.cancel()
    outcome = job.wait(PATIENCE)
    assert outcome is not None
    assert (outcome.end, outcome.exit_code) == (End.CANCELLED, 130)
    assert time.monotonic() - asked < patience(3.0), (
        "it was ended by a signal, not at a progress point"
    )


def test_cancel_after_the_end_changes_nothing(runner: JobRunner) -> None:
    job = runner.start(spec("add", {"a": 2, "b": 3}))
    before = job.wait(PATIENCE)
    assert before is not None
    job.cancel()
    assert job.wait(PATIENCE) == before
    assert before.end is End.SUCCEEDED


@pytest.mark.slow
def test_a_deaf_worker_is_ended_by_signals(runner: JobRunner, listener: Recorder) -> None:
    job = runner.start(spec("hang", {"deaf": True}))
    assert listener.progressing.wait(PATIENCE)
    job.cancel()
    outcome = job.wait(PATIENCE)
    assert outcome is not None
    assert outcome.end is End.CANCELLED


def test_the_time_limit_is_kept(runner: JobRunner) -> None:
    outcome = runner.start(spec("hang", {"deaf": True}, limits=Limits(seconds=1.5))).wait(PATIENCE)
    assert outcome is not None
    assert outcome.end is End.TIMED_OUT


def test_a_full_disk_is_a_sentence(runner: JobRunner) -> None:
    outcome = runner.start(spec("fill")).wait(PATIENCE)
    assert outcome is not None
    assert outcome.sentence.startswith("The disk of ")
    assert "EDGEWRIGHT_HOME" in outcome.hint


def test_silence_has_an_end(runner: JobRunner) -> None:
    outcome = runner.start(spec("hang", {"deaf": True}, limits=Limits(silence=1.5))).wait(PATIENCE)
    assert outcome is not None
    assert outcome.end is End.TIMED_OUT
    assert "no progress" in outcome.sentence


def test_the_memory_limit_is_kept(runner: JobRunner) -> None:
    outcome = runner.start(spec("eat", limits=Limits(memory_mb=600))).wait(PATIENCE)
    assert outcome is not None
    assert outcome.end is End.OUT_OF_MEMORY


def test_processes_of_one_job_share_a_limit(runner: JobRunner) -> None:
    asked = {"processes": 4, "each_mb": 200}
    eating = spec("eat_together", asked, limits=Limits(memory_mb=400))
    outcome = runner.start(eating).wait(PATIENCE)
    assert outcome is not None
    assert outcome.end is End.OUT_OF_MEMORY


def test_a_job_without_a_limit_has_the_machines_share(
    runner: JobRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_runner, "share_mb", lambda: 600)
    outcome = runner.start(spec("eat")).wait(PATIENCE)
    assert outcome is not None
    assert outcome.end is End.OUT_OF_MEMORY


def test_a_record_that_cannot_be_kept_fails_the_job(runner: JobRunner) -> None:
    def full(result: dict[str, Any], folder: Path) -> dict[str, Any]:
        raise OSError(28, "No space left on device")

    outcome = runner.start(spec("add", {"a": 1, "b": 1}), full).wait(PATIENCE)
    assert outcome is not None
    assert outcome.sentence == "The result cannot be stored: No space left on device."


def test_the_worker_kept_ready_is_used_once_and_replaced(runner: JobRunner) -> None:
    runner.prepare()
    first = runner._spare
    ready = JobSpec("pid", "Pid", "studio.jobs.worker:_preload", {})
    assert first is not None
    assert runner._worker_for(ready) is first.worker
    assert runner._spare is not first
    first.end()


def test_the_worker_kept_ready_sees_what_comes_into_folders_that_were_not_there(
    tmp_path: Path,
) -> None:
    paths = Paths.of(home=tmp_path / "fresh")
    runner = JobRunner(paths, store=paths.registry / "store")
    runner.prepare()
    first = inspected(runner, paths.samples)
    shutil.rmtree(paths.samples)  # and made again while a worker is kept ready
    again = inspected(runner, paths.samples)
    runner.close()
    assert first.ok, first.sentence
    assert again.ok, again.sentence


def inspected(runner: JobRunner, folder: Path) -> JobOutcome:
    """How a look at a model ends that comes into a folder now."""
    folder.mkdir(exist_ok=True)
    model = Path(shutil.copy(resource("samples", "digits", "digits.onnx"), folder))
    arguments = {"model": str(model), "shape": []}
    work, options = "studio.models.work:inspect_model", "studio.models.step:InspectOptions"
    asked = JobSpec("look", "Look", work, arguments, (model,), options=options)
    outcome = runner.start(asked).wait(PATIENCE)
    assert outcome is not None
    return outcome


def test_a_sandboxed_worker_has_no_network_no_home_and_a_read_only_disk(
    runner: JobRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if runner.containment.level is not SandboxLevel.FULL:
        if os.environ.get("CI"):
            pytest.fail("bubblewrap is missing or cannot be used")
        pytest.skip("bubblewrap is missing or cannot be used")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    home = tmp_path / "user"
    home.mkdir()
    (home / "secret").write_text("x")
    monkeypatch.setenv("HOME", str(home))
    shown, hidden = tmp_path / "shown", tmp_path / "hidden"
    for folder in (shown, hidden):
        folder.mkdir()
        (folder / "file").write_text("x")
    paths = [str(shown / "file"), str(hidden / "file")]
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = {"home": str(home), "port": server.getsockname()[1], "paths": paths}
        outcome = runner.start(spec("look", asked, reads=(shown / "file",))).wait(PATIENCE)
    assert outcome is not None
    assert outcome.result == {
        "home": [],
        "network": False,
        "readable": paths[:1],
        "writable": False,
        "telemetry": "1",
        "secret": "",
    }


def test_a_sandboxed_worker_reads_what_a_link_leads_to(runner: JobRunner, tmp_path: Path) -> None:
    if runner.containment.level is not SandboxLevel.FULL:
        if os.environ.get("CI"):
            pytest.fail("bubblewrap is missing or cannot be used")
        pytest.skip("bubblewrap is missing or cannot be used")
    there, here, hidden = (tmp_path / name for name in ("there", "here", "hidden"))
    for folder in (there, here, hidden):
        folder.mkdir()
        (folder / "file").write_text("x")
    (here / "data").symlink_to(there)  # beside the model, which is shown with its folder
    (tmp_path / "alone").symlink_to(there)
    paths = [str(here / "data" / "file"), str(tmp_path / "alone" / "file"), str(hidden / "file")]
    reads = (here / "file", here / "data", tmp_path / "alone")
    asked = {"home": str(tmp_path), "port": 9, "paths": paths}
    outcome = runner.start(spec("look", asked, reads=reads)).wait(PATIENCE)
    assert outcome is not None
    assert outcome.ok, outcome
    assert outcome.result["readable"] == paths[:2]
