"""The sample of a project in the real window: run in a worker, once, with pictures of the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy
import PIL.Image
from pytestqt.qtbot import QtBot

from studio.evaluation.results import SampleResult
from studio.gui.pages.project.model_rows import SampleState
from studio.gui.pages.project.page import ProjectPage
from studio.gui.pages.project.samples_card import SamplesCard
from studio.gui.window.main_window import MainWindow
from tests.gui.page_rig import visible_texts
from tests.gui.pages.project.conftest import JOB_MS, opened


def done(page: ProjectPage, qtbot: QtBot) -> SampleState:
    qtbot.waitUntil(lambda: not page.sample.state.is_running, timeout=JOB_MS)
    return page.sample.state


def shown(page: ProjectPage, qtbot: QtBot, part: str) -> None:
    """Wait for a text on the page: what was just added is seen in a later turn of the loop."""
    qtbot.waitUntil(lambda: part in visible_texts(page), timeout=JOB_MS)


def pictures_of(card: SamplesCard) -> int:
    return sum(not one.isHidden() for one in card.pictures)


def test_one_sample_is_run_and_the_open_menu_stays(
    window: MainWindow, page: ProjectPage, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: "Running a sample…" in visible_texts(page), timeout=JOB_MS)
    change = page.table.buttons["metric"]
    state = done(page, qtbot)
    assert page.table.buttons["metric"] is change, "only the row of the sample is another"
    assert state.result is not None
    assert state.result.run is not None
    shown(page, qtbot, ", score 1.00")
    assert pictures_of(page.samples) == 8
    window.go("model")
    window.go("project")
    page.refresh()
    assert page.sample.state is state, "it is not run again"


def test_pictures_of_a_folder_are_shown_though_they_cannot_be_run(
    window: MainWindow, qtbot: QtBot, folder: Path
) -> None:
    (folder / "preprocess.toml").unlink()
    (folder / "heldout.npz").unlink()
    (folder / "heldout").mkdir()
    for number in range(3):
        pixels = numpy.full((40, 60, 3), 80 * number, numpy.uint8)
        PIL.Image.fromarray(pixels).save(folder / "heldout" / f"{number}.png")
    (folder / "heldout" / "3.png").write_text("no picture")
    page = opened(window, qtbot, folder / "digits.onnx")
    done(page, qtbot)
    assert pictures_of(page.samples) == 3
    shown(page, qtbot, "1 picture unreadable")
    shown(page, qtbot, "no preprocess.toml, which says how pictures")


def test_without_data_there_is_a_hint_and_no_job(
    window: MainWindow, qtbot: QtBot, folder: Path
) -> None:
    for name in ("heldout.npz", "calibration.npz"):
        (folder / name).unlink()
    page = opened(window, qtbot, folder / "digits.onnx")
    assert page.sample.state.problem.startswith("No data.")
    texts = visible_texts(page)
    assert "Pictures of the calibration or evaluation data appear here." in texts
    assert pictures_of(page.samples) == 0


def test_a_picture_that_no_worker_would_send_is_not_decoded(page: ProjectPage) -> None:
    from studio.datasets.results import DrawnInput

    broken = DrawnInput("picture", png="AAAA")
    large = replace(broken, png="A" * 100_000)
    page.samples.show_state(SampleState(SampleResult(None, pictures=(large, broken))))
    assert pictures_of(page.samples) == 1
    assert page.samples.pictures[0].image.isNull()
