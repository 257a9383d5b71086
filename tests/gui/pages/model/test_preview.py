"""A large model that is being opened: its layers early, the same picture when all is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.graph.controls.choices import ViewChoices, store
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.main_window import MainWindow
from studio.jobs import End, JobOutcome, JobSpec, RunningJob
from studio.models.layout.graph_writer import GraphWriter
from studio.models.work import SHOWN_FROM, write_preview
from studio.workspace import DRAWN, PREVIEW, JobFinished, JobMessage
from tests.benchmarks.generated import transformer, write_onnx
from tests.unit.models import graphs

JOB_MS = 30_000


def previewed(window: MainWindow, qtbot: QtBot, folder: Path) -> tuple[ModelPage, RunningJob]:
    """The window with the preview of a job that nobody works at."""
    path = write_preview(graphs.model(transformer(SHOWN_FROM)), folder)
    job = RunningJob(JobSpec("job", "Open large.onnx", "nowhere:nothing", {}))
    window._opening._files[job.id] = Path("large.onnx")
    window._opening.on_event(JobMessage(job, PREVIEW, {"path": str(path)}))
    qtbot.waitUntil(lambda: isinstance(window.page(), ModelPage), timeout=JOB_MS)
    page = window.page()
    assert isinstance(page, ModelPage)
    qtbot.waitUntil(lambda: page.pane.canvas.scene is not None)
    return page, job


def end(window: MainWindow, job: RunningJob, outcome: JobOutcome) -> None:
    job.outcome = outcome
    window._opening.on_event(JobFinished(job))


def names(page: ModelPage) -> list[str]:
    scene = page.pane.canvas.scene
    return [] if scene is None else [box.name for box in scene.boxes]


@pytest.mark.slow
def test_the_layers_stay_where_they_are(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    write_onnx(transformer(SHOWN_FROM), tmp_path / "large.onnx")
    opened = window.workspace.run("open", model=str(tmp_path / "large.onnx"))
    page, job = previewed(window, qtbot, tmp_path)
    canvas, before = page.pane.canvas, names(page)
    assert len(before) == SHOWN_FROM // 49 + 1 + 3
    canvas.zoom_to(0.8)
    canvas.pan(0, 90)
    canvas.select(3, reveal=False)
    place = canvas.box_rectangle(3).center()
    end(window, job, opened)
    qtbot.waitUntil(lambda: page.view is not None and page._preview is None, timeout=JOB_MS)
    assert names(page) == before
    moved = canvas.box_rectangle(3).center() - place
    assert moved.manhattanLength() < 2  # the inspector may take a pixel
    assert (canvas.zoom, canvas.selected) == (0.8, 3)
    assert canvas.scene is not None
    assert canvas.scene.boxes[3].opens


def test_a_preview_has_the_direction_that_was_chosen(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    store(window.workspace.settings, ViewChoices(across=True))
    page, _ = previewed(window, qtbot, tmp_path)
    scene = page.pane.canvas.scene
    assert scene is not None
    assert scene.across
    assert scene.size[0] > scene.size[1], "the layers follow each other from left to right"


def test_a_preview_names_its_file(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    page, job = previewed(window, qtbot, tmp_path)
    assert window.topbar.model.text().startswith("large")
    assert page.variant is None
    assert page.pane.canvas.scene is not None
    assert not any(box.opens for box in page.pane.canvas.scene.boxes)
    end(window, job, JobOutcome(End.CANCELLED))


@pytest.mark.parametrize("how", [End.CANCELLED, End.FAILED, End.CRASHED])
def test_a_model_that_does_not_come_leaves_no_preview(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, how: End
) -> None:
    page, job = previewed(window, qtbot, tmp_path)
    end(window, job, JobOutcome(how))
    shown = window.page()
    assert shown is not None
    assert shown.stage == "welcome"
    assert page.pane.canvas.scene is None
    assert window.topbar.model.text() == "No model open"


def test_a_preview_that_comes_after_the_end_is_not_shown(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path = write_preview(graphs.model(transformer(SHOWN_FROM)), tmp_path)
    job = RunningJob(JobSpec("job", "Open large.onnx", "nowhere:nothing", {}))
    window._opening._files[job.id] = Path("large.onnx")
    window._opening.on_event(JobMessage(job, PREVIEW, {"path": str(path)}))
    end(window, job, JobOutcome(End.CANCELLED))
    done: list[object] = []
    window.workspace.in_background(lambda: None, done.append)  # behind the reading
    qtbot.waitUntil(lambda: bool(done), timeout=JOB_MS)
    assert not isinstance(window.page(), ModelPage)


@pytest.mark.slow
def test_a_model_is_looked_through_before_its_types_come(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    write_onnx(transformer(SHOWN_FROM), tmp_path / "large.onnx")
    opened = window.workspace.run("open", model=str(tmp_path / "large.onnx"))
    page, job = previewed(window, qtbot, tmp_path)
    drawn = GraphWriter(tmp_path).draw(graphs.model(transformer(SHOWN_FROM)))
    window._opening.on_event(JobMessage(job, DRAWN, {"path": str(drawn)}))
    qtbot.waitUntil(lambda: page.view is not None, timeout=JOB_MS)
    canvas = page.pane.canvas
    assert page.view is not None
    path = sorted(page.view.paths(folded=True))[3]
    page.show_part(path)
    qtbot.waitUntil(lambda: page.path == path, timeout=JOB_MS)
    canvas.zoom_to(0.7)
    inside, place = names(page), canvas.box_rectangle(4).center()
    assert canvas.scene is not None
    assert not canvas.scene.graph.values
    canvas.select(4, reveal=False)
    end(window, job, opened)
    qtbot.waitUntil(lambda: page.view is not None and page._preview is None, timeout=JOB_MS)
    assert (page.path, names(page), canvas.zoom) == (path, inside, 0.7)
    assert (canvas.box_rectangle(4).center() - place).manhattanLength() < 2
    assert canvas.selected == 4
    assert canvas.scene.graph.values
    assert page.view is not None
    assert page.view.macs
