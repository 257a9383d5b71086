"""Standard error of workers: kept by job, bounded in size and number, without secrets."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.jobs import End, JobRunner, JobSpec
from studio.jobs.native_output import MOST_BYTES, MOST_FILES, bound, store
from studio.settings import Paths
from studio.settings.redaction import Redactor

WORKS = "tests.unit.jobs.works"
PATIENCE = 60.0


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "1-2.stderr"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs" / "workers"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.of(home=tmp_path / "home")


@pytest.fixture
def runner(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobRunner]:
    root = Path(__file__).parents[3]
    monkeypatch.setenv("PYTHONPATH", f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    runner = JobRunner(paths, store=tmp_path / "store")
    yield runner
    runner.close()


def spec(name: str) -> JobSpec:
    return JobSpec(name, name, f"{WORKS}:{name}", {}, reads=(Path(__file__).parent,))


def test_it_is_plain_without_secrets_and_for_its_owner_alone(output: Path, folder: Path) -> None:
    output.write_bytes(b"\x1b[2J token=hunter2 \xff\n")
    store(output, folder, "3fa2", Redactor())
    (kept,) = folder.iterdir()
    assert kept.name == "3fa2.err"
    assert kept.read_text() == "\\x1b[2J token=*** \ufffd\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_end_of_a_long_one_is_kept(output: Path, folder: Path) -> None:
    output.write_bytes(b"x" * 9 * MOST_BYTES + b"the end")
    store(output, folder, "3fa2", Redactor())
    content = (folder / "3fa2.err").read_bytes()
    assert len(content) == MOST_BYTES
    assert content.endswith(b"the end")


def test_the_last_twenty_are_kept(output: Path, folder: Path) -> None:
    output.write_bytes(b"text")
    for number in range(MOST_FILES + 5):
        store(output, folder, f"job{number}", Redactor())
        os.utime(folder / f"job{number}.err", (number, number))
    kept = {path.name for path in folder.iterdir()}
    assert kept == {f"job{number}.err" for number in range(5, MOST_FILES + 5)}
    assert MOST_FILES == 20


def test_silence_leaves_no_file_and_a_name_leads_nowhere_else(output: Path, folder: Path) -> None:
    output.write_bytes(b" \n")
    store(output, folder, "silent", Redactor())
    assert not folder.exists()
    output.write_bytes(b"text")
    store(output, folder, "../../etc/x", Redactor())
    assert [path.name for path in folder.iterdir()] == ["______etc_x.err"]


def test_a_folder_that_cannot_be_written_to_disturbs_nobody(output: Path, tmp_path: Path) -> None:
    output.write_bytes(b"text")
    (tmp_path / "file").write_text("")
    store(output, tmp_path / "file" / "workers", "3fa2", Redactor())
    store(tmp_path / "missing", tmp_path / "workers", "3fa2", Redactor())
    assert not (tmp_path / "workers").exists()


def test_a_running_worker_that_writes_without_end_is_shortened(output: Path) -> None:
    with output.open("ab", buffering=0) as worker:
        worker.write(b"x" * (9 << 20))
        worker.write(b"near the end")
        bound(output)
        assert output.stat().st_size == MOST_BYTES
        worker.write(b", the end")
    assert output.read_bytes().endswith(b"near the end, the end")
    assert output.stat().st_size < MOST_BYTES + 20


def test_a_short_one_is_left_alone(output: Path) -> None:
    output.write_bytes(b"text")
    bound(output)
    bound(output.with_name("missing"))
    assert output.read_bytes() == b"text"


def test_a_crash_leaves_the_stacks_of_the_worker(runner: JobRunner, paths: Paths) -> None:
    outcome = runner.start(spec("crash")).wait(PATIENCE)
    assert outcome is not None
    assert outcome.end is End.CRASHED
    kept = (paths.logs / "workers" / "crash.err").read_text()
    assert "Segmentation fault" in kept
    assert "in crash" in kept
    assert "in crash" in outcome.detail


@pytest.mark.slow
def test_a_worker_that_says_nothing_natively_leaves_no_file(
    runner: JobRunner, paths: Paths
) -> None:
    outcome = runner.start(spec("flood")).wait(PATIENCE)
    assert outcome is not None
    assert outcome.ok
    assert not (paths.logs / "workers").exists()
