"""The thread of the boards: merged messages, filters, one snapshot a second at most."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from studio.monitoring.boards.changes import pieces
from studio.monitoring.boards.fleet_state import FleetState
from studio.workspace.boards.filter_line import read_filter
from studio.workspace.boards.snapshots import BoardsFeed
from studio.workspace.boards.view import BoardsSnapshot
from tests.rigs.patience import patience
from tests.unit.monitoring.boards.boards import message, run, sent

NOW = 1_800_000_000.0
Arrived = queue.SimpleQueue[BoardsSnapshot]


@pytest.fixture
def arrived() -> Arrived:
    return queue.SimpleQueue()


@pytest.fixture
def feed(arrived: Arrived) -> Iterator[BoardsFeed]:
    feed = BoardsFeed(arrived.put, lambda: NOW)
    yield feed
    feed.close()


def boards(count: int, **changes: object) -> FleetState:
    """Return boards at two sites."""
    fleet = FleetState(clock=lambda: NOW)
    for number in range(count):
        labels = {"site": "north" if number % 2 else "south"}
        fleet.take([sent(message(f"cam-{number}", labels=labels, **changes))])
    return fleet


def give(feed: BoardsFeed, fleet: FleetState) -> None:
    """Give all boards to the thread."""
    for text in pieces(fleet, fleet.table.names):
        feed.take({"rows": text})


def until(arrived: Arrived, known: int, selected: int) -> BoardsSnapshot:
    """Wait for a snapshot with some numbers of boards."""
    while True:
        found = arrived.get(timeout=patience(20.0))
        if (found.known, len(found.rows)) == (known, selected):
            return found


def test_boards_arrive_with_their_figures(feed: BoardsFeed, arrived: Arrived) -> None:
    give(feed, boards(6))
    found = until(arrived, 6, 6)
    assert found.selected.requests == 60
    assert found.heard == NOW
    assert list(found.label_names) == ["site"]
    assert found.texts[found.rows[0]].name == "cam-0"
    assert not set(found.columns["p50"]) & {0.0}


def test_a_filter_and_groups_apply(feed: BoardsFeed, arrived: Arrived) -> None:
    give(feed, boards(7))
    feed.ask(read_filter("site=north"), "site")
    found = until(arrived, 7, 3)
    assert [(one.group, one.boards) for one in found.groups] == [("north", 3)]


def test_a_later_message_changes_the_figures(feed: BoardsFeed, arrived: Arrived) -> None:
    give(feed, boards(2))
    until(arrived, 2, 2)
    give(feed, boards(2, alerts=["drift"], runs=[run("2" * 16, 2, 40)]))
    while until(arrived, 2, 2).selected.requests != 80:
        pass
    feed.ask(read_filter("alert:drift"), "state")
    assert until(arrived, 2, 2).groups[0].group == "alerting"


def test_a_message_that_cannot_be_read_is_passed_over(feed: BoardsFeed, arrived: Arrived) -> None:
    feed.take({"rows": "[[1]]"})
    feed.take({})
    give(feed, boards(1))
    assert until(arrived, 1, 1).known == 1
