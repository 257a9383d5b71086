"""The table of boards: what it shows, and what stays selected when other boards come."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import Qt as RichText
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from studio.gui.pages.fleet.boards_model import CELSIUS, MEMORY, BoardsModel, ago, share
from studio.gui.pages.fleet.boards_table import BoardsTable
from studio.gui.pages.fleet.groups_model import GroupsModel
from studio.gui.theme import Theming
from studio.monitoring.boards.changes import pieces
from studio.monitoring.boards.fleet_state import FleetState
from studio.workspace.boards.filter_line import read_filter
from studio.workspace.boards.view import BoardsSnapshot, SnapshotBuilder
from tests.unit.monitoring.boards.boards import message, run, sent

NOW = 1_800_000_000.0


class Boards:
    """Boards whose state a test changes."""

    def __init__(self) -> None:
        self._fleet = FleetState(clock=lambda: NOW)
        self._view = SnapshotBuilder()
        self._sequence = 0

    def put(self, name: str, age_s: float = 0.0, **changes: Any) -> None:
        """Let a board send its state."""
        self._sequence += 1
        self._fleet.take([sent(message(name, seq=self._sequence, **changes), age_s)])

    def look(self, line: str = "", group: str = "release") -> BoardsSnapshot:
        """Return a snapshot."""
        for text in pieces(self._fleet, self._fleet.table.take_changes()):
            self._view.put(self._view.take(text))
        return self._view.snapshot(read_filter(line), group, NOW)


@pytest.fixture
def boards() -> Boards:
    found = Boards()
    for name in ("cam-1", "cam-2", "cam-3", "cam-4"):
        found.put(name)
    return found


@pytest.fixture
def model(qtbot: QtBot) -> BoardsModel:
    found = BoardsModel(Theming("dark"))
    QAbstractItemModelTester(found, QAbstractItemModelTester.FailureReportingMode.Fatal, found)
    return found


def names(model: BoardsModel) -> list[str]:
    """Return the boards from top to bottom."""
    return [model.name_at(place) for place in range(model.rowCount())]


def texts(model: Any, place: int = 0) -> list[str]:
    """Return the cells of a row."""
    return [model.index(place, column).data() for column in range(model.columnCount())]


def test_a_board_is_a_row_of_figures(model: BoardsModel, boards: Boards) -> None:
    boards.put(
        "cam-0",
        5.0,
        alerts=["drift", "slow"],
        facts={"memory_mb": 120.0, "celsius": 61.0},
        runs=[run("2" * 16, 9, 2000, 10, [[150, 1990]])],
    )
    model.show_snapshot(boards.look())
    found = texts(model)
    assert found[:4] == ["alerting", "cam-0", "digits v1", "abababab"]
    assert found[4:6] == ["2\u2009000", "0.5 %"]
    assert [float(one) for one in found[6:8]] == pytest.approx([14.0, 14.7], abs=0.7)
    assert found[8:] == ["120", "61", "5 s", "drift, slow"]


def test_the_worst_board_is_on_top(model: BoardsModel, boards: Boards) -> None:
    boards.put("cam-3", alerts=["slow"])
    boards.put("cam-5", 9000.0)
    model.show_snapshot(boards.look())
    assert names(model) == ["cam-5", "cam-3", "cam-1", "cam-2", "cam-4"]


def test_boards_of_a_state_are_in_natural_order(model: BoardsModel, boards: Boards) -> None:
    boards.put("cam-10")
    model.show_snapshot(boards.look())
    boards.put("cam-02")
    model.show_snapshot(boards.look())
    assert names(model) == ["cam-1", "cam-02", "cam-2", "cam-3", "cam-4", "cam-10"]


def test_a_selected_board_stays_selected(qtbot: QtBot, model: BoardsModel, boards: Boards) -> None:
    table = BoardsTable(model, (0,) * model.columnCount(), ((), 0))
    qtbot.addWidget(table)
    table.show_snapshot(boards.look())
    table.selectRow(2)
    boards.put("cam-4", alerts=["slow"])
    boards.put("cam-0")
    table.show_snapshot(boards.look())
    assert names(model) == ["cam-4", "cam-0", "cam-1", "cam-2", "cam-3"]
    assert [one.row() for one in table.selectionModel().selectedRows()] == [4]
    table.show_snapshot(boards.look("cam-3"))
    assert names(model) == ["cam-3"]
    assert [one.row() for one in table.selectionModel().selectedRows()] == [0]
    table.show_snapshot(boards.look())
    assert [one.row() for one in table.selectionModel().selectedRows()] == [4]
    table.show_snapshot(boards.look("cam-1"))
    assert not table.selectionModel().selectedRows()


def test_newer_figures_of_the_same_boards_reset_nothing(
    qtbot: QtBot, model: BoardsModel, boards: Boards
) -> None:
    model.show_snapshot(boards.look())
    texts(model)
    boards.put("cam-1", runs=[run("2" * 16, 5, 77, 1)])
    with (
        qtbot.assertNotEmitted(model.modelReset),
        qtbot.assertNotEmitted(model.layoutChanged),
        qtbot.waitSignal(model.dataChanged),
    ):
        model.show_snapshot(boards.look())
    assert texts(model)[4] == "77"


def changes(model: Any) -> list[tuple[int, int, int, int]]:
    """Return the list that gets each changed part: its first row and column, and its last."""
    found: list[tuple[int, int, int, int]] = []
    model.dataChanged.connect(
        lambda a, b, _=(): found.append((a.row(), a.column(), b.row(), b.column()))
    )
    return found


def test_only_cells_with_another_text_are_painted_again(model: BoardsModel, boards: Boards) -> None:
    model.show_snapshot(boards.look())
    texts(model, 1)
    texts(model, 2)  # cam-3, which a view shows, and cam-4, which it does not
    found = changes(model)
    for name in ("cam-3", "cam-4"):
        boards.put(name, facts={"memory_mb": 99.0, "celsius": 50.0})
    model.show_snapshot(boards.look())
    assert found == [(2, column, 2, column) for column in (MEMORY, CELSIUS)]
    assert texts(model, 2)[8:10] == ["99", "50"]


def test_after_long_scrolls_all_cells_are_painted_again(model: BoardsModel, boards: Boards) -> None:
    for number in range(200):
        boards.put(f"cam-{number}")
    model.show_snapshot(boards.look())
    for row in range(200):
        texts(model, row)
    found = changes(model)
    model.show_snapshot(boards.look())
    assert found == [(0, 0, 199, 11)]
    model.show_snapshot(boards.look())
    assert len(found) == 1


def test_only_changed_figures_of_groups_are_painted_again(boards: Boards) -> None:
    groups = GroupsModel(Theming("dark"))
    before = boards.look(group="site")
    groups.show_groups(before.groups, before.group)
    texts(groups)
    found = changes(groups)
    boards.put("cam-1", alerts=["slow"])
    after = boards.look(group="site")
    groups.show_groups(after.groups, after.group)
    assert [column for _, column, _, _ in found] == [2, 3]


def test_texts_of_a_board_are_no_markup(model: BoardsModel, boards: Boards) -> None:
    boards.put("cam-1", labels={"site": "<b>north</b>"}, model="<img src=x>", alerts=["slow"])
    model.show_snapshot(boards.look())
    tip = model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole)
    assert "site=<b>north</b>" in tip
    assert not RichText.mightBeRichText(tip)


def test_groups_have_counts_and_percentiles(qtbot: QtBot, boards: Boards) -> None:
    boards.put("cam-1", alerts=["slow"], labels={"site": "south"})
    groups = GroupsModel(Theming("dark"))
    found = boards.look(group="site")
    groups.show_groups(found.groups, found.group)
    assert groups.headerData(0, Qt.Orientation.Horizontal) == "Site"
    assert texts(groups)[:8] == ["north", "3", "3", "0", "0", "0", "30", "10 %"]
    assert texts(groups, 1)[:4] == ["south", "1", "0", "1"]
    assert texts(groups)[9] == "100 / 100"
    assert texts(groups)[10] == "—"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (59, "59 s"), (119, "119 s"), (120, "2 min"), (7300, "2 h"), (9e5, "10 days")],
)
def test_an_age_has_one_unit(seconds: float, text: str) -> None:
    assert ago(seconds) == text


@pytest.mark.parametrize(
    ("part", "of", "text"), [(0, 0, "—"), (0, 5, "0 %"), (1, 3, "33 %"), (1, 10**6, "0.01 %")]
)
def test_a_share_of_requests(part: int, of: int, text: str) -> None:
    assert share(part, of) == text
