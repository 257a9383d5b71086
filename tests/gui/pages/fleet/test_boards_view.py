"""The view of the boards: its broker, what comes from it, filters, errors."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.documents.dataclass_json import to_json
from studio.gui.pages.fleet.boards_view import STEP
from studio.gui.pages.fleet.page import FleetPage
from studio.jobs import End, JobOutcome
from studio.monitoring.boards.changes import MESSAGE, pieces
from studio.monitoring.boards.fleet_state import FleetState
from studio.monitoring.boards.results import BoardsResult
from studio.monitoring.boards.table import BoardFilter
from tests.gui.page_rig import Rig, opened, visible_texts
from tests.unit.monitoring.boards.boards import message, sent

NOW = time.time()  # the view has the clock of this computer
SOURCE = "nats://127.0.0.1:4222"


@pytest.fixture
def rig(qtbot: QtBot, tmp_path: Path) -> Iterator[Rig]:
    with opened(tmp_path / "home", tmp_path) as found:
        yield found


@pytest.fixture
def page(rig: Rig) -> Iterator[FleetPage]:
    found = rig.page(FleetPage)
    yield found
    found.boards.close_feed()


def choose(page: FleetPage, **values: str) -> None:
    """Fill the form of the broker in, and connect."""
    page.boards.ask_broker()
    page.boards.broker.form.set_values({"source": SOURCE, **values})
    page.boards.broker.connect_now()


def fleet_of(count: int) -> FleetState:
    """Return boards at two sites, of which the first one alerts."""
    fleet = FleetState(clock=lambda: NOW)
    for number in range(count):
        labels = {"site": "south" if number % 3 else "north"}
        alerts = [] if number else ["drift"]
        fleet.take([sent(message(f"cam-{number}", labels=labels, alerts=alerts))])
    return fleet


def send(rig: Rig, page: FleetPage, fleet: FleetState, **changes: Any) -> None:
    """Let the worker send all boards, and its result."""
    for rows in pieces(fleet, fleet.table.names):
        rig.message(page, MESSAGE, rows=rows)
    table = fleet.table
    result = BoardsResult(
        **{
            "source": SOURCE,
            "known": len(table),
            "selected": table.figures(table.select(BoardFilter(), NOW), NOW),
            "groups": (),
            "boards": (),
            "messages": 3,
            "refused": dict(fleet.refused),
            "refused_boards": dict(fleet.refused_boards),
            "interruptions": 0,
            "caught_up": True,
            "seconds": 1.0,
            **changes,
        }
    )
    rig.message(page, "boards", **to_json(result))


def test_without_a_broker_there_is_one_sentence_and_one_button(page: FleetPage) -> None:
    assert page.boards.hint.isVisible()
    assert "publish their state" in page.boards.hint.text.text()
    page.boards.hint.button.click()
    assert page.boards.broker.isVisible()


def test_a_broker_is_asked_for_once(rig: Rig, page: FleetPage) -> None:
    choose(page)
    job = rig.shell.jobs[-1]
    assert job.step == STEP
    assert job.options["source"] == SOURCE
    assert job.options["changes"] is True
    again = rig.page(FleetPage)
    assert rig.shell.jobs[-1] is not job
    assert rig.shell.jobs[-1].options["source"] == SOURCE
    again.boards.close_feed()


def test_the_path_of_the_login_alone_is_stored(rig: Rig, page: FleetPage, tmp_path: Path) -> None:
    login = tmp_path / "login.json"
    login.write_text('{"user": "studio", "password": "very-secret"}')
    login.chmod(stat.S_IRUSR)
    choose(page, login=str(login))
    text = rig.workspace.paths.settings.read_text()
    assert str(login) in text
    assert "very-secret" not in text


@pytest.mark.parametrize("source", ["nats://studio:very-secret@host", "mqtt://token@host:1883"])
def test_an_address_with_a_password_is_refused(rig: Rig, page: FleetPage, source: str) -> None:
    choose(page, source=source)
    assert "login file" in page.boards.broker.fault.text()
    assert rig.shell.jobs == []
    path = rig.workspace.paths.settings
    assert not path.exists() or "secret" not in path.read_text()


def test_boards_are_shown_with_counts_and_the_last_arrival(
    rig: Rig, page: FleetPage, qtbot: QtBot
) -> None:
    choose(page)
    send(rig, page, fleet_of(7))
    qtbot.waitUntil(lambda: page.boards.boards.rowCount() == 7)
    assert page.boards.summary.full_text() == "7 boards: 1 alerting, 6 good"
    assert "Last arrival" in page.boards.arrival.text()
    assert page.boards.groups.rowCount() == 1


def test_refused_messages_have_reasons(rig: Rig, page: FleetPage) -> None:
    choose(page)
    fleet = fleet_of(1)
    fleet.take([sent(message("cam-1"), board="cam-2"), sent(message("cam-3", form=9))])
    send(rig, page, fleet)
    shown = page.boards.refused.full_text()
    assert "name of another board (1)" in shown
    assert "another form (1)" in shown
    assert "Boards: cam-2, cam-3." in shown
    assert page.boards.refused.isVisible()


def test_a_filter_line_filters(rig: Rig, page: FleetPage, qtbot: QtBot) -> None:
    choose(page)
    send(rig, page, fleet_of(7))
    page.boards.filter.setText("site=north")
    qtbot.waitUntil(lambda: page.boards.boards.rowCount() == 3)
    assert page.boards.summary.full_text().startswith("3 of 7 boards")
    page.boards.filter.setText("state:happy")
    qtbot.waitUntil(page.boards.wrong.isVisible)
    assert "A state is one of" in page.boards.wrong.text()
    assert page.boards.boards.rowCount() == 3


def test_a_click_on_a_group_filters_by_it(rig: Rig, page: FleetPage, qtbot: QtBot) -> None:
    choose(page)
    send(rig, page, fleet_of(7))
    qtbot.waitUntil(lambda: page.boards.by.findText("site") >= 0)
    page.boards.by.setCurrentText("site")
    qtbot.waitUntil(lambda: page.boards.groups.rowCount() == 2)
    table = page.boards.group_table
    place = table.visualRect(page.boards.groups.index(1, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert page.boards.filter.text() == "site=north"
    qtbot.waitUntil(lambda: page.boards.boards.rowCount() == 3)


def test_a_broker_that_is_away_is_one_sentence(rig: Rig, page: FleetPage) -> None:
    choose(page)
    sentence = "The broker 127.0.0.1:4222 cannot be reached."
    rig.finish(page, JobOutcome(End.FAILED, message=sentence))
    assert sentence in visible_texts(page)
    assert len(rig.shell.jobs) == 1
    page.boards.again.click()
    assert len(rig.shell.jobs) == 2
    assert sentence not in visible_texts(page)


def test_a_hidden_page_reads_nothing(rig: Rig, page: FleetPage) -> None:
    choose(page)
    page.hide()
    assert rig.shell.jobs[-1].cancelled
    page.show()
    assert len(rig.shell.jobs) == 2


def test_another_broker_forgets_the_boards_of_the_first(
    rig: Rig, page: FleetPage, qtbot: QtBot
) -> None:
    choose(page)
    send(rig, page, fleet_of(3))
    qtbot.waitUntil(lambda: page.boards.boards.rowCount() == 3)
    choose(page, source="mqtt://127.0.0.1:1883")
    assert page.boards.boards.rowCount() == 0
    assert rig.shell.jobs[0].cancelled
    assert rig.shell.jobs[-1].options["source"] == "mqtt://127.0.0.1:1883"
