"""Charts over time: axes, gaps, markers, hover, zoom and export."""

from __future__ import annotations

import csv
import time
from datetime import datetime
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.charts.chart import render
from studio.gui.charts.time_axis import MOST_GRID_LINES, clock_text, time_ticks
from studio.gui.charts.time_chart import TimeChart
from studio.gui.charts.time_data import KEPT, Marker, TimeData, TimeRange
from studio.gui.charts.time_drawing import Line, TimeDrawing, round_up
from studio.gui.theme import Theming, load

NOON = datetime(2026, 11, 18, 12, 0).timestamp()
LINES = (Line("accent", "p50"), Line("bad", "p99"))


@pytest.fixture
def chart(qtbot: QtBot) -> TimeChart:
    shared = TimeRange(600)
    shared.move(NOON)
    made = TimeChart(Theming("dark"), "Latency", LINES, "ms", shared)
    qtbot.addWidget(made)
    made.resize(600, 200)
    made.show()
    return made


def fill(chart: TimeChart, seconds: int = 600) -> None:
    for second in range(seconds + 1):
        chart.add(NOON - seconds + second, 2.0, 4.0)
    chart.grab()


@given(st.floats(1e8, 2e9), st.floats(1, 4e7), st.integers(1, MOST_GRID_LINES))
def test_ticks_are_within_the_range_and_never_too_many(low: float, span: float, count: int) -> None:
    ticks = time_ticks(low, low + span, count)
    assert len(ticks) <= count
    assert all(low - 1e-3 <= at <= low + span + 1e-3 for at, _ in ticks)
    assert [at for at, _ in ticks] == sorted({at for at, _ in ticks})


def test_ticks_are_round_times_of_the_clock() -> None:
    assert [text for _, text in time_ticks(NOON - 60, NOON + 3600, 7)] == [
        "12:00", "12:10", "12:20", "12:30", "12:40", "12:50", "13:00"
    ]  # fmt: skip
    assert [text for _, text in time_ticks(NOON, NOON + 60, 5)][:2] == ["12:00:00", "12:00:15"]
    assert [text for _, text in time_ticks(NOON - 86400, NOON + 86400, 3)] == ["18 Nov", "19 Nov"]
    assert time_ticks(NOON, NOON) == []
    assert clock_text(NOON + 5, 600) == "12:00:05"
    assert clock_text(NOON, 7 * 86400) == "18 Nov 12:00"


@given(st.floats(1e-6, 1e9))
def test_axis_ends_at_a_round_number_just_above(value: float) -> None:
    top = round_up(value)
    assert value <= top * (1 + 1e-6)
    assert top <= 2.01 * value


def test_memory_of_a_chart_is_bounded_and_the_newest_points_stay() -> None:
    data = TimeData(["p50"])
    for number in range(2 * KEPT):
        data.add(float(number), [1.0])
    assert len(data) <= KEPT
    assert (data.first, data.last) == (0.0, 2.0 * KEPT - 1)
    assert data.time(len(data) - 2) == 2.0 * KEPT - 2, "only the older half is thinned out"


def test_recorded_minutes_that_come_late_find_their_place() -> None:
    data = TimeData(["p50"])
    for at in (100.0, 101.0, 40.0, 70.0):
        data.add(at, [at])
    assert [at for at, _ in data.rows()] == [40.0, 70.0, 100.0, 101.0]
    assert data.value(0, data.nearest(69.0)) == 70.0


def test_a_zoom_ends_now_at_the_latest_and_is_left_by_a_reset() -> None:
    shared = TimeRange(600)
    shared.move(NOON)
    assert shared.bounds == (NOON - 600, NOON)
    shared.scale(0.5, NOON)
    assert shared.bounds == (NOON - 300, NOON)
    shared.move(NOON + 60)
    assert shared.bounds == (NOON - 300, NOON), "what one looks at stays"
    shared.shift(1e6)
    assert shared.bounds[1] == NOON + 60
    shared.scale(10, NOON)
    assert not shared.is_zoomed, "as long as all is all"
    shared.zoom(NOON, NOON + 0.001)
    low, high = shared.bounds
    assert high - low == pytest.approx(5)
    shared.reset()
    assert shared.bounds == (NOON - 540, NOON + 60)


