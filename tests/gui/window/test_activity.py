"""The Activity panel: every job as what it is, over a restart, with what can be done about it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.window.main_window import MainWindow
from studio.gui.window.side.activity_panel import AT_ONCE, SHOWN, ActivityPanel
from studio.gui.window.side.activity_row import reason
from studio.jobs import End, JobOutcome, JobSpec, RunningJob
from studio.workspace import JobEntry
from tests.gui.conftest import DIGITS, MakeWindow

JOB_MS = 30_000
CONTROL = Qt.KeyboardModifier.ControlModifier


def opened(window: MainWindow, qtbot: QtBot) -> ActivityPanel:
    """The panel, opened by its key, with its rows."""
    qtbot.keyClick(window, Qt.Key.Key_J, CONTROL)
    panel = window.side.shown
    assert isinstance(panel, ActivityPanel)
    qtbot.waitUntil(lambda: not panel._is_reading)
    return panel


def journal(home: Path, *entries: dict[str, object]) -> None:
    """What an earlier session has left."""
    folder = home / "data" / "activity"
    folder.mkdir(parents=True)
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    (folder / "20260101T000000-aaaaaaaa.jsonl").write_text(lines)


def entry(name: str, state: str, minutes: int, **more: object) -> dict[str, object]:
    moment = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat(timespec="microseconds")
    ended = "" if state == "running" else moment
    return {
        "id": name,
        "title": f"Quantize {name}",
        "step": "quantize",
        "state": state,
        "started": moment,
        "ended": ended,
        **more,
    }


def test_jobs_of_an_earlier_session_are_counted_as_what_they_are(
    make_window: MakeWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    journal(
        tmp_path / "home",
        entry("a", "done", 50, seconds=3.0),
        entry("b", "failed", 40, sentence="No calibration data.", hint="Choose some."),
        entry("c", "cancelled", 30, progress="layer 3 of 9"),
        entry("d", "running", 20, progress="48 of 96 layers", options={"model": "#1"}),
    )
    panel = opened(make_window(), qtbot)
    words = {name: row.words.text() for name, row in panel.rows.items()}
    assert words == {"d": "Interrupted.", "c": "Cancelled.", "b": "Failed.", "a": "Done"}
    assert panel.rows["b"].sentence.text() == "No calibration data. Choose some."
    assert "48 of 96 layers" in panel.rows["d"].sentence.text()
    assert [one.text() for one in panel.rows["d"].buttons] == ["Try again", "Go to Optimize"]
    titles = [one.text() for one in panel.filter.findChildren(type(panel.more))]
    assert titles == ["All", "Running", "Failed 1", "Interrupted 1"]
    panel.filter.set_index(2)
    assert list(panel.rows) == ["b"]
    panel.filter.set_index(1)
    assert panel._stack.currentIndex() == 0
    assert panel._empty.title.text() == "No running jobs"


@pytest.mark.slow
def test_a_failed_job_is_tried_again_and_its_result_is_shown(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_text("not a model")
    window.open_model(path)
    qtbot.waitUntil(lambda: bool(window.toasts.shown), timeout=JOB_MS)
    path.write_bytes(DIGITS.read_bytes())
    panel = opened(window, qtbot)
    (row,) = panel.rows.values()
    again = next(one for one in row.buttons if one.text() == "Try again")
    qtbot.mouseClick(again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.page().stage == "project", timeout=JOB_MS)
    qtbot.waitUntil(lambda: len(panel.rows) == 2, timeout=JOB_MS)
    qtbot.waitUntil(lambda: next(iter(panel.rows.values())).words.text() == "Done", timeout=JOB_MS)
    newest = next(iter(panel.rows.values()))
    assert [one.text() for one in newest.buttons] == ["Show result", "Show as pipeline"]
    window.go("profile")
    qtbot.mouseClick(newest.buttons[0], Qt.MouseButton.LeftButton)
    assert window.page().stage == "model"
    assert window.current.variant.id == newest.entry.variant


def test_damaged_journals_are_no_obstacle(
    make_window: MakeWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = tmp_path / "home" / "data" / "activity"
    folder.mkdir(parents=True)
    (folder / "20260101T000000-aaaaaaaa.jsonl").write_bytes(b"\x00\xff{]\n" * 100)
    panel = opened(make_window(), qtbot)
    assert panel.rows == {}
    assert panel._empty.title.text() == "No jobs yet"


def test_escape_closes_the_panel_before_a_message_and_gives_the_focus_back(
    digits_window: MainWindow, qtbot: QtBot
) -> None:
    canvas = digits_window.page().pane.canvas
    canvas.setFocus()
    digits_window.notify("One.", "warning")
    opened(digits_window, qtbot)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert digits_window.side.shown is None
    assert digits_window.toasts.shown
    assert QApplication.focusWidget() is canvas


def test_many_jobs_are_shown_a_part_at_a_time(
    make_window: MakeWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    journal(tmp_path / "home", *(entry(f"j{n}", "done", n) for n in range(70)))
    panel = opened(make_window(), qtbot)
    panel._arrange([])
    panel._show()
    assert len(panel.rows) == AT_ONCE  # the others follow in turns of their own
    qtbot.waitUntil(lambda: len(panel.rows) == SHOWN)
    panel.more.click()
    panel.more.click()
    qtbot.waitUntil(lambda: len(panel.rows) == 70)
    assert panel.more.isHidden()
    panel.clear.click()
    qtbot.waitUntil(lambda: not panel.rows)


def test_new_jobs_come_a_part_at_a_time_between_the_old_ones(
    make_window: MakeWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    """As when the panel is opened after many jobs: its old rows are there, all of them changed."""
    journal(tmp_path / "home", *(entry(f"j{n}", "done", n) for n in range(60)))
    panel = opened(make_window(), qtbot)
    qtbot.waitUntil(lambda: len(panel.rows) == SHOWN)
    entries, before = list(panel._entries), dict(panel.rows)
    panel._take([replace(one, id=f"new-{one.id}") for one in entries[:20]] + entries)
    assert len(panel.rows.keys() - before.keys()) == AT_ONCE
    qtbot.waitUntil(lambda: len(panel.rows) == SHOWN)
    names = [f"new-j{n}" for n in range(20)] + [f"j{n}" for n in range(10)]
    assert list(panel.rows) == names
    assert all(panel.rows[name] is before[name] for name in names[20:])


@pytest.mark.parametrize(
    ("state", "more", "text"),
    [
        ("done", {"seconds": 3.0}, "in 3.0 s."),
        ("cancelled", {}, "Before its first step."),
        ("running", {"is_elsewhere": True}, "In another window."),
        ("failed", {"sentence": "It broke.", "hint": "Mend it."}, "It broke. Mend it."),
    ],
)
def test_reasons(state: str, more: dict[str, object], text: str) -> None:
    assert reason(JobEntry("a", "A", state=state, **more)) == text


def test_the_counter_leaves_out_what_activity_leaves_out(window: MainWindow) -> None:
    reading = RunningJob(JobSpec("i", "Preview digits", "m:w", {}, step="inspect"))
    window.jobbar.follow([reading])
    reading._end(JobOutcome(End.SUCCEEDED, title="", seconds=1.0))
    window.jobbar.refresh()
    assert window.jobbar.count.text() == "No jobs running"
    failed = RunningJob(JobSpec("f", "Preview digits", "m:w", {}, step="inspect"))
    window.jobbar.follow([reading, failed])
    failed._end(JobOutcome(End.FAILED, title="", seconds=1.0))
    window.jobbar.refresh()
    assert window.jobbar.count.text() == "1 failed"
    window.jobbar.follow(window.workspace.jobs)


def test_a_running_app_is_told_beside_the_jobs(window: MainWindow) -> None:
    app = RunningJob(JobSpec("a", "Run the app", "m:w", {}, step="app-run"))
    working = RunningJob(JobSpec("q", "Quantize digits", "m:w", {}, step="quantize"))
    bar = window.jobbar
    bar.follow([app])
    assert bar.count.text() == "1 app running"
    assert bar.current() is None
    bar.follow([app, working])
    assert bar.count.text() == "1 job, 1 app running"
    working._end(JobOutcome(End.SUCCEEDED, title="", seconds=1.0))
    app._end(JobOutcome(End.CANCELLED, title="", seconds=1.0))
    bar.refresh()
    assert bar.count.text() == "1 done"


def test_rows_keep_their_height_while_more_are_added(
    make_window: MakeWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    entries = (entry(str(number), "failed", number, sentence="No. " * 40) for number in range(12))
    journal(tmp_path / "home", *entries)
    panel = opened(make_window(), qtbot)
    qtbot.waitUntil(lambda: len(panel.rows) == 12, timeout=JOB_MS)
    rows = list(panel.rows.values())
    assert [row for row in rows if row.height() < row.heightForWidth(row.width())] == []


@pytest.mark.parametrize("step", ["monitor-live", "monitor-fleet"])
def test_a_watch_is_no_job_to_the_reader(window: MainWindow, step: str) -> None:
    """It starts and ends with the page that shows it: nobody has started or cancelled anything."""
    watching = RunningJob(JobSpec("w", "Watch an endpoint", "m:w", {}, step=step))
    working = RunningJob(JobSpec("q", "Quantize digits", "m:w", {}, step="quantize"))
    bar = window.jobbar
    bar.follow([watching])
    assert bar.count.text() == "No jobs running"
    assert bar.current() is None
    bar.follow([working, watching])
    assert bar.current() is working
    working._end(JobOutcome(End.SUCCEEDED, title="", seconds=1.0))
    watching._end(JobOutcome(End.CANCELLED, title="", seconds=1.0))
    bar.refresh()
    assert bar.count.text() == "1 done"
    bar.follow(window.workspace.jobs)
