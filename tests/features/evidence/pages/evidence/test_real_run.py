"""The Evidence page with real workers on the digits sample: measure, explain, answer, export."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.features.evidence.pages.evidence.page import EvidencePage
from studio.features.evidence.pages.responsible.page import ResponsiblePage
from studio.features.evidence.survey.facade import Evidence
from studio.gui.window.main_window import MainWindow
from tests.gui.conftest import DIGITS, MakeWindow

PATIENCE_MS = 60_000


@pytest.fixture
def window(make_window: MakeWindow, qtbot: QtBot, tmp_path: Path) -> MainWindow:
    """The window with digits, whose folder has labelled data."""
    folder = tmp_path / "digits"
    shutil.copytree(DIGITS.parent, folder)
    made = make_window()
    made.open_model(folder / "digits.onnx")
    qtbot.waitUntil(lambda: made.current.variant is not None, timeout=PATIENCE_MS)
    return made


@pytest.mark.slow
def test_a_dossier_is_made_in_the_window(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.go("evidence")
    page = window.page()
    assert isinstance(page, EvidencePage)
    qtbot.waitUntil(lambda: page.survey is not None, timeout=PATIENCE_MS)
    before = page.workspace.service(Evidence).counts[1][0]

    page.grouping.by.setText("label")
    page.measure_groups()
    qtbot.waitUntil(lambda: page.groups.result is not None, timeout=PATIENCE_MS)
    assert page.groups.result is not None
    assert len(page.groups.result.groups) == 10
    qtbot.waitUntil(lambda: bool(page.loader.samples.chosen), timeout=PATIENCE_MS)

    page.explain_samples()
    tiles = page.explanations.tiles
    qtbot.waitUntil(lambda: len(tiles.tiles) == 4, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: bool(page.loader.pictures), timeout=PATIENCE_MS)
    picture = tiles.tiles[0].picture
    assert picture is not None
    assert picture.shown_map == "sample-0"
    assert "Sanity check" in page.explanations.sanity.text()

    page.write("oversight.human")
    page.answers.sheet.text.setPlainText("The operator can stop the line.")
    page.answers.sheet.author.setText("Ada")
    page.answers.sheet.primary.click()
    qtbot.waitUntil(lambda: not page.answers.sheet.isVisible(), timeout=PATIENCE_MS)

    qtbot.waitUntil(
        lambda: page.workspace.service(Evidence).counts[1][0] >= before + 6, timeout=PATIENCE_MS
    )
    word = "{} of {}".format(*page.workspace.service(Evidence).counts[1])
    rail = {one.stage.id: one for one in window.rail.buttons()}
    qtbot.waitUntil(lambda: rail["evidence"].result == word, timeout=PATIENCE_MS)

    page.open_export()
    sheet = page.folders.exporting
    sheet.form.set_values({"out": str(tmp_path / "evidence"), "samples": 60, "explanations": 2})
    sheet.primary.click()
    qtbot.waitUntil(lambda: sheet.result.isVisible(), timeout=PATIENCE_MS)
    assert (tmp_path / "evidence" / "dossier.html").is_file()
    sheet.close_sheet()

    (tmp_path / "evidence" / "model-card.md").write_text("altered", encoding="utf-8")
    page.open_verification()
    page.folders.verifying._dropped([tmp_path / "evidence"])
    qtbot.waitUntil(lambda: page.folders.verifying.result.isVisible(), timeout=PATIENCE_MS)
    rows = page.folders.verifying.rows.rows
    assert (rows[0].state, rows[0].name) == ("changed", "model-card.md")
    page.folders.verifying.close_sheet()

    window.go("responsible")
    table = window.page()
    assert isinstance(table, ResponsiblePage)
    qtbot.waitUntil(lambda: bool(table.models), timeout=PATIENCE_MS)
    assert table.models[0].evidence
    assert table.models[0].present == page.workspace.service(Evidence).counts[1][0]
