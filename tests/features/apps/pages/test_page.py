"""The App page: what it starts, and how reports, results and errors are shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from studio.features.apps.pages.app.page import CONTENT, START, AppPage
from studio.features.apps.pages.app.run_view import COUNTS, EVENTS, PART, TIMING
from studio.features.apps.results import AppCreated
from studio.jobs import End
from studio.workspace import JobOutcome
from tests.features.apps.pages.sample_app import (
    PARTS,
    TOML,
    check,
    event,
    open_checked,
    part,
    question,
    report,
    run,
    source,
)
from tests.gui.page_rig import Rig, texts, visible_texts


def test_without_an_app_the_page_offers_to_open_one(rig: Rig) -> None:
    page = rig.page(AppPage)
    assert "No app open yet" in visible_texts(page)
    assert page.primary is not None
    assert page.primary.text() == "Open app…"
    assert page.primary.isEnabled()
    assert not page.test_button.isVisible()
    assert not page.start_view.recent.isVisible()


def test_an_opened_app_is_checked_and_its_graph_is_shown(
    rig: Rig, folder: Path, page: AppPage
) -> None:
    (job,) = rig.shell.jobs
    assert (job.step, job.options) == ("app-check", {"app": str(folder)})
    boxes = page.view.graph.boxes.boxes
    assert list(boxes) == ["gate", "people", "tracks", "cross", "yard", "log"]
    assert boxes["cross"].accessibleName() == "cross, step line, from tracks"
    assert "Gate of the yard" in visible_texts(page)
    assert page.primary is not None
    assert page.primary.text() == "Run"
    assert page.primary.isEnabled()


def test_recent_apps_are_offered_in_the_next_session(rig: Rig, folder: Path, page: AppPage) -> None:
    other = rig.page(AppPage)
    assert "gate" in visible_texts(other.start_view.recent)
    (folder / "app.toml").unlink()
    other.refresh()
    assert not other.start_view.recent.isVisibleTo(other.start_view)


def test_an_error_is_one_sentence_with_a_retry(rig: Rig, folder: Path, qtbot: QtBot) -> None:
    page = rig.page(AppPage)
    page.open_app(folder / "app.toml")
    failure = JobOutcome(
        End.FAILED, message="sources.gate needs the setting path.", hint="See docs/apps.md."
    )
    rig.finish(page, failure)
    shown = visible_texts(page)
    assert "sources.gate needs the setting path." in shown
    assert "See docs/apps.md." in shown
    assert page.primary is not None
    assert not page.primary.isEnabled()
    assert not page.view.graph.isVisible()
    qtbot.mouseClick(page.view.problem.retry, Qt.MouseButton.LeftButton)
    assert [job.step for job in rig.shell.jobs] == ["app-check", "app-check"]
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=check(str(folder))))
    assert not page.view.problem.isVisible()
    assert page.view.graph.isVisible()


def test_warnings_are_shown(rig: Rig, folder: Path) -> None:
    page = rig.page(AppPage)
    open_checked(rig, page, folder, check(warnings=("The model detector is not used.",)))
    assert "The model detector is not used." in visible_texts(page)


def test_a_run_shows_events_counts_times_and_states(rig: Rig, folder: Path, page: AppPage) -> None:
    assert page.primary is not None
    page.primary.click()
    job = rig.shell.jobs[-1]
    assert (job.step, job.options) == ("app-run", {"app": str(folder)})
    assert page.primary.text() == "Stop"
    report(rig, page, event(1), event(2))
    report(rig, page, event(3), sources={"gate": source("lost", reason="no frame for 4 s")})
    view = page.view
    assert view.events.rows.rowCount() == 3
    assert view.events.rows.event_at(0)["id"] == "gate-3"
    assert "25.0 frames/s, end to end 15.0 ms p50, 1 event" in visible_texts(page)
    view.tabs.set_index(COUNTS)
    assert texts(view.counts.table) == [["cross", "crossing", "1"]]
    view.tabs.set_index(TIMING)
    assert texts(view.timing.sources) == [["gate", "Lost", "25.0", "0"]]
    assert "gate: no frame for 4 s." in visible_texts(view.timing)
    assert [row[0] for row in texts(view.timing.stages)] == ["people", "tracks", "cross", "yard"]
    assert view.timing.fields.findChildren(type(view.note))[1].text() == "15.0 ms p50, 30.0 ms p95"
    box = view.graph.boxes.boxes["gate"]
    assert (box.words, box.tone) == ("Lost: no frame for 4 s", "bad")
    assert view.preview.preview.image.width() == 400
    page.primary.click()
    assert job.cancelled
    assert not page.primary.isEnabled()
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=run(event(1), event(2), event(3))))
    assert page.primary.text() == "Run"
    assert view.graph.boxes.boxes["gate"].words.startswith("Ended")
    assert view.events.rows.rowCount() == 3


def test_a_run_that_fails_says_why_and_is_repeated_with_its_recordings(
    rig: Rig, page: AppPage
) -> None:
    page.run([Path("/films/a.avi")])
    given = rig.shell.jobs[-1].options
    assert given["replay"] == [str(Path("/films/a.avi"))]
    rig.finish(page, JobOutcome(End.FAILED, message="No frame could be read: no such file."))
    assert "No frame could be read: no such file." in visible_texts(page)
    page.view.problem.retry.click()
    assert rig.shell.jobs[-1].options == given


def test_frames_that_failed_are_a_warning(rig: Rig, page: AppPage) -> None:
    page.run()
    result = run(failed=3, fault="people: it divides by zero")
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    assert "3 frames failed: people: it divides by zero" in visible_texts(page)
    assert not page.view.problem.retry.isVisible()


def test_a_box_shows_its_settings_and_chooses_what_is_drawn(
    rig: Rig, page: AppPage, qtbot: QtBot
) -> None:
    boxes = page.view.graph.boxes
    qtbot.mouseClick(boxes.boxes["yard"], Qt.MouseButton.LeftButton)
    assert page.view.tabs.index() == PART
    shown = visible_texts(page.view.part)
    assert "(100, 100), (200, 100), (200, 200), (100, 200)" in shown
    assert "tracks (tracks)" in shown
    assert page.view.preview.drawing.step == "yard"
    qtbot.mouseClick(boxes.boxes["yard"], Qt.MouseButton.LeftButton)
    assert boxes.selected == ""


def test_boxes_are_reached_with_the_keys(page: AppPage, qtbot: QtBot) -> None:
    boxes = page.view.graph.boxes
    boxes.boxes["gate"].setFocus()
    for key, name in (
        (Qt.Key.Key_Right, "people"),
        (Qt.Key.Key_Right, "tracks"),
        (Qt.Key.Key_Right, "cross"),
        (Qt.Key.Key_Down, "yard"),
        (Qt.Key.Key_Left, "tracks"),
    ):
        qtbot.keyClick(boxes.focusWidget(), key)
        assert boxes.focusWidget() is boxes.boxes[name]
    qtbot.keyClick(boxes.focusWidget(), Qt.Key.Key_Space)
    assert boxes.selected == "tracks"
    qtbot.keyClick(boxes.focusWidget(), Qt.Key.Key_Escape)
    assert boxes.selected == ""


def change_yard(page: AppPage) -> None:
    page.view.preview.choose("yard")
    page.view.preview.drawing.select((0, 0))
    page.view.preview.drawing.move_to((90, 95))


def test_drawn_points_are_written_into_the_file(rig: Rig, folder: Path, page: AppPage) -> None:
    change_yard(page)
    page.view.preview.save.click()
    points = "[[90, 95], [200, 100], [200, 200], [100, 200]]"
    assert (folder / "app.toml").read_text(encoding="utf-8") == TOML.replace(
        "[[100, 100], [200, 100], [200, 200]]", points
    )
    assert rig.shell.said == ["The points of yard are saved to app.toml."]
    assert rig.shell.jobs[-1].step == "app-check"
    assert not page.view.preview.save.isVisible()


def test_a_file_that_has_changed_is_not_written(rig: Rig, folder: Path, page: AppPage) -> None:
    change_yard(page)
    (folder / "app.toml").write_text(TOML + "# by hand\n", encoding="utf-8")
    page.view.preview.save.click()
    assert (folder / "app.toml").read_text(encoding="utf-8") == TOML + "# by hand\n"
    assert "app.toml has changed on disk since it was checked." in visible_texts(page)
    assert page.view.preview.save.isEnabled()
    page.view.problem.retry.click()
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=check(str(folder))))
    assert page.view.preview.drawing.is_changed  # the drawing waits for another save


def test_another_app_does_not_silently_lose_a_drawing(
    rig: Rig, folder: Path, tmp_path: Path, page: AppPage
) -> None:
    change_yard(page)
    page.open_app(tmp_path)
    asked = question(page)
    assert asked.text() == "Discard the points of yard?"
    asked.confirm.click()
    assert page.folder == tmp_path
    assert not page.view.preview.drawing.is_changed


def test_an_app_that_runs_is_not_replaced(rig: Rig, folder: Path, page: AppPage) -> None:
    page.run()
    page.open_app(folder.parent)
    assert page.folder == folder
    assert rig.shell.said == ["Stop the running app before you open another one."]


def test_python_code_runs_after_consent_alone(rig: Rig, folder: Path) -> None:
    page = rig.page(AppPage)
    open_checked(rig, page, folder, check(str(folder), own_steps=("own.py",), code_digest="abc"))
    page.run()
    asked = question(page)
    assert asked.text() == "Run the Python code of Gate of the yard?"
    assert "own.py" in asked.informativeText()
    asked.cancel.click()
    assert [job.step for job in rig.shell.jobs] == ["app-check"]
    page.run()
    question(page).confirm.click()
    assert rig.shell.jobs[-1].options == {"app": str(folder), "allow_code": True, "code": "abc"}
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=run()))
    page.test()
    assert rig.shell.jobs[-1].options == {"app": str(folder), "allow_code": True, "code": "abc"}


def test_a_new_app_is_created_and_opened(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = rig.page(AppPage)
    new = tmp_path / "door"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_given: (str(new), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_given: ("/m/detector.onnx", ""))
    page.start_view.new.click()
    job = rig.shell.jobs[-1]
    assert (job.step, job.options) == (
        "app-new",
        {"out": str(new), "model": str(Path("/m/detector.onnx"))},
    )
    new.mkdir()
    result = AppCreated("door", str(new), ("app.toml",))
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    assert page.folder == new
    assert rig.shell.jobs[-1].step == "app-check"


def test_a_chosen_folder_and_recordings_are_taken(
    rig: Rig, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = rig.page(AppPage)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_given: str(folder))
    assert page.primary is not None
    page.primary.click()
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=check(str(folder))))
    assert page._pane.currentIndex() == CONTENT != START
    films = ["/f/a.avi", "/f/b.avi"]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_given: (films, ""))
    menu = page.replay_button.menu()
    menu.actions()[0].trigger()
    assert rig.shell.jobs[-1].options["replay"] == [str(Path(one)) for one in films]


def test_the_events_stand_first_when_a_run_begins(rig: Rig, page: AppPage) -> None:
    page.view.select("cross")
    assert page.view.tabs.index() == PART
    page.run()
    assert page.view.tabs.index() == EVENTS
    assert "Loading the models…" in visible_texts(page)


def test_pictures_of_two_sources_do_not_alternate(rig: Rig, folder: Path) -> None:
    page = rig.page(AppPage)
    parts = (part("door", "source", "camera"), *PARTS)
    open_checked(rig, page, folder, check(str(folder), parts=parts))
    card = page.view.preview
    assert card.source.isVisible()
    assert card.source.currentText() == "gate"  # of the step that is drawn
    page.run()
    report(rig, page, source="door", width=800, height=600)
    assert card.source.currentText() == "door"  # the gate has no picture yet
    report(rig, page)
    assert card.drawing.frame == (800, 600)
    card.source.setCurrentText("gate")
    assert card.drawing.frame == (400, 300)


def test_a_chosen_source_stays_without_a_picture(rig: Rig, folder: Path) -> None:
    page = rig.page(AppPage)
    parts = (part("door", "source", "camera"), *PARTS)
    open_checked(rig, page, folder, check(str(folder), parts=parts))
    card = page.view.preview
    card.source.setCurrentText("door")
    card.source.textActivated.emit("door")
    page.run()
    report(rig, page)
    assert card.source.currentText() == "door"
    assert card.preview.image.isNull()
    assert card.preview.empty == "No picture of door yet."


def test_an_app_that_is_broken_now_does_not_run(rig: Rig, page: AppPage) -> None:
    page.check()
    rig.finish(page, JobOutcome(End.FAILED, message="The app has no source."))
    assert page.primary is not None
    assert not page.primary.isEnabled()
    assert page.view.graph.isVisible()
    page.run()
    assert rig.shell.jobs[-1].step == "app-check"
