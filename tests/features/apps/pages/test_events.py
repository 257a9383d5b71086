"""The list of events: newest first, bounded, in words, and copied."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from studio.features.apps.pages.app import live
from studio.features.apps.pages.app.event_table import (
    MOST,
    EventModel,
    EventTable,
    cells,
    clock,
    details,
    facts_of,
)
from tests.features.apps.pages.sample_app import PARTS, event, progress, run, source


def numbers(model: EventModel) -> list[int]:
    return [int(model.event_at(row)["at_s"]) for row in range(model.rowCount())]


def test_the_newest_event_is_the_first_row(qtbot: QtBot) -> None:
    model = EventModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.add([event(1), event(2)])
    model.add([event(3)])
    assert numbers(model) == [3, 2, 1]
    assert model.index(0, 2).data() == "crossing cross"


@pytest.mark.parametrize("size", [1, 700, 2 * MOST])
def test_only_the_newest_events_are_kept(qtbot: QtBot, size: int) -> None:
    model = EventModel()
    model.show_events([event(number) for number in range(MOST)])
    model.add([event(MOST + number) for number in range(size)])
    assert model.rowCount() == MOST
    assert numbers(model)[0] == MOST + size - 1
    assert numbers(model)[-1] == size
    assert not model.rowCount(model.index(0, 0))
    assert model.rowCount(QModelIndex()) == MOST


def test_events_are_told_in_words() -> None:
    found = event(5, direction="in", speed=3.14159, counts={"in": 2}, tags=["a"])
    assert cells(found)[1:3] == ("gate", "crossing cross")
    assert details(found) == 'direction in, speed 3.142, counts (in 2), tags ["a"]'
    assert details(event(1, counts={})) == "counts none"
    assert cells({"kind": "source-lost", "source": "gate", "step": "gate"})[2] == "source-lost"


def test_a_moment_has_tenths_and_rounds_up_whole() -> None:
    assert clock(1_700_000_000.96)[-4:] == "21.0"
    assert clock(None) == "—"


def test_an_event_with_facts_of_other_types_keeps_its_kind() -> None:
    assert facts_of({"kind": "fall", "time": "noon"}).kind == "fall"


def test_rows_are_copied_with_their_heads(qtbot: QtBot) -> None:
    table = EventTable()
    qtbot.addWidget(table)
    table.rows.show_events([event(1), event(2), event(3)])
    table.show()
    table.selectRow(1)
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0] == "Time\tSource\tEvent\tDetails"
    assert [line.split("\t")[3] for line in lines[1:]] == ["direction in, track 2"]
    table.clearSelection()
    assert table.copy_rows() == 3


def test_rates_are_of_the_latest_seconds() -> None:
    rates = live.Rates()
    assert rates.add(0.0, {"a": live.StageTime(0)}) == {}
    for second in range(1, 5):
        rates.add(float(second), {"a": live.StageTime(10 * second)})
    assert rates.add(6.0, {"a": live.StageTime(100)}) == {"a": 18.0}


def test_boxes_show_rate_time_and_state() -> None:
    gate, people, *_others, log = PARTS
    found = live.live_figures(progress(), live.Rates(), 0.0)
    assert live.box_lines(gate, found) == ("Running 25.0/s", "good")
    assert live.box_lines(people, found)[0].startswith("12.0 / 24.0 ms")
    assert live.box_lines(log, found) == ("No delivery here", "dim")
    assert live.box_lines(gate, None) == ("", "")
    lost = progress(sources={"gate": source("lost", reason="no frame for 4 s", dropped=7)})
    found = live.live_figures(lost, live.Rates(), 0.0)
    assert live.box_lines(gate, found) == ("Lost: no frame for 4 s, 7 dropped", "bad")
    assert live.lost_reasons(found) == ["gate: no frame for 4 s."]


def test_a_source_that_ran_until_the_end_has_stopped() -> None:
    found = live.final_figures(run(sources={"gate": source("running")}))
    assert live.box_lines(PARTS[0], found) == ("Stopped 25.0/s", "")
    assert live.note(found) == "25.0 frames/s, end to end 15.0 ms p50, 0 events"


def test_stages_stand_in_the_order_in_which_they_run() -> None:
    found = live.final_figures(run())
    order = ("people", "tracks", "cross", "yard")
    assert [row[0] for row in live.stage_rows(found, order)] == list(order)
