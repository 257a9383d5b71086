"""Tables of many rows: how their columns share the width."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.widgets.sortable import SortableRow, SortableTable

TEXTS = ("changed", "Conv", "constant: float32 → int8; constant: float32 → int32", "")


@pytest.fixture
def table(qtbot: QtBot) -> SortableTable:
    made = SortableTable(("State", "Before", "Change", "Note"), (), (96, 200, 0, 60), "Changes")
    qtbot.addWidget(made)
    made.resize(480, 200)
    made.show()
    made.show_rows([SortableRow(1, TEXTS, TEXTS)])
    QApplication.processEvents()
    return made


def test_a_cut_text_gets_the_room_that_others_do_not_need(table: SortableTable) -> None:
    assert table.columnWidth(1) < 200
    assert table.columnWidth(1) >= table.sizeHintForColumn(1)
    table.resize(1400, 200)
    QApplication.processEvents()
    assert (table.columnWidth(0), table.columnWidth(1)) == (96, 200), "there is room for all"


def test_a_column_that_the_user_has_resized_stays(table: SortableTable) -> None:
    table.horizontalHeader().resizeSection(1, 150)
    table.resize(500, 200)
    QApplication.processEvents()
    assert table.columnWidth(1) == 150


def test_a_column_without_texts_is_hidden(table: SortableTable) -> None:
    table.hide_empty(3)
    assert table.isColumnHidden(3)
    table.show_rows([SortableRow(1, (*TEXTS[:3], "large"), TEXTS)])
    table.hide_empty(3)
    assert not table.isColumnHidden(3)


def test_no_heading_takes_the_room_of_the_texts(qtbot: QtBot) -> None:
    """The samples of a variant in a window of 960 pixels."""
    columns = ("Sample", "State", "Label", "Float", "Variant", "SQNR dB")
    table = SortableTable(columns, (5,), (0, 84, 60, 96, 96, 76), "Samples")
    qtbot.addWidget(table)
    table.resize(496, 200)
    table.show()
    texts = ("#66", "improved", "9", "1 100.0 %", "9 100.0 %", "41.3")
    table.show_rows([SortableRow(1, texts, texts)])
    QApplication.processEvents()
    assert table.horizontalHeader().length() <= table.viewport().width()
    assert all(table.columnWidth(one) >= table.sizeHintForColumn(one) for one in range(6))