def test_the_wheel_zooms_and_a_double_click_shows_all(chart: TimeChart, qtbot: QtBot) -> None:
    fill(chart)
    turn(chart, -120)
    assert not chart.range.is_zoomed, "there is nothing further out: the page scrolls"
    turn(chart, 120)
    low, high = chart.range.bounds
    assert high - low == pytest.approx(480)
    qtbot.mouseDClick(chart, Qt.MouseButton.LeftButton)
    assert not chart.range.is_zoomed


def turn(chart: TimeChart, steps: int) -> None:
    place = QPointF(300, 100)
    event = QWheelEvent(
        place, chart.mapToGlobal(place), QPoint(), QPoint(0, steps), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(chart, event)


def test_a_drag_chooses_a_range_and_a_click_does_not(chart: TimeChart, qtbot: QtBot) -> None:
    fill(chart)
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(chart, left, pos=QPoint(300, 100))
    assert not chart.range.is_zoomed
    first, last = (chart._time(x) for x in (200, 400))
    qtbot.mousePress(chart, left, pos=QPoint(200, 100))
    qtbot.mouseMove(chart, QPoint(400, 100))
    qtbot.mouseRelease(chart, left, pos=QPoint(400, 100))
    assert chart.range.bounds == pytest.approx((first, last))


def test_keys_zoom_move_and_reset(chart: TimeChart, qtbot: QtBot) -> None:
    fill(chart)
    qtbot.keyClick(chart, Qt.Key.Key_Plus)
    low, high = chart.range.bounds
    assert high - low == pytest.approx(480)
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert chart.range.bounds[0] == pytest.approx(low - 48)
    qtbot.keyClick(chart, Qt.Key.Key_0)
    assert not chart.range.is_zoomed


def test_the_pointer_shows_value_and_time(chart: TimeChart, qtbot: QtBot) -> None:
    fill(chart)
    qtbot.mouseMove(chart, QPoint(300, 100))
    drawing = chart.drawing()
    assert drawing.hover is not None
    found = drawing.hovered(drawing.hover)
    assert found is not None
    at, texts = found
    assert at == pytest.approx(chart._time(300), abs=1)
    assert [(line.name, text) for line, text in texts] == [("p50", "2.00 ms"), ("p99", "4.00 ms")]
    assert drawing.hovered(NOON + 1e6) is not None, "the nearest point"
    assert TimeDrawing(TimeData(["a"]), LINES[:1], "ms", (0, 1)).hovered(0.5) is None


def test_a_gap_is_no_line(chart: TimeChart) -> None:
    accent = QColor(load("dark").colors["accent"])
    for second in range(200):
        chart.add(NOON - 600 + second, 2.0, None)
    chart.add(NOON - 400, None, None)
    for second in range(200):
        chart.add(NOON - 200 + second, 2.0, None)
    image = chart.grab().toImage()
    assert near(accent, column(image, 150))
    assert not near(accent, column(image, 320)), "nothing was measured here"
    assert near(accent, column(image, 500))


def test_a_peak_is_seen_however_many_points_there_are(chart: TimeChart) -> None:
    chart.range.choose_span(20_000)
    for number in range(15_000):
        chart.data.add(NOON - 15_000 + number, [9.0 if number == 7001 else 1.0, None])
    drawing = chart.drawing()
    assert drawing.top() == 10.0
    image, _ = render(drawing, load("dark"), QSize(600, 200), 1)
    accent = QColor(load("dark").colors["accent"])
    assert near(accent, row(image, 60)), "halfway up"


def test_events_are_marked_with_their_texts(chart: TimeChart) -> None:
    fill(chart)
    bare = chart.grab().toImage()
    chart.show_markers([Marker(NOON - 300, "v2 int8", "warning"), Marker(NOON + 9, "later", "bad")])
    warning = QColor(load("dark").colors["warning"])
    assert not near(warning, bare)
    assert near(warning, chart.grab().toImage())


def test_the_newest_values_are_said(chart: TimeChart) -> None:
    assert chart.drawing().description() == "no values yet"
    chart.add(NOON, 11.94, None)
    assert chart.accessibleDescription() == "p50 11.9 ms, p99 — ms"
    chart.clear()
    assert chart.accessibleDescription() == ""


def test_a_chart_is_written_as_picture_drawing_and_values(
    chart: TimeChart, qtbot: QtBot, tmp_path: Path
) -> None:
    fill(chart, 3)
    chart.add(NOON + 1, None, 5.0)
    chart.show_markers([Marker(NOON - 1.5, "=v2 int8", "accent")])
    for suffix in (".png", ".svg", ".csv"):
        with qtbot.wait_signal(chart.exported) as said:
            chart.write(tmp_path / f"latency{suffix}")
        assert said.args == [f"Latency exported to {tmp_path / f'latency{suffix}'}."]
    image = QImage(str(tmp_path / "latency.png"))
    assert image.size() == 2 * chart.size(), "sharp in a document"
    assert "<svg" in (tmp_path / "latency.svg").read_text()
    with open(tmp_path / "latency.csv", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == ["time", "p50 (ms)", "p99 (ms)", "event"]
    assert [cells[1:] for cells in rows][-2:] == [["2", "4", ""], ["", "5", ""]]
    (event,) = [cells for cells in rows if cells[3]]
    assert event[3] == "'=v2 int8", "no formula for a spreadsheet"
    assert datetime.fromisoformat(rows[0][0]).timestamp() == NOON - 3
    assert [cells[0] for cells in rows] == sorted(cells[0] for cells in rows)


def test_a_folder_that_is_gone_is_one_sentence(
    chart: TimeChart, qtbot: QtBot, tmp_path: Path
) -> None:
    fill(chart, 3)
    for suffix in (".png", ".svg", ".csv"):
        with qtbot.wait_signal(chart.failed) as failed:
            chart.write(tmp_path / "gone" / f"latency{suffix}")
        assert "cannot be written" in str(failed.args[0])


def test_the_menu_has_the_formats_and_ends_a_zoom(chart: TimeChart) -> None:
    menu = chart.export_menu(chart)
    titles = [action.text() for action in menu.actions() if action.text()]
    assert titles == ["Picture (PNG)…", "Drawing (SVG)…", "Values (CSV)…", "Reset zoom"]
    assert not menu.actions()[-1].isEnabled()


@pytest.mark.slow
def test_a_full_chart_is_painted_within_a_turn_of_the_event_loop(chart: TimeChart) -> None:
    chart.range.choose_span(float(KEPT))
    for number in range(KEPT):
        chart.data.add(NOON - KEPT + number, [1.0 + number % 7, 4.0])
    least = 1e9
    for _ in range(5):
        begin = time.thread_time()
        chart.grab()
        least = min(least, time.thread_time() - begin)
    assert least < 0.05


def column(image: QImage, x: int) -> QImage:
    return image.copy(x, 20, 6, 140)


def row(image: QImage, y: int) -> QImage:
    return image.copy(60, y, 500, 8)


def near(color: QColor, image: QImage) -> bool:
    """Whether some pixel has about this colour; lines are antialiased."""
    wanted = numpy.array(color.getRgb()[:3])
    converted = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = numpy.frombuffer(converted.constBits(), dtype=numpy.uint8).reshape(-1, 4)
    return bool((numpy.abs(pixels[:, 2::-1].astype(int) - wanted).max(axis=1) < 48).any())
