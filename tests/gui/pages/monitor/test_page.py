"""The Monitor page: live figures of what a target serves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages.monitor.page import MonitorPage
from studio.gui.widgets.basics import Pill
from studio.jobs import End
from studio.workspace import JobOutcome
from tests.gui.page_rig import Rig, opened, visible_texts

SAMPLE: dict[str, Any] = {
    "target": "local",
    "at": "2026-11-18T14:02:00+00:00",
    "health": "healthy",
    "throughput": 31.04,
    "latency_ms": {"p50": 11.94, "p90": 12.8, "p99": 18.1, "count": 400},
    "errors": 2,
    "memory_mb": 118.2,
    "alerts": [],
}
ALERT = {"name": "errors", "level": "critical", "text": "2 of 31 requests failed."}


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def served(rig: Rig) -> None:
    details = {"version": 12, "variant_name": "int8", "endpoint": "http://127.0.0.1:8477"}
    rig.registry.add_release("local", None, "ab" * 32, "serving", details)


def test_nothing_deployed_leads_to_the_deploy_page(rig: Rig) -> None:
    page = rig.page(MonitorPage)
    assert "No deployments yet" in visible_texts(page)
    assert page.primary is not None
    assert not page.primary.isEnabled()
    page._pane.currentWidget().button.click()
    assert rig.shell.went == ["deploy"]


def test_start_shows_samples_and_stop_cancels(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    assert page.primary is not None
    assert "v12 int8 at http://127.0.0.1:8477" in visible_texts(page)
    page.primary.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options["target"]) == ("monitor", "local")
    assert job.options["seconds"] >= 24 * 3600
    assert page.primary.text() == "Stop"
    rig.message(page, "sample", **SAMPLE)
    assert page.health.text() == "healthy"
    shown = {name: figure.value.text() for name, figure in page.figures.items()}
    assert shown == {
        "throughput": "31.0",
        "p50": "11.9",
        "p90": "12.8",
        "p99": "18.1",
        "errors": "2",
        "memory": "118 MB",
    }
    assert page.latency.accessibleDescription() == "p50 11.9 ms, p90 12.8 ms, p99 18.1 ms"
    page.primary.click()
    assert job.cancelled
    rig.finish(page, JobOutcome(End.CANCELLED))
    assert page.primary.text() == "Start"
    assert page.health.text() == "not monitored"


def test_alert_is_a_word_and_stays_as_over(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    page.toggle()
    assert "No alerts." in visible_texts(page)
    rig.message(page, "sample", **{**SAMPLE, "health": "degraded", "alerts": [ALERT]})
    (row,) = page.alerts.rows
    assert (row.state, row.tone, row.text) == ("critical", "bad", "2 of 31 requests failed.")
    assert page.health.text() == "degraded"
    rig.message(page, "sample", **SAMPLE)
    (row,) = page.alerts.rows
    assert (row.state, row.tone) == ("over", "")
    assert "Last seen 18 Nov" in row.text


def test_unreachable_target_leaves_gaps(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    page.toggle()
    nothing = {"p50": None, "p90": None, "p99": None}
    lost = {**SAMPLE, "health": "unreachable", "latency_ms": nothing, "memory_mb": None}
    rig.message(page, "sample", **lost)
    assert page.health.text() == "unreachable"
    assert page.figures["p50"].value.text() == "—"
    assert page.latency.accessibleDescription() == "p50 — ms, p90 — ms, p99 — ms"


def test_other_target_stops_the_view(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    page.toggle()
    rig.message(page, "sample", **SAMPLE)
    page.choice.currentIndexChanged.emit(0)
    assert rig.shell.jobs[0].cancelled
    assert page.figures["p50"].value.text() == "—"


def signal(name: str, *, drifts: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "statistic": 61.5 if drifts else 8.0,
        "limit": 30.4,
        "edges": [0.2, 0.5],
        "reference": [30, 40, 30],
        "recent": [90, 6, 0] if drifts else [30, 36, 30],
        "drifts": drifts,
    }


def test_drift_shows_the_signals_that_differ_first_with_their_histograms(
    rig: Rig, qtbot: QtBot
) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    card = page.drift
    assert not card.hint.isHidden()
    assert page.primary is not None
    page.primary.click()
    signals = [signal("image.contrast"), signal("image.brightness", drifts=True)]
    rig.message(page, "sample", **{**SAMPLE, "drift": signals})
    assert card.hint.isHidden()
    qtbot.wait_until(lambda: card.chart.image() is not None, timeout=20_000)
    cells = [card.table.item(row, 0) for row in range(card.table.rowCount())]
    assert [cell.text() for cell in cells if cell] == ["image.brightness", "image.contrast"]
    assert card.chart.accessibleDescription() == (
        "image.brightness, up to 0.2: 94% now, 30% in the reference data."
    )
    card.table.setCurrentCell(1, 0)
    assert card.chart.accessibleDescription().startswith("image.contrast, ")
    rig.message(page, "sample", **{**SAMPLE, "drift": signals})
    assert card.table.currentRow() == 1, "the next sample keeps the choice"
    rig.message(page, "sample", **SAMPLE)
    assert not card.hint.isHidden()
    qtbot.wait_until(
        lambda: "chart" not in {one.name for one in threading.enumerate()}, timeout=20_000
    )


def test_drift_explains_itself_beside_a_figure_below_its_limit(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    page.toggle()
    why = "It differs from the reference data in 2 of the last 3 windows, though not in the last."
    below = {**signal("image.brightness", drifts=True), "statistic": 8.0, "beyond": 2, "why": why}
    once = {**signal("image.contrast"), "beyond": 1, "why": "1 of the last 3 windows was."}
    state = {"last": [True, True, False], "why": "image.brightness differs. The alarm ends."}
    rig.message(page, "sample", **{**SAMPLE, "drift": [once, below], "drift_state": state})
    card = page.drift
    assert card.why.text() == state["why"]
    assert card.why_this.text() == f"image.brightness: {why}"
    beyond = [card.table.item(place, 2) for place in range(2)]
    assert [item.text() for item in beyond if item] == ["2 of 3", "1 of 3"]
    pills = [pill.text() for pill in card.table.findChildren(Pill)]
    assert pills == ["drifts", "once"]
    item = card.table.item(0, 1)
    assert item is not None
    assert item.toolTip() == why


def test_a_server_that_nobody_asks_has_no_latency(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    page.toggle()
    quiet = {"p50": 0.0, "p90": 0.0, "p99": 0.0, "count": 0}
    rig.message(page, "sample", **{**SAMPLE, "throughput": 0.0, "latency_ms": quiet})
    shown = {name: figure.value.text() for name, figure in page.figures.items()}
    assert (shown["p50"], shown["p99"], shown["throughput"]) == ("—", "—", "0")
    assert visible_texts(page.figures["p50"]).split() == ["p50", "—"], "and no unit behind it"
    assert page.latency.accessibleDescription() == "p50 — ms, p90 — ms, p99 — ms"
    rig.message(page, "sample", **SAMPLE)
    assert "ms" in visible_texts(page.figures["p50"]).split()


def test_charts_stand_side_by_side_and_leave_room_for_what_is_wrong(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    page.toggle()
    rig.message(page, "sample", **{**SAMPLE, "alerts": [ALERT]})
    assert "2 of 31 requests failed." in visible_texts(page)
    tops, heights = set(), set()
    for chart in (page.latency, page.throughput, page.memory):
        tops.add(chart.mapTo(page, chart.rect().topLeft()).y())
        heights.add(chart.height())
    assert len(tops) == len(heights) == 1
    bottom = page.alerts.mapTo(page, page.alerts.rect().bottomLeft()).y()
    assert bottom < page.height(), "at 1280 x 800 without scrolling"
