"""The Monitor page: live figures of what a target serves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.gui.pages.monitor.page import ALERTS_VIEW, ENDPOINT_VIEW, FLEET_VIEW, MonitorPage
from studio.gui.pages.try_it.page import TryItPage
from studio.gui.widgets.basics import ElidedLabel, Pill
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
    assert not page.primary.isVisible(), "there is one button, and it leads to Deploy"
    assert not page.back.isVisible()
    page._pane.currentWidget().button.click()
    assert rig.shell.went == ["deploy"]
    assert rig.shell.jobs == [], "there is nothing to poll"


def test_polling_begins_with_the_page_and_ends_when_it_is_hidden(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    (job,) = rig.shell.jobs
    assert (job.step, job.options["target"]) == ("monitor-live", "local")
    assert "Start" not in visible_texts(page).splitlines(), "nothing has to be started"
    page.hide()
    assert job.cancelled
    rig.finish(page, JobOutcome(End.CANCELLED))
    page.show()
    assert [one.step for one in rig.shell.jobs] == ["monitor-live", "monitor-live"]
    assert not rig.shell.jobs[-1].cancelled


def test_each_view_polls_what_it_shows_and_nothing_else(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    page.show_view(FLEET_VIEW)
    page.show_view(ALERTS_VIEW)
    page.show_view(ENDPOINT_VIEW)
    steps = [(job.step, job.cancelled) for job in rig.shell.jobs]
    assert steps == [("monitor-live", True), ("monitor-fleet", True), ("monitor-live", False)]


def test_a_sample_fills_the_figures_and_the_charts(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    assert page.pill.text() == "not checked"
    assert page.version.full_text().startswith("v12 int8, live since ")
    rig.message(page, "sample", **SAMPLE)
    assert page.pill.text() == "healthy"
    shown = {
        name: f"{figure.value.text()} {figure.unit.text()}".strip()
        for name, figure in page.view.strip.figures.items()
    }
    assert shown == {
        "requests": "31.0 /s",
        "p50": "11.9 ms",
        "p99": "18.1 ms",
        "errors": "2",
        "accuracy": "—",
        "drift": "—",
    }
    assert page.view.charts.latency.accessibleDescription() == (
        "p50 11.9 ms, p90 12.8 ms, p99 18.1 ms"
    )


def test_errors_are_a_share_of_the_requests_between_two_samples(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    for errors, requests in ((2, 100), (5, 200), (5, 200), (0, 10)):
        at = f"2026-11-18T14:02:{requests % 60:02d}+00:00"
        rig.message(page, "sample", **{**SAMPLE, "errors": errors, "requests": requests, "at": at})
    data = page.view.charts.errors.data
    values = sorted((value for _, (value,) in data.rows()), key=str)
    assert values == [0.0, 3.0, None, None], "nothing before the first, and after a restart"


def test_labels_and_the_estimate_have_their_interval(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    figure = page.view.strip.figures["accuracy"]
    estimate = {"accuracy": 0.941, "low": 0.93, "high": 0.952, "reference": 0.945}
    rig.message(page, "sample", **{**SAMPLE, "drift_state": {"estimate": estimate}})
    assert (figure.value.text(), figure.unit.text()) == ("94.1", "% ±1.1 est.")
    labels = {"matched": 450, "accuracy": 0.98, "low": 0.962, "high": 0.99}
    rig.message(page, "sample", **{**SAMPLE, "labels": labels})
    assert (figure.value.text(), figure.unit.text()) == ("98.0", "% ±1.4")


def test_one_state_is_the_same_in_the_header_the_card_and_the_workspace(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    low = {"estimate": {"accuracy": 0.81, "low": 0.79, "high": 0.84, "reference": 0.95}}
    drift = {"name": "drift", "level": "warning", "text": "image.brightness differs."}
    for sample, word, title in (
        ({"health": "healthy"}, "healthy", "Endpoint healthy"),
        ({"alerts": [drift]}, "drift", "Drift"),
        ({"alerts": [drift], "drift_state": low}, "low accuracy", "Low accuracy"),
        ({"health": "degraded", "alerts": [ALERT, drift]}, "degraded", "Endpoint degraded"),
        ({"health": "unreachable", "alerts": [drift]}, "unreachable", "Endpoint unreachable"),
    ):
        rig.message(page, "sample", **{**SAMPLE, **sample})
        assert page.pill.text() == word
        assert page.view.status.title.text() == title
        assert rig.workspace.endpoints.of("local").word == word
        assert page.pill.property("tone") == rig.workspace.endpoints.of("local").tone


def test_an_alert_is_listed_and_stays_as_resolved(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    slow = {"name": "latency", "level": "warning", "text": "The p99 latency is 90 ms."}
    rig.message(page, "sample", **{**SAMPLE, "health": "degraded", "alerts": [slow, ALERT]})
    assert page.view.status.sentence.text() == "2 of 31 requests failed.", "the worst is named"
    (line,) = page.view.status.lines
    assert (line.state, line.tone, line.text) == ("warning", "warning", slow["text"])
    assert [marker.text for marker in page.view.charts.latency.markers][-2:] == [
        "latency", "errors"
    ]  # fmt: skip
    rig.message(page, "sample", **SAMPLE)
    assert page.view.status.sentence.text() == "No alerts."
    states = {line.name: (line.state, line.tone) for line in page.view.status.lines}
    assert states == {"Errors": ("resolved", ""), "Latency": ("resolved", "")}
    assert "Last seen 18 Nov" in page.view.status.lines[0].text


def test_the_last_figures_of_an_unreachable_endpoint_stay_greyed(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    rig.message(page, "sample", **SAMPLE)
    height = page.view.status.height()
    nothing = {"p50": None, "p90": None, "p99": None}
    alert = {"name": "unreachable", "level": "critical", "text": "No reply within 10 s."}
    lost = {**SAMPLE, "health": "unreachable", "latency_ms": nothing, "alerts": [alert],
            "throughput": 0.0, "at": "2026-11-18T14:03:00+00:00"}  # fmt: skip
    rig.message(page, "sample", **lost)
    figure = page.view.strip.figures["p50"]
    assert figure.value.text() == "11.9"
    assert figure.value.property("old")
    assert page.view.status.sentence.text() == "No reply within 10 s."
    assert "The figures below are of 18 Nov" in page.view.status.advice.text()
    assert page.view.status.again.isVisible()
    assert not page.view.status.start.isVisible()
    assert page.view.charts.latency.accessibleDescription() == "p50 — ms, p90 — ms, p99 — ms"
    assert page.view.status.height() == height, "nothing moves"
    rig.message(page, "sample", **SAMPLE)
    assert not figure.value.property("old")


def test_a_stopped_server_is_started_with_one_click(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    text = "The server on this target was stopped."
    alert = {"name": "unreachable", "level": "critical", "text": text}
    rig.message(page, "sample", **{**SAMPLE, "health": "unreachable", "alerts": [alert]})
    page.view.status.start.click()
    assert (rig.shell.jobs[-1].step, rig.shell.jobs[-1].options) == ("start", {"target": "local"})


def test_a_watch_that_failed_says_why_and_is_tried_again(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    rig.finish(page, JobOutcome(End.FAILED, message="The worker ended.", hint="See the log."))
    texts = visible_texts(page.view.status)
    assert "Polling ended" in texts
    assert "The worker ended." in texts
    page.view.status.again.click()
    assert [job.step for job in rig.shell.jobs] == ["monitor-live", "monitor-live"]


def test_another_target_is_polled_instead_and_nothing_of_the_first_stays(rig: Rig) -> None:
    served(rig)
    rig.workspace.add_target(TargetSpec("roof", "ssh://me@roof"))
    details = {"version": 3, "variant_name": "fp32", "endpoint": "http://roof:8477"}
    rig.registry.add_release("roof", None, "ef" * 32, "serving", details)
    page = rig.page(MonitorPage)
    page.refresh()
    rig.message(page, "sample", **SAMPLE)
    rig.message(page, "log", lines=['{"event": "stopped", "at": "2026-11-18T14:02:00Z"}'])
    page.choice.choose("roof")
    assert rig.shell.jobs[0].cancelled
    assert rig.shell.jobs[-1].options["target"] == "roof"
    assert page.view.strip.figures["p50"].value.text() == "—"
    assert page.view.log.model.entries == []
    assert page.pill.text() == "not checked"
    assert page.view.address.url.full_text() == "http://roof:8477"


def test_try_it_shows_the_endpoint_that_was_watched(rig: Rig) -> None:
    served(rig)
    rig.workspace.add_target(TargetSpec("roof", "ssh://me@roof"))
    rig.registry.add_release("roof", None, "ef" * 32, "serving", {"version": 3})
    page, other = rig.page(MonitorPage), rig.page(TryItPage)
    page.choice.choose("roof")
    assert page.primary is not None
    page.primary.click()
    assert rig.shell.went == ["try"]
    other.hide()
    other.show()
    assert other.choice.target is not None
    assert other.choice.target.name == "roof"


def test_the_example_calls_can_be_copied(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    card = page.view.address
    assert card.url.full_text() == "http://127.0.0.1:8477"
    assert not card.copy_code.isEnabled()
    infer = "http://127.0.0.1:8477/v2/models/digits/infer"
    programs = {"curl": "curl x", "python": "import json", "javascript": "const x = 1;"}
    rig.message(
        page, "calls", endpoint="http://127.0.0.1:8477", model="digits", infer=infer,
        programs=programs,
    )  # fmt: skip
    clipboard = QGuiApplication.clipboard()
    card.copy_url.click()
    assert clipboard.text() == infer
    for place, code in enumerate(programs.values()):
        card.languages.set_index(place)
        assert card.code.toPlainText() == code
        card.copy_code.click()
        assert clipboard.text() == code


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
    quiet = {"p50": 0.0, "p90": 0.0, "p99": 0.0, "count": 0}
    rig.message(page, "sample", **{**SAMPLE, "throughput": 0.0, "latency_ms": quiet})
    figures = page.view.strip.figures
    shown = {name: figures[name].value.text() for name in ("p50", "p99", "requests")}
    assert shown == {"p50": "—", "p99": "—", "requests": "0"}
    assert figures["p50"].unit.text() == "", "and no unit behind it"
    latency = page.view.charts.latency
    assert latency.accessibleDescription() == "p50 — ms, p90 — ms, p99 — ms"
    rig.message(page, "sample", **SAMPLE)
    assert figures["p50"].unit.text() == "ms"


def test_recorded_minutes_come_before_the_first_sample(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    rig.message(page, "sample", **SAMPLE)
    now = datetime.fromisoformat(SAMPLE["at"]).timestamp()
    points = [
        {"at": now - 60, "version": "12", "p50": 10.0, "p99": 20.0, "throughput": 30.0,
         "error_share": 0.01},
        {"at": now + 5, "version": "12", "p50": 1.0, "p99": 1.0},
    ]  # fmt: skip
    rig.message(page, "past", points=points)
    charts = page.view.charts
    assert [values for _, values in charts.latency.data.rows()] == [
        (10.0, None, 20.0),
        (11.94, 12.8, 18.1),
    ]
    assert [value for _, (value,) in charts.errors.data.rows()] == [1.0, None]


@pytest.mark.parametrize(("width", "height"), [(876, 500), (1196, 676), (2000, 1200)])
def test_nothing_is_cut_off(rig: Rig, width: int, height: int) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    page.resize(width, height)
    rig.message(page, "sample", **{**SAMPLE, "requests": 123_456, "alerts": [ALERT]})
    texts = visible_texts(page)
    assert "Roll back" in texts
    for kind in (QPushButton, QLabel):
        for widget in page.findChildren(kind):
            if not widget.isVisibleTo(page) or isinstance(widget, ElidedLabel) or not widget.text():
                continue
            if not isinstance(widget, QLabel) or not widget.wordWrap():
                assert widget.width() >= widget.minimumSizeHint().width(), widget.text()
            right = widget.mapTo(page, widget.rect().topRight()).x()
            assert right <= page.width(), widget.text()
    assert page.view.horizontalScrollBar().maximum() == 0


def test_nothing_moves_from_the_first_paint_to_the_last_sample(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    visible_texts(page)
    view = page.view
    parts = (view.address, view.status, view.strip, view.charts.latency_card, view.log,
             view.releases, view.quality)  # fmt: skip
    before = [part.mapTo(view, part.rect().topLeft()) for part in parts]
    rig.message(page, "sample", **{**SAMPLE, "alerts": [ALERT], "health": "degraded"})
    rig.message(page, "log", lines=["one", "two"])
    visible_texts(page)
    assert [part.mapTo(view, part.rect().topLeft()) for part in parts] == before
