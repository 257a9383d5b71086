"""Two widgets next to each other, or one below the other in a narrow page."""

from __future__ import annotations

from PySide6.QtWidgets import QBoxLayout, QLabel
from pytestqt.qtbot import QtBot

from studio.gui.widgets.basics import Scroll
from studio.gui.widgets.two_columns import TwoColumns


def is_narrow(columns: TwoColumns) -> bool:
    """Whether there is one column."""
    return columns._layout.direction() is QBoxLayout.Direction.TopToBottom


def test_a_narrow_page_has_one_column_and_cuts_nothing(qtbot: QtBot) -> None:
    left, right = QLabel("left"), QLabel("right")
    for each in (left, right):
        each.setMinimumWidth(480)
    both = TwoColumns(left, right, least=900)
    page = Scroll(margin=0)
    page.body.addWidget(both)
    qtbot.addWidget(page)
    page.resize(1100, 400)
    page.show()
    assert not is_narrow(both)
    assert left.geometry().top() == right.geometry().top()
    page.resize(600, 400)
    qtbot.waitUntil(lambda: is_narrow(both))
    qtbot.waitUntil(lambda: right.geometry().top() > left.geometry().bottom())
    assert both.width() <= 600
    page.resize(1100, 400)
    qtbot.waitUntil(lambda: not is_narrow(both))
