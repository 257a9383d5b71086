"""The fleet page: rows, filter, selection, versions, inbox."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from studio.gui.pages.monitor.fleet_rows import HEAD, ROW
from studio.gui.pages.monitor.fleet_view import FleetView, version_markers
from studio.gui.theme import Theming
from studio.monitoring.results import Alert, FleetSample
from studio.workspace.inbox import Inbox
from studio.workspace.sample_ring import SamplePoint
from tests.benchmarks.fleet_data import SimulatedFleet


@pytest.fixture
def view(qtbot: QtBot) -> FleetView:
    made = FleetView(Theming("light"), Inbox())
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    return made


def test_samples_become_rows_and_the_worst_is_chosen(view: FleetView) -> None:
    fleet = SimulatedFleet(500)
    for _ in range(50):
        view.ingest(fleet.look())
    view.show_now()
    assert view.shown.text() == "500 of 500 endpoints"
    first = view.fleet.shown()[0]
    assert view.rows.current == first.name
    assert first.text
    assert first.name in view.title.text()
    view.filter.setText("berlin v3")
    assert view.shown.text() != "500 of 500 endpoints"


def test_nothing_is_counted_before_the_first_answer(view: FleetView) -> None:
    assert not any(pill.isVisible() for pill in view.counts.values())
    samples = SimulatedFleet(2).look()
    view.ingest(samples, busy={samples[0].target})
    view.show_now()
    assert view.shown.text() == "2 of 2 endpoints", "one is in a deployment"
    assert all(pill.isVisible() for pill in view.counts.values())


def test_versions_are_marked(view: FleetView) -> None:
    fleet = SimulatedFleet(5)
    for _ in range(100):
        view.ingest(fleet.look())
    view.show_now()
    (marker,) = view.p99.markers
    assert marker.text == "v3 → v4"
    assert view.throughput.markers == [marker]


def test_rows_are_walked_by_keys(view: FleetView, qtbot: QtBot) -> None:
    view.ingest(SimulatedFleet(60).look())
    view.show_now()
    names = [row.name for row in view.fleet.shown()]
    for _ in range(30):
        qtbot.keyClick(view.rows, Qt.Key.Key_Down)
    assert view.rows.current == names[30]
    bar = view.rows.verticalScrollBar()
    assert bar.value() > 0


def test_an_alert_is_acknowledged_and_silenced(view: FleetView) -> None:
    alert = Alert("drift", "warning", "It differs.")
    view.ingest([FleetSample("roof", health="healthy", alerts=(alert,))])
    view.show_now()
    assert [entry.target for entry in view.inbox.waiting()] == ["roof"]
    view.alerts.acknowledge.click()
    assert view.inbox.waiting() == []
    assert view.alerts.acknowledge.toolTip() == "This alert is already acknowledged."
    view.alerts.silence.click()
    assert view.alerts.silence.text() == "Remove silence"


@pytest.mark.slow
def test_one_round_of_five_hundred_endpoints_takes_less_than_a_frame_of_patience(
    view: FleetView,
) -> None:
    fleet = SimulatedFleet(500)
    for _ in range(120):
        view.ingest(fleet.look())
    view.show_now()
    least = 1e9
    for _ in range(5):
        samples = fleet.look()
        begin = time.thread_time()
        view.ingest(samples)
        view.show_now()
        view.rows.grab()
        least = min(least, time.thread_time() - begin)
    assert least < 0.05


def test_the_chosen_endpoint_says_all_that_is_wrong(view: FleetView) -> None:
    alerts = (
        Alert("drift", "warning", "image.brightness differs in 2 of 3 windows."),
        Alert("latency", "warning", "The p99 latency is 9 ms."),
    )
    view.ingest([FleetSample("roof", health="healthy", alerts=alerts)])
    view.show_now()
    (found,) = view.fleet.shown()
    assert found.text == "image.brightness differs in 2 of 3 windows. (and latency)"
    assert view.why.text() == "\n".join(one.text for one in alerts)


def test_a_change_of_version_is_marked_at_its_time() -> None:
    def at(time: float, version: str) -> SamplePoint:
        return SamplePoint("good", 1.0, 1.0, version, time)

    found = version_markers([at(1e9, "1"), at(1e9 + 5, "1"), at(1e9 + 10, "2"), at(1e9 + 15, "")])
    assert [(one.at, one.text) for one in found] == [(1e9 + 10, "v1 → v2")]
    assert version_markers([]) == []


def test_enter_and_a_double_click_open_the_endpoint(view: FleetView, qtbot: QtBot) -> None:
    view.ingest(SimulatedFleet(3).look())
    view.show_now()
    with qtbot.wait_signal(view.opened) as opened:
        qtbot.keyClick(view.rows, Qt.Key.Key_Return)
    assert opened.args == [view.rows.current]
    place = QPoint(200, HEAD + ROW + 5)
    with qtbot.wait_signal(view.opened) as opened:
        qtbot.mouseDClick(view.rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened.args == [view.fleet.shown()[1].name]


def test_an_endpoint_whose_release_is_changed_is_deploying(view: FleetView) -> None:
    view.ingest([FleetSample("roof", health="unreachable"), FleetSample("hall", health="healthy")],
                {"roof"})  # fmt: skip
    view.show_now()
    assert {row.name: row.health for row in view.fleet.shown()} == {
        "roof": "deploying",
        "hall": "healthy",
    }
