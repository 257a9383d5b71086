"""An app in the window with real workers: dropped, checked, run, drawn, tested."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.features.apps.pages.app.page import TEST_VIEW, AppPage
from studio.gui.pages.shared.question import Question
from studio.gui.window.drop_overlay import outcome_of
from studio.gui.window.main_window import MainWindow

JOB_MS = 60_000
COUNT = 6

APP = """\
name = "lamp" # of the hall
title = "Lamp of the hall"

[sources.hall]
type = "folder"
path = "${FOLDER}"
fps = 2.0

[steps.lamp]
type = "python"
input = "hall"
file = "lamp.py"
gives = "objects"

[steps.corner]
type = "select"
input = "lamp"
area = [[0, 0], [64, 0], [64, 48]] # the whole corner

[steps.totals]
type = "count"
input = "lamp"

[sinks.log]
type = "file"
input = "lamp"
path = "events.jsonl"

[variables]
FOLDER = "FOLDER_OF_THE_TEST"

[test]
expected = "expected.jsonl"
"""

OWN = """\
import numpy
from studio.runtime.apps.items import Objects

def process(stamp, pixels, state):
    bright = bool(pixels.mean() > 100)
    events = [{"kind": "on" if bright else "off"}] if state.get("was") != bright else []
    state["was"] = bright
    corners = numpy.array([[10.0, 10.0, 30.0, 30.0]])
    return Objects(pixels, corners, numpy.ones(1), ("lamp",)), events
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app that reports when the pictures of a folder become bright or dark."""
    found = tmp_path / "lamp"
    pictures = found / "pictures"
    pictures.mkdir(parents=True)
    for number in range(COUNT):
        level = 200 if number >= COUNT // 2 else 20
        Image.new("RGB", (64, 48), (level, level, level)).save(pictures / f"{number}.png")
    (found / "app.toml").write_text(APP.replace("FOLDER_OF_THE_TEST", str(pictures)))
    (found / "lamp.py").write_text(OWN)
    rows = [{"kind": "off", "at_s": 0.0}, {"kind": "on", "at_s": 1.5}]
    (found / "expected.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return found


def opened(window: MainWindow, qtbot: QtBot, path: Path) -> AppPage:
    """The page of an app that was dropped on the window, once it is checked."""
    window._opening.open_dropped([path])
    page = window.page()
    assert isinstance(page, AppPage)
    qtbot.waitUntil(lambda: not page.checking.running, timeout=JOB_MS)
    return page


def agree(page: AppPage) -> None:
    (asked,) = (one for one in page.findChildren(Question) if one.isVisible())
    asked.confirm.click()


def finished(page: AppPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not page.strip.running, timeout=JOB_MS)


def test_an_app_is_opened_run_drawn_and_tested(
    window: MainWindow, qtbot: QtBot, folder: Path
) -> None:
    page = opened(window, qtbot, folder)
    assert page.view.check is not None, page.view.problem.text.text()
    assert page.view.check.own_steps == ("lamp.py",)
    page.run()
    agree(page)
    finished(page, qtbot)
    view = page.view
    assert view.figures is not None, view.problem.text.text()
    assert view.figures.frames == COUNT
    kinds = [view.events.rows.event_at(row)["kind"] for row in range(view.events.rows.rowCount())]
    assert kinds.count("on") == 1
    assert view.graph.boxes.boxes["hall"].words.startswith("Ended")
    assert view.preview.drawing.frame == (64, 48)

    view.preview.choose("corner")
    view.preview.preview.setFocus()
    qtbot.keyClick(view.preview.preview, Qt.Key.Key_PageDown)
    qtbot.keyClick(view.preview.preview, Qt.Key.Key_Right)
    view.preview.save.click()
    qtbot.waitUntil(lambda: page.checking.running, timeout=JOB_MS)
    qtbot.waitUntil(lambda: not page.checking.running, timeout=JOB_MS)
    written = (folder / "app.toml").read_text()
    assert "area = [[1, 0], [64, 0], [64, 48]] # the whole corner" in written
    assert tomllib.loads(written)["name"] == "lamp"
    assert not view.preview.drawing.is_changed

    page.test()
    finished(page, qtbot)
    assert page.stack.currentIndex() == TEST_VIEW
    assert page.results.pill.state == ("Passed", "good"), page.results.hint.title.text()


def test_a_broken_app_is_explained_on_its_page_alone(
    window: MainWindow, qtbot: QtBot, folder: Path
) -> None:
    file = folder / "app.toml"
    file.write_text(file.read_text().replace('input = "hall"', 'input = "hal"'))
    page = opened(window, qtbot, file)
    assert page.view.problem.text.text() == "steps.lamp: its input 'hal' does not exist."
    assert window.toasts.texts == ""
    file.write_text(file.read_text().replace('input = "hal"', 'input = "hall"'))
    page.view.problem.retry.click()
    qtbot.waitUntil(lambda: page.view.check is not None, timeout=JOB_MS)


def test_a_run_that_is_stopped_keeps_what_it_found(
    window: MainWindow, qtbot: QtBot, folder: Path
) -> None:
    file = folder / "app.toml"
    file.write_text(file.read_text().replace("fps = 2.0", "watch = true"))
    page = opened(window, qtbot, folder)
    page.run()
    agree(page)
    qtbot.waitUntil(lambda: page.view.figures is not None, timeout=JOB_MS)
    page.stop()
    finished(page, qtbot)
    assert page.view.graph.boxes.boxes["hall"].words.startswith("Stopped")
    assert page.primary is not None
    assert page.primary.text() == "Run"


@pytest.mark.parametrize("name", ["lamp", "lamp/app.toml"])
def test_a_drop_names_the_app(folder: Path, name: str) -> None:
    found = outcome_of([folder.parent / name], (".onnx",))
    assert found.title == "Open the app lamp"
    assert found.models == (folder.parent / name,)
