"""The inspector's details on demand: values of constants, texts of operators, each asked once."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from studio.api.inspection import OperatorDoc
from studio.gui.pages.model.inspector import ModelInspector
from studio.gui.pages.model.node_details import ConstantDetail, Histogram, OperatorDetail
from studio.gui.pages.model.page import ModelPage
from studio.gui.pages.model.query_cache import QueryCache
from studio.gui.theme import Theming
from studio.gui.window.main_window import MainWindow
from studio.models.results import ConstantResult
from tests.gui.conftest import visible
from tests.gui.page_rig import Shell

JOB_MS = 30_000


@pytest.fixture
def page(digits_window: MainWindow) -> ModelPage:
    shown = digits_window.page()
    assert isinstance(shown, ModelPage)
    return shown


def inspect(page: ModelPage, name: str) -> ModelInspector:
    scene = page.pane.canvas.scene
    assert scene is not None
    page.pane.canvas.select(scene.index_of(name))
    QApplication.processEvents()  # what was put into a layout is shown with the next turn
    inspector = page.inspector()
    assert isinstance(inspector, ModelInspector)
    return inspector


def shown(inspector: ModelInspector, kind: type[Any]) -> list[Any]:
    return visible(inspector, kind)


def texts(detail: ConstantDetail | OperatorDetail) -> str:
    QApplication.processEvents()
    return "\n".join(one.text() for one in detail.findChildren(QLabel) if one.isVisibleTo(detail))


def test_values_are_read_on_demand_and_once(page: ModelPage, qtbot: QtBot) -> None:
    inspector = inspect(page, "conv2")
    details = shown(inspector, ConstantDetail)
    assert [one.toggle.accessibleName() for one in details] == [
        "Values of conv2.weight",
        "Values of conv2.bias",
    ]
    jobs = len(page.workspace.jobs)
    details[0].toggle.setFocus()
    qtbot.keyClick(details[0].toggle, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "18,432" in texts(details[0]), timeout=JOB_MS)
    (histogram,) = shown(inspector, Histogram)
    assert histogram.accessibleName() == "Histogram of conv2.weight from -0.4692 to 0.4598"
    assert "−0.05747, 0.1153" in texts(details[0])
    inspect(page, "conv1")
    again = shown(inspect(page, "conv2"), ConstantDetail)[0]
    again.unfold()
    assert "18,432" in texts(again)
    assert len(page.workspace.jobs) == jobs + 1


def test_texts_of_operators_go_on(page: ModelPage, qtbot: QtBot) -> None:
    (detail,) = shown(inspect(page, "conv2"), OperatorDetail)
    detail.toggle.click()
    qtbot.waitUntil(lambda: "computes the output" in texts(detail), timeout=JOB_MS)
    assert "As of operator set 11" in texts(detail)
    (following,) = shown(inspect(page, "dense"), OperatorDetail)
    qtbot.waitUntil(lambda: "General Matrix multiplication" in texts(following), timeout=JOB_MS)
    following.toggle.click()
    (last,) = shown(inspect(page, "conv1"), OperatorDetail)
    assert not last.toggle.isChecked()


def test_parameters_are_told(page: ModelPage) -> None:
    words = [one.text() for one in shown(inspect(page, "conv2"), QLabel)]
    assert words[words.index("Parameters") + 1] == "18.5 k"


def test_what_cannot_be_found_out(qtbot: QtBot) -> None:
    shell = Shell(Theming("dark"))
    shell.refuses = True
    detail = ConstantDetail(QueryCache(shell, "values"), shell.theming, "#1", "w")  # type: ignore[arg-type]
    qtbot.addWidget(detail)
    detail.show()
    detail.unfold()
    assert "This information is not available." in texts(detail)
    detail.show_answer(ConstantResult("w", 0, 0, 0.0, (), ()))
    assert not detail.findChildren(Histogram)


def test_nobody_has_documented_it(qtbot: QtBot) -> None:
    shell = Shell(Theming("dark"))
    detail = OperatorDetail(QueryCache(shell, "operator"), "#1", "mine:Twice", 1)  # type: ignore[arg-type]
    qtbot.addWidget(detail)
    detail.show()
    detail.unfold()
    assert shell.jobs[0].options["operator"] == "mine:Twice"
    detail.show_answer(OperatorDoc("Twice", "mine", 0, ""))
    assert "No documentation for this operator." in texts(detail)
