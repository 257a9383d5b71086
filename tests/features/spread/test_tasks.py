"""Steps as tasks: the same results as here, lost tasks, refusals, cancellation."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import UsageError
from studio.features.spread import executors
from studio.features.spread.remote_worker import _events
from studio.jobs import End
from studio.settings import resource
from studio.workspace import RunRequest, Workspace
from tests.rigs.patience import patience
from tests.rigs.spread import waiting
from tests.rigs.spread.losing import LosingExecutor

pytestmark = pytest.mark.slow


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """A copy of the sample."""
    return Path(shutil.copytree(resource("samples", "digits"), tmp_path / "digits"))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> LosingExecutor:
    """An executor that loses each task once."""
    executor = LosingExecutor(losses=1)
    monkeypatch.setattr(executors, "executor_for", lambda address: executor)
    return executor


def quantize(workspace: Workspace, digits: Path, on: str) -> Any:
    options = {"model": str(digits / "digits.onnx"), "data": str(digits / "calibration.npz")}
    if on:
        return workspace.run("quantize", on, **options)
    return workspace.run("quantize", **options)


def digest(workspace: Workspace, outcome: Any) -> str:
    """Return the digest of the variant that was made."""
    return workspace.registry.variant(int(outcome.document["variant"])).digest


def test_a_task_gives_the_digest_of_here(
    workspace: Workspace, digits: Path, tmp_path: Path
) -> None:
    away = quantize(workspace, digits, "local:2")
    assert away.ok, away.sentence
    with Workspace.open(tmp_path / "other") as other:
        here = digest(other, quantize(other, digits, ""))
    assert digest(workspace, away) == here


def test_a_lost_task_is_begun_again(
    workspace: Workspace, digits: Path, losing: LosingExecutor
) -> None:
    outcome = quantize(workspace, digits, "losing:")
    assert outcome.ok, outcome.sentence
    lines = workspace.jobs[-1].log
    assert "The node node-2 was lost: the power was cut. The task starts again, 2 of 3." in lines


def test_a_task_that_is_always_lost_ends_in_one_sentence(
    workspace: Workspace, digits: Path, losing: LosingExecutor
) -> None:
    losing.losses = 99
    outcome = quantize(workspace, digits, "losing:")
    assert outcome.end is End.FAILED
    assert outcome.sentence == (
        "The task was lost 3 times; the last time on node-2: the power was cut."
    )


def test_other_versions_on_the_node_are_refused(
    workspace: Workspace, digits: Path, losing: LosingExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.features.spread import parcel

    losing.losses = 0
    own = parcel.tools
    monkeypatch.setattr(parcel, "tools", lambda host: {**own(host), "onnxruntime": "0.0.1"})
    outcome = quantize(workspace, digits, "losing:")
    assert outcome.sentence.startswith("The node has onnxruntime ")
    assert "but this computer 0.0.1: install the same version there." in outcome.sentence


def test_an_input_that_changed_on_its_way_is_refused(
    workspace: Workspace, digits: Path, losing: LosingExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    losing.losses = 0
    session = losing.open("losing:")
    submit = session.submit

    def spoilt(order: Any) -> None:
        submit(order)
        for file in session._tasks._shared.inputs.iterdir():
            file.write_bytes(b"other")

    session._tasks._most = 0
    monkeypatch.setattr(session, "submit", spoilt)
    monkeypatch.setattr(losing, "open", lambda address, start: session)
    real_look = session.look

    def look(task: str) -> Any:
        session._tasks._most = 1
        return real_look(task)

    monkeypatch.setattr(session, "look", look)
    outcome = quantize(workspace, digits, "losing:")
    assert "was changed on its way" in outcome.sentence


def test_a_step_that_reaches_a_target_stays_here(workspace: Workspace, digits: Path) -> None:
    with pytest.raises(UsageError, match="runs on this computer only"):
        workspace.run("inspect", "local:", model=str(digits / "digits.onnx"))


@pytest.mark.parametrize("address", ["nowhere:", "local:0", "local:many", "ray://", "slurm:here"])
def test_an_impossible_address_is_one_sentence(
    workspace: Workspace, digits: Path, address: str
) -> None:
    outcome = quantize(workspace, digits, address)
    assert outcome.end is End.FAILED
    assert outcome.sentence.startswith(f"--on {address}: ")


def test_a_task_can_be_cancelled(workspace: Workspace, tmp_path: Path, digits: Path) -> None:
    waiting.place(tmp_path / "home", seconds=3600.0)
    running = workspace.runs.start(
        waiting.pipeline(digits, waiting.METHODS[:3]), RunRequest(on="local:2")
    )
    until = patience(60.0)
    while not any("Runs" in line for job in workspace.jobs for line in job.log):
        running.wait(0.2)
        until -= 0.2
        assert until > 0
    running.cancel()
    running.wait(patience(60.0))
    assert running.report is not None
    assert running.report.exit_code == 130


def test_cells_get_the_names_and_digests_of_here(
    workspace: Workspace, tmp_path: Path, digits: Path, losing: LosingExecutor
) -> None:
    cells = ("fp16", "dynamic-int8", "bf16")
    file = waiting.pipeline(digits, cells)
    away = workspace.runs.run(file, RunRequest(on="losing:"))
    with Workspace.open(tmp_path / "other") as other:
        here = other.runs.run(file, RunRequest())
    assert away.exit_code == 0
    assert away.artefacts == here.artefacts
    names = [[step.result.get("name") for step in run.steps] for run in (away, here)]
    assert names[0] == names[1]


def test_lines_that_are_no_events_are_noted_once(caplog: pytest.LogCaptureFixture) -> None:
    assert list(_events(b"x\n" * 1_000)) == []
    (record,) = caplog.records
    assert record.getMessage() == "a node sent 1000 lines that are no events"
