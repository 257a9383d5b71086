"""The sensitivity of layers in the drawer: measured from its form, listed, painted, kept."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from studio.gui import figures
from studio.gui.pages.model.drawer import NUMBERS, SENSITIVITY
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.main_window import MainWindow
from studio.settings import resource

JOB_MS = 60_000
DATA = str(resource("samples", "digits", "calibration.npz"))


@pytest.fixture
def page(digits_window: MainWindow) -> ModelPage:
    shown = digits_window.page()
    assert isinstance(shown, ModelPage)
    return shown


def test_layers_are_measured_listed_and_painted(page: ModelPage, qtbot: QtBot) -> None:
    page.drawer.open(SENSITIVITY)
    view = page.drawer.sensitivity
    assert view.hint.isVisible()
    view.form.set_values({"data": DATA, "samples": 8})
    view.measure.click()
    assert not view.measure.isEnabled()
    qtbot.waitUntil(lambda: not view.strip.running, timeout=JOB_MS)
    qtbot.waitUntil(lambda: view.table.isVisible())
    rows = [row.texts for row in view.table.content.rows]
    assert {row[0] for row in rows} >= {"conv1", "conv2"}
    assert all(float(row[1]) > 5 for row in rows)
    assert rows[0][2] != figures.NOTHING  # the metric, on the held-out data of the project
    assert "not faster in int8" in view.sentence.text()
    overlay = page.pane.canvas._overlay
    assert overlay is not None
    assert overlay.title.startswith("Noise at the output")
    assert len(overlay.texts) == len(rows)
    assert page.colors.index() == -1

    view.table.selectRow(1)
    scene, selected = page.pane.canvas.scene, page.pane.canvas.selected
    assert scene is not None
    assert selected is not None
    assert scene.boxes[selected].name == rows[1][0]

    page.drawer.open(NUMBERS)
    combo = page.drawer.numbers.combo
    qtbot.waitUntil(lambda: any("Quantization error" in t for t in _texts(combo)))
    assert any(text.startswith("Time that int8 saves") for text in _texts(combo))


def _texts(combo: object) -> list[str]:
    return [combo.itemText(i) for i in range(combo.count())]  # type: ignore[attr-defined]
