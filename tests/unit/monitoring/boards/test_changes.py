"""Changed boards as text: what is read again has the figures of the records."""

from __future__ import annotations

import random

import numpy as np
import pytest

from studio.monitoring.boards.changes import PIECE, pieces, read
from studio.monitoring.boards.fleet_state import FleetState
from studio.monitoring.boards.table import BoardTable, latency_percentiles, row_percentiles
from tests.unit.monitoring.boards.boards import SimulatedBoard, message, run, sent

NOW = 1_800_000_000.0


def fleet_of(count: int) -> FleetState:
    """Return boards with several runs each."""
    chance = random.Random(2)
    fleet = FleetState(clock=lambda: NOW)
    for number in range(count):
        board = SimulatedBoard(f"cam-{number}", chance)
        for _ in range(3):
            board.work(chance.randrange(9) + 3, chance.randrange(3))
            board.load()
            board.work(chance.randrange(9) + 3, chance.randrange(3))
        fleet.take([sent(board.beat())])
    return fleet


def test_read_boards_have_the_counts_of_the_records() -> None:
    fleet = fleet_of(5)
    for text in pieces(fleet, fleet.table.names):
        for found in read(text):
            record = fleet.record(found.name)
            last = record.last
            assert last is not None
            assert found.totals == record.totals
            assert found.latency(last.release) == record.latency(last.release)


def test_the_figures_of_a_table_are_the_same() -> None:
    fleet = fleet_of(30)
    fleet.take([sent(message("cam-3", labels={}, alerts=["drift"], series="1" * 16))])
    table = BoardTable()
    for text in pieces(fleet, fleet.table.names):
        for found in read(text):
            table.update(found)
    everything = np.ones(30, np.bool_)
    assert table.figures(everything, NOW) == fleet.table.figures(everything, NOW)


def test_many_boards_come_in_pieces() -> None:
    fleet = fleet_of(PIECE + 1)
    assert [len(read(text)) for text in pieces(fleet, fleet.table.names)] == [PIECE, 1]


@pytest.mark.parametrize("text", ["", "7", "[7]", "[[]]", '[["a",1]]', "{}}"])
def test_another_text_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(text)


def test_percentiles_of_rows_are_those_of_each() -> None:
    chance = np.random.default_rng(3)
    counts = chance.integers(0, 4, (20, 350)).astype(np.uint32)
    counts[0] = 0
    counts[1, 1:] = 0
    found = row_percentiles(counts, (0.5, 0.95))
    assert np.isnan(found[0]).all()
    for row in range(1, 20):
        if counts[row].any():
            wanted = latency_percentiles(counts[row].astype(np.int64))
            assert found[row] == pytest.approx([wanted["p50"], wanted["p95"]], abs=1e-4)


def test_worst_boards_are_first() -> None:
    fleet = FleetState(clock=lambda: NOW)
    for name, changes in {
        "a-good": {},
        "b-alert": {"alerts": ["slow"]},
        "c-alerts": {"alerts": ["slow", "drift"]},
        "d-loading": {"ready": False},
    }.items():
        fleet.take([sent(message(name, **changes, runs=[run("2" * 16, 1, 1)]))])
    fleet.take([sent(message("e-silent"), age_s=5000.0)])
    table = fleet.table
    names = np.argsort(np.argsort(table.names))
    rows = table.worst_first(np.ones(5, np.bool_), NOW, names)
    wanted = ["e-silent", "d-loading", "c-alerts", "b-alert", "a-good"]
    assert [table.names[row] for row in rows] == wanted
