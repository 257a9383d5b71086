"""Tables and scrolling columns: what is cut is told, and no room is scrolled over."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from studio.gui.widgets.basics import FieldList, Pill, Scroll, label
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
    assert table.columnWidth(1) > 2 * table.columnWidth(2), "the long one has what is left"
    table.show_rows([["roof", "usb:", "board"], ["gate", "local:", "local"]])
    QApplication.processEvents()
    assert abs(table.columnWidth(1) - table.columnWidth(2)) <= 1, "short ones have equal parts"
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


def test_rows_that_are_the_same_keep_their_cells(qtbot: QtBot) -> None:
    table = Table(("Name", "State"))
    qtbot.addWidget(table)
    table.show_rows([["roof", Pill("reachable", "good")], ["gate", Pill("not probed")]])
    item, holder = table.item(0, 0), table.cellWidget(0, 1)
    table.show_rows([["roof", Pill("reachable", "good")], ["gate", Pill("not probed")]])
    assert table.item(0, 0) is item
    assert table.cellWidget(0, 1) is holder


def test_rows_of_which_anything_differs_are_replaced(qtbot: QtBot) -> None:
    table = Table(("Name", "State"))
    qtbot.addWidget(table)

    def shown() -> list[tuple[str, str, object]]:
        pills = [table.cellWidget(y, 1).findChild(Pill) for y in range(table.rowCount())]
        names = [table.item(y, 0).text() for y in range(table.rowCount())]
        return [
            (name, pill.text(), pill.property("tone"))
            for name, pill in zip(names, pills, strict=True)
        ]

    for rows in (
        [("roof", "reachable", "good")],
        [("gate", "reachable", "good")],
        [("gate", "unreachable", "good")],
        [("gate", "unreachable", "bad")],
        [("gate", "unreachable", "bad"), ("roof", "reachable", "good")],
        [("roof", "reachable", "good")],
        [],
    ):
        table.show_rows([[name, Pill(word, tone)] for name, word, tone in rows])
        assert shown() == rows


def test_other_widgets_than_pills_are_always_replaced(qtbot: QtBot) -> None:
    table = Table(("Name", "Note"))
    qtbot.addWidget(table)
    for text in ("first", "second"):
        note = label(text)
        table.show_rows([["roof", note]])
        assert table.cellWidget(0, 1).isAncestorOf(note)


def test_the_same_fields_keep_their_labels_and_others_replace_them(qtbot: QtBot) -> None:
    fields = FieldList([("Memory", "8 GB"), ("Disk", "full", "bad")])
    qtbot.addWidget(fields)

    def texts() -> list[str]:
        return [one.text() for one in fields.findChildren(QLabel) if not one.isHidden()]

    before = fields.findChildren(QLabel)
    fields.show_fields([("Memory", "8 GB"), ("Disk", "full", "bad")])
    assert fields.findChildren(QLabel) == before
    fields.show_fields([("Memory", "8 GB"), ("Disk", "full")])
    assert texts() == ["Memory", "8 GB", "Disk", "full"]
    assert all(one.property("tone") is None for one in fields.findChildren(QLabel)[-4:])
    fields.show_fields([("Memory", "4 GB")])
    assert texts() == ["Memory", "4 GB"]
