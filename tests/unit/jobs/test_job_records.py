"""What the log says of jobs; workers, which are not trusted, say only so much of it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.documents.dataclass_json import from_json
from studio.jobs import JobRunner, JobSpec
from studio.jobs.job_records import MOST_AT_ONCE, JobRecords
from studio.jobs.outcome import End, JobOutcome
from studio.jobs.worker_events import WorkerEvent
from studio.settings import Paths
from studio.settings.log_file import MOST_BYTES
from studio.settings.logging import recording

WORKS = "tests.unit.jobs.works"
PATIENCE = 60.0
SPEC = JobSpec("3fa2", "Quantize digits", "module:work", {}, step="quantize")


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    paths = Paths.of(home=tmp_path / "home")
    paths.data.mkdir(parents=True)
    with recording(paths, logging.DEBUG):
        yield paths


@pytest.fixture
def runner(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobRunner]:
    root = Path(__file__).parents[3]
    monkeypatch.setenv("PYTHONPATH", f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    runner = JobRunner(paths, store=tmp_path / "store")
    yield runner
    runner.close()


def lines(paths: Paths) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (paths.logs / "studio.log").read_text().splitlines()]


def run(runner: JobRunner, name: str, **arguments: Any) -> JobOutcome:
    spec = JobSpec(name, name, f"{WORKS}:{name}", arguments, reads=(Path(__file__).parent,))
    outcome = runner.start(spec).wait(PATIENCE)
    assert outcome is not None
    return outcome


def test_start_and_end_have_step_outcome_and_seconds(paths: Paths) -> None:
    records = JobRecords(SPEC)
    records.started()
    records.ended(JobOutcome(End.SUCCEEDED, seconds=1.23456))
    started, ended = lines(paths)
    assert (started["message"], started["job"], started["step"]) == (
        "job started",
        "3fa2",
        "quantize",
    )
    assert (ended["level"], ended["outcome"], ended["seconds"]) == ("INFO", "succeeded", 1.235)
    assert (ended["message"], ended["job"], ended["step"]) == ("job ended", "3fa2", "quantize")


@pytest.mark.parametrize("end", [end for end in End if end.value not in ("succeeded", "cancelled")])
def test_a_failure_is_an_error_with_what_the_user_is_told(paths: Paths, end: End) -> None:
    outcome = JobOutcome(end, title="It", message="No.", detail="Traceback\nx", plugin="p")
    JobRecords(SPEC).ended(outcome)
    (line,) = lines(paths)
    assert (line["level"], line["outcome"], line["plugin"]) == ("ERROR", end.value, "p")
    assert line["message"] == f"job ended: {outcome.sentence}"
    assert line["traceback"] == "Traceback\nx"


def test_a_worker_chooses_neither_job_nor_logger_nor_level_nor_keys(paths: Paths) -> None:
    hostile = {
        "job": "another",
        "time": "never",
        "level": "CRITICAL",
        "pid": 1,
        "message": "another",
        "exc_text": "x",
        "msg": "x",
        "name": "studio.cli",
        "../escape": 1,
        "Upper": 1,
    }
    records = JobRecords(SPEC)
    records.of_worker(
        from_json(
            WorkerEvent, {"text": "a", "level": "CRITICAL", "logger": "studio\nx", "keys": hostile}
        )
    )
    records.of_worker(
        from_json(WorkerEvent, {"text": "b", "level": ["x"], "logger": 7, "keys": ["no", "names"]})
    )
    records.of_worker(
        from_json(
            WorkerEvent, {"text": "c", "keys": {f"k{'e' * n}": "v" * 9_999 for n in range(99)}}
        )
    )
    records.of_worker(from_json(WorkerEvent, {}))
    first, second, third, fourth = lines(paths)
    for line in (first, second, third, fourth):
        assert (line["job"], line["step"]) == ("3fa2", "quantize")
        assert (line["level"], line["logger"]) == ("INFO", "studio.jobs.worker")
        assert line["pid"] == os.getpid()
    assert set(first) == {"time", "level", "logger", "pid", "job", "step", "origin", "message"}
    assert (first["message"], second["message"], fourth["message"]) == ("a", "b", "")
    assert (first["origin"], second["origin"]) == ("studio", "worker")
    values = [value for name, value in third.items() if name.startswith("ke")]
    assert 0 < len(values) <= 8
    assert max(map(len, values)) < 210


def test_texts_of_a_worker_are_plain_short_and_without_secrets(paths: Paths) -> None:
    records = JobRecords(SPEC)
    records.of_worker(
        from_json(WorkerEvent, {"text": "\x1b]0;title\x07 \u202e token=hunter2 " + "a" * 99_999})
    )
    records.of_worker(
        from_json(WorkerEvent, {"text": "%s %d %(x)s", "traceback": "\x1b[2J" + "b" * 99_999})
    )
    first, second = lines(paths)
    assert first["message"].startswith("\\x1b]0;title\\x07 \\u202e token=*** a")
    assert second["message"] == "%s %d %(x)s"
    assert second["traceback"].startswith("\\x1b[2Jb")
    assert max(len(first["message"]), len(second["traceback"])) < 4_100


def test_a_worker_that_never_stops_to_log_is_held_to_a_rate(paths: Paths) -> None:
    now = [0.0]
    records = JobRecords(SPEC, lambda: now[0])
    for _ in range(100_000):
        records.of_worker(from_json(WorkerEvent, {"text": "x" * 9_999}))
    assert len(lines(paths)) == MOST_AT_ONCE
    now[0] += 3.0
    for _ in range(100):
        records.of_worker(from_json(WorkerEvent, {"text": "x"}))
    assert len(lines(paths)) == MOST_AT_ONCE + 3
    records.ended(JobOutcome(End.SUCCEEDED))
    *_, dropped, ended = lines(paths)
    assert (dropped["level"], dropped["dropped"]) == ("WARNING", 100_097 - MOST_AT_ONCE)
    assert ended["message"] == "job ended"
    assert (paths.logs / "studio.log").stat().st_size < MOST_BYTES, "others' lines are still there"


def test_a_real_worker_logs_with_its_jobs_id(paths: Paths, runner: JobRunner) -> None:
    assert run(runner, "log_much").ok
    found = [line for line in lines(paths) if line["logger"] == "studio.jobs.worker"]
    assert {line["job"] for line in found} == {"log_much"}
    texts = [line["message"] for line in found]
    assert "a line for the user" in texts
    detail = next(line for line in found if line["message"] == "a detail")
    assert (detail["level"], detail["origin"]) == ("DEBUG", "studio.works")
    assert detail["target"] == "board-7"
    failed = next(line for line in found if line["message"] == "it failed")
    assert "ZeroDivisionError" in failed["traceback"]
    assert "token=***" in texts
    assert "uncaught exception in a thread" in texts


@pytest.mark.slow
def test_a_flood_of_a_real_worker_neither_fails_the_job_nor_fills_the_log(
    paths: Paths, runner: JobRunner
) -> None:
    spec = JobSpec("f", "F", f"{WORKS}:flood", {}, reads=(Path(__file__).parent,))
    job = runner.start(spec)
    outcome = job.wait(PATIENCE)
    assert outcome is not None
    assert outcome.ok
    assert len(job.log) == 1000
    assert job.log[-1] == "line 4999"
    texts = [line["message"] for line in lines(paths)]
    assert "records of the worker dropped" in texts
    assert len(texts) < 2 * MOST_AT_ONCE + 200


def test_a_failure_in_a_worker_is_logged_with_its_traceback(
    paths: Paths, runner: JobRunner
) -> None:
    run(runner, "defect")
    ended = lines(paths)[-1]
    assert (ended["level"], ended["outcome"]) == ("ERROR", "failed")
    assert "division by zero" in ended["message"]
    assert "in defect" in ended["traceback"]
