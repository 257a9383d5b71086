"""The map of rollouts: lanes, words, hover, keys, and what a click opens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from pytestqt.qtbot import QtBot

from studio.gui.charts.chart import render
from studio.gui.charts.rollout_map import Lane, RolloutMap
from studio.gui.pages.fleet.page import ROLLOUTS, FleetPage
from studio.gui.pages.fleet.rollouts_view import counts
from studio.gui.theme import load
from tests.gui.page_rig import Rig, opened, visible_texts


@pytest.fixture
def rig(qtbot: QtBot, tmp_path: Path) -> Iterator[Rig]:
    with opened(tmp_path / "home", tmp_path) as found:
        yield found


def run(rig: Rig, rollout: str, **changes: Any) -> None:
    """Record a rollout to three targets in two waves."""
    states = ("kept", "kept", "taken back")
    targets = [
        {"target": f"t{n}", "wave": 1 + n // 2, "state": state} for n, state in enumerate(states)
    ]
    result = {"state": "done", "rollout": rollout, "name": "digits", "version": 3}
    result |= {"release": "cd" * 32, "targets": targets, "kept": 2, "seconds": 400.0}
    rig.registry.add_run("rollout", None, {}, {**result, **changes})


@pytest.fixture
def page(rig: Rig) -> FleetPage:
    run(rig, "20260101-000000-cdcdcdcd")
    run(rig, "20260102-000000-cdcdcdcd", state="halted", version=4)
    found = rig.page(FleetPage)
    found.show_view(ROLLOUTS)
    return found


def drawing(page: FleetPage) -> RolloutMap:
    """Return what the chart shows."""
    found = page.rollouts.chart._drawing
    assert isinstance(found, RolloutMap)
    return found


def test_without_rollouts_there_is_one_sentence_and_one_button(rig: Rig) -> None:
    page = rig.page(FleetPage)
    page.show_view(ROLLOUTS)
    assert "No rollouts yet" in visible_texts(page)


def test_each_rollout_is_a_lane_with_a_word(page: FleetPage) -> None:
    found = drawing(page)
    assert {(lane.title, lane.state) for lane in found.lanes} == {
        ("digits v3", "done"),
        ("digits v4", "halted"),
    }
    assert found.description() == "2 rollouts: 1 done, 1 halted."
    halted = next(lane for lane in found.lanes if lane.state == "halted")
    assert halted.halts == (pytest.approx(halted.end),)
    assert len(halted.rollbacks) == 1


def test_hover_gives_the_counts_of_the_targets(page: FleetPage) -> None:
    assert "Targets: 2 kept, 1 rolled back" in drawing(page).tooltip(0)


def test_a_click_opens_the_rollout(page: FleetPage, rig: Rig, qtbot: QtBot) -> None:
    chart = page.rollouts.chart
    chart.grab()
    spot = chart.spots[0]
    place = QPoint(round(spot.x * chart.width()), round(spot.y * chart.height()))
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=place)
    assert rig.shell.went == ["deploy"]


def test_a_recorded_rollout_opens_its_action(
    page: FleetPage, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    page.rollouts._open(replace(page.rollouts.spans[0], action=7))
    assert rig.shell.shown == [7]


def test_arrows_select_and_enter_opens(page: FleetPage, rig: Rig, qtbot: QtBot) -> None:
    chart = page.rollouts.chart
    chart.grab()
    assert drawing(page).selected == 0
    qtbot.keyClick(chart, Qt.Key.Key_Down)
    assert drawing(page).selected == 1
    assert page.rollouts.spans[1].title in page.rollouts.title.text()
    chart.grab()
    qtbot.keyClick(chart, Qt.Key.Key_Return)
    assert rig.shell.went == ["deploy"]


def test_a_time_without_rollouts_is_named(page: FleetPage) -> None:
    page.rollouts._clock = lambda: 4e9
    page.rollouts.range.set_index(0)
    assert page.rollouts.none_here.isVisible()
    assert not page.rollouts.chart.isVisible()


def test_titles_of_rollouts_are_no_markup(rig: Rig) -> None:
    run(rig, "20260101-000000-cdcdcdcd", name="<b>digits</b>")
    page = rig.page(FleetPage)
    page.show_view(ROLLOUTS)
    assert "<b>digits</b>" in page.rollouts.title.text()
    assert page.rollouts.title.textFormat() == Qt.TextFormat.PlainText


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("count", [0, 1, 60])
def test_any_number_of_lanes_is_drawn(qtbot: QtBot, theme: str, count: int) -> None:
    lanes = tuple(
        Lane(n, "a long name " * 9, n, n + 5.0, "other", (n + 2.0,), (n + 5.0,), (n + 1.0,), "")
        for n in range(count)
    )
    found = RolloutMap(lanes, 0.0, 100.0, 0)
    image, spots = render(found, load(theme), QSize(400, 64 + 30 * count), 1.0)
    assert not image.isNull()
    assert len(spots) == count


def test_words_of_targets() -> None:
    assert counts({"taken back": 2, "not begun": 1}) == "2 rolled back, 1 pending"
    assert counts({}) == "none"
