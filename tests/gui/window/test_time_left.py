"""The remaining time: shown when the progress is steady, never a promise made of other phases."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QProgressBar
from pytestqt.qtbot import QtBot

from studio.gui.window.job_bar import FULL, show_progress
from studio.gui.window.time_left import TimeLeft


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fed(points: list[tuple[float, float]]) -> float | None:
    """The last estimate after a row of times and shares."""
    clock = Clock()
    estimate = TimeLeft(clock)
    last = None
    for moment, share in points:
        clock.now = moment
        last = estimate.seconds(share, 1.0)
    return last


def test_steady_progress_is_estimated() -> None:
    assert fed([(n, n / 100) for n in range(11)]) == pytest.approx(90, rel=0.01)


def test_a_quick_preparation_is_no_promise_for_the_slow_work() -> None:
    quick = [(n / 10, n / 50) for n in range(11)]
    slow = [(1 + n, 0.2 + 0.8 * n / 600) for n in range(1, 6)]
    assert fed(quick + slow) is None
    later = [(1 + n, 0.2 + 0.8 * n / 600) for n in range(1, 40)]
    assert fed(quick + later) == pytest.approx(561, rel=0.05)


@pytest.mark.parametrize(
    "points",
    [
        [],
        [(0, 0.5)],
        [(0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4)],
        [(0, 0.1), (1, 0.2), (2, 0.3), (3, 0.4), (60, 0.4)],
        [(0, 0.7), (1, 0.8), (2, 0.9), (3, 1.0)],
    ],
)
def test_nothing_is_said_without_evidence(points: list[tuple[float, float]]) -> None:
    assert fed(points) is None


def test_a_new_phase_begins_again() -> None:
    first = [(n, n / 10) for n in range(9)]
    second = [(9 + n, n / 100) for n in range(8)]
    assert fed(first + second) == pytest.approx(93, rel=0.01)


@pytest.mark.parametrize(("done", "shown"), [(0, 0), (0.5, 500), (1, 990), (2, 990)])
def test_a_bar_is_never_full_while_work_goes_on(qtbot: QtBot, done: float, shown: int) -> None:
    bar = QProgressBar()
    qtbot.addWidget(bar)
    show_progress(bar, done, 1.0)
    assert (bar.value(), bar.maximum()) == (shown, FULL)
    show_progress(bar, 3, 0)
    assert bar.maximum() == 0
