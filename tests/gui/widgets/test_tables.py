"""Tables and scrolling columns: what is cut is told, and no room is scrolled over."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.widgets.basics import Scroll, label
from studio.gui.widgets.tables import LEAST_STRETCHED, Table

LONG = "ssh://edge@roof-camera-north-07.example.org:2222"


def test_the_whole_text_of_a_cut_cell_is_told_and_no_other(qtbot: QtBot) -> None:
    table = Table(("Name", "Address", "Kind"), stretch=(1, 2))
    qtbot.addWidget(table)
    table.show_rows([["roof", LONG, "board"], ["gate", "local:", "local"]])
    table.resize(360, 200)
    table.show()
    QApplication.processEvents()
    told = {
        (y, x): table.cut_text(table.visualItemRect(table.item(y, x)).center())
        for y in range(2)
        for x in range(3)
    }
    assert {place: text for place, text in told.items() if text} == {(0, 1): LONG}
    assert abs(table.columnWidth(1) - table.columnWidth(2)) <= 1, "two share the room"
    table.resize(900, 200)
    QApplication.processEvents()
    assert table.cut_text(table.visualItemRect(table.item(0, 1)).center()) == ""


def test_a_column_that_stretches_keeps_what_its_texts_need(qtbot: QtBot) -> None:
    table = Table(("Name", "Address", "Kind", "Note"), stretch=(1, 2))
    qtbot.addWidget(table)
    table.show_rows([["roof", LONG, "board", "a note of some length, which takes its room"]])
    table.resize(300, 200)
    table.show()
    QApplication.processEvents()
    assert table.columnWidth(1) == LEAST_STRETCHED
    assert table.cut_text(table.visualItemRect(table.item(0, 2)).center()) == ""
    assert table.horizontalScrollBar().maximum() > 0
    table.resize(1400, 200)
    QApplication.processEvents()
    assert table.horizontalScrollBar().maximum() == 0
    assert table.cut_text(table.visualItemRect(table.item(0, 1)).center()) == ""


def test_a_column_is_as_high_as_its_texts_are_at_its_own_width(qtbot: QtBot) -> None:
    scroll = Scroll()
    qtbot.addWidget(scroll)
    for _ in range(6):
        scroll.body.addWidget(label("A sentence of some length. " * 6, wrap=True))
    scroll.body.addStretch(1)
    scroll.show()
    bar = scroll.verticalScrollBar()
    for width, height, scrolls in ((1200, 300, False), (1200, 100, True), (260, 300, True)):
        scroll.resize(width, height)
        QApplication.processEvents()
        assert (bar.maximum() > 0) == scrolls, (width, height)
    scroll.resize(260, 300)
    QApplication.processEvents()
    last = scroll.body.itemAt(5).widget()
    assert last.geometry().bottom() <= scroll.widget().height(), "nothing is cut either"
    assert last.height() >= last.heightForWidth(last.width())
