"""The workspace: jobs with their events, graphs in the background, targets, pipelines."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.api import StudioError, TargetSpec, UsageError
from studio.settings import resource
from studio.workspace import (
    Event,
    GraphView,
    JobFinished,
    JobStarted,
    RegistryChanged,
    Workspace,
)
from studio.workspace.runs import RunRequest

DIGITS = resource("samples", "digits", "digits.onnx")
PATIENCE = 60.0


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "home") as workspace:
        yield workspace


def test_a_job_tells_its_story_and_leaves_a_variant(workspace: Workspace) -> None:
    told: list[Event] = []
    workspace.events.subscribe(told.append)
    job = workspace.start("open", model=str(DIGITS))
    outcome = job.wait(PATIENCE)
    assert outcome is not None
    assert outcome.ok, outcome
    last = queue.SimpleQueue[None]()
    workspace.in_background(lambda: None, lambda _: last.put(None))
    last.get(timeout=PATIENCE)
    assert isinstance(told[0], JobStarted)
    assert any(isinstance(event, RegistryChanged) for event in told)
    assert [event.job for event in told if isinstance(event, JobFinished)] == [job]
    (variant,) = workspace.registry.variants()
    assert (variant.model_name, variant.name) == ("digits", "fp32")
    assert workspace.jobs == [job]


@pytest.mark.slow
def test_a_model_file_is_opened_on_the_way_and_only_once(
    workspace: Workspace, tmp_path: Path
) -> None:
    for name in ("a.svg", "b.svg"):
        outcome = workspace.run("graph", model=str(DIGITS), out=str(tmp_path / name))
        assert outcome.ok, outcome
    assert len(workspace.registry.variants()) == 1
    assert [job.title for job in workspace.jobs].count("Open digits.onnx") == 1


def test_what_does_not_fit_starts_nothing(workspace: Workspace) -> None:
    with pytest.raises(UsageError):
        workspace.start("open", model="/no/such/file")
    with pytest.raises(UsageError, match="Unknown step 'fly'"):
        workspace.start("fly")
    assert workspace.jobs == []


def test_a_graph_is_read_apart_and_delivered_where_the_window_wants(workspace: Workspace) -> None:
    variant = workspace.run("open", model=str(DIGITS)).result.variant
    calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    workspace.events.deliver = calls.put
    seen: list[tuple[object, threading.Thread]] = []
    workspace.load_graph(variant, lambda view: seen.append((view, threading.current_thread())))
    calls.get(timeout=PATIENCE)()
    ((view, thread),) = seen
    assert isinstance(view, GraphView)
    assert len(view.model.graph.nodes) == 7
    assert len(view.layout.x) == 9
    assert thread is threading.current_thread()
    workspace.load_graph(variant, lambda _: None)
    calls.get(timeout=PATIENCE)


def test_a_failure_in_the_background_is_handed_over(workspace: Workspace) -> None:
    seen: queue.SimpleQueue[object] = queue.SimpleQueue()
    workspace.in_background(lambda: 1 / 0, seen.put)
    assert isinstance(seen.get(timeout=PATIENCE), ZeroDivisionError)


def test_a_listener_can_leave(workspace: Workspace) -> None:
    told: list[Event] = []
    leave = workspace.events.subscribe(told.append)
    workspace.add_target(TargetSpec("pi", "ssh://pi@board"))
    leave()
    leave()
    workspace.remove_target("pi")
    assert told == [RegistryChanged("targets")]


def test_a_report_that_cannot_be_written_is_said(workspace: Workspace, tmp_path: Path) -> None:
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text(f'[pipeline]\nname = "r"\n[[steps]]\nstep = "open"\nmodel = "{DIGITS}"\n')
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    report = workspace.runs.run(pipeline, RunRequest(report=blocked / "report.html"))
    assert report.exit_code == 0
    assert report.report == ""
    assert "cannot be written" in report.report_problem
    assert Path(workspace.runs.run(pipeline, RunRequest()).report).is_file()


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(StudioError, match="cannot be used"):
        Workspace.open(blocked / "home")


@pytest.mark.slow
def test_closing_ends_what_runs(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "home")
    variant = workspace.run("open", model=str(DIGITS)).result.variant
    job = workspace.start("profile", model=[f"#{variant}"], seconds=60)
    workspace.close()
    assert job.outcome is not None
    assert job.outcome.exit_code == 130
    assert os.listdir(workspace.paths.jobs) == []
