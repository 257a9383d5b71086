"""What pages show while they are empty, while a job runs, and where data has vanished."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.datasets.results import DrawnInput
from studio.deployment.results import DeployStep
from studio.gui.pages.deploy.changes import changes
from studio.gui.pages.deploy.gallery import GAP, TILE_WIDTH, Gallery
from studio.gui.pages.deploy.page import DeployPage
from studio.gui.pages.deploy.rows import fail_running
from studio.gui.pages.monitor.fleet_view import FleetView
from studio.gui.pages.monitor.page import FLEET_VIEW, MonitorPage
from studio.gui.pages.profile.page import ProfilePage
from studio.gui.pages.project.page import ProjectPage
from studio.gui.pages.quantize.samples_view import SamplesView
from studio.gui.pages.runs.page import RunsPage
from studio.gui.pages.shared.run_rows import step_rows
from studio.gui.pages.shared.stage_page import StateRow, StateRows
from studio.gui.pages.targets.page import TargetsPage
from studio.gui.pages.try_it.page import TryItPage
from studio.gui.theme import Theming
from studio.gui.widgets.basics import Hint
from studio.gui.widgets.two_columns import TwoColumns
from studio.jobs import End
from studio.models.results import Answer, ScoredClass
from studio.quantization.results import ComparedSample
from studio.registry.run_records import RunJournal, StepReport
from studio.workspace import JobOutcome
from studio.workspace.inbox import Inbox
from studio.workspace.run_info import RunInfo
from tests.gui.page_rig import Rig, opened, visible_texts
from tests.gui.widgets.test_two_columns import is_narrow


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def deployed(rig: Rig) -> None:
    details = {"version": 3, "variant_name": "int8", "endpoint": "http://127.0.0.1:8477"}
    rig.registry.add_release("local", None, "ab" * 32, "serving", details)


def test_history_without_profiles_has_no_empty_table(rig: Rig) -> None:
    page = rig.page(ProfilePage, rig.variant())
    page.show_view(2)
    shown = visible_texts(page.history)
    assert "No profile yet" in shown
    assert "Comparison" not in shown


@pytest.mark.parametrize(("page", "number"), [(ProfilePage, 2), (DeployPage, 3)])
def test_an_empty_history_leads_to_the_first_view(
    rig: Rig, qtbot: QtBot, page: type[ProfilePage | DeployPage], number: int
) -> None:
    made = rig.page(page, rig.variant())
    made.show_view(number)
    hint = next(one for one in made.findChildren(Hint) if one.isVisible())
    qtbot.mouseClick(hint.button, Qt.MouseButton.LeftButton)
    assert made.stack.currentIndex() == 0


def test_a_starting_profile_explains_its_empty_table(rig: Rig) -> None:
    page = rig.page(ProfilePage, rig.variant())
    page.run()
    assert "The first figures appear here." in visible_texts(page)


def test_the_fleet_without_a_deployment_leads_to_the_deploy_page(rig: Rig) -> None:
    page = rig.page(MonitorPage)
    page.show_view(FLEET_VIEW)
    shown = visible_texts(page)
    assert "No deployments yet" in shown
    assert "Go to Deploy" in shown
    assert "Polling every target" not in shown


def test_the_fleet_is_shown_once_something_is_deployed(rig: Rig) -> None:
    deployed(rig)
    page = rig.page(MonitorPage)
    page.show_view(FLEET_VIEW)
    assert "Polling every target" in visible_texts(page)


def test_charts_of_the_fleet_have_todays_time_before_the_first_sample(qtbot: QtBot) -> None:
    view = FleetView(Theming("light"), Inbox())
    qtbot.addWidget(view)
    _, end = view._range.bounds
    assert abs(time.time() - end) < 60


def test_sending_replaces_the_request_for_a_picture(rig: Rig, tmp_path: Path) -> None:
    deployed(rig)
    page = rig.page(TryItPage)
    assert "Drop or choose a picture" in visible_texts(page)
    page.send(tmp_path / "seven.png")
    shown = visible_texts(page)
    assert "Sending to the endpoint." in shown
    assert "Drop or choose a picture" not in shown


def test_probing_moves_nothing_on_the_targets_page(rig: Rig) -> None:
    page = rig.page(TargetsPage)
    visible_texts(page)
    before = page.table.mapTo(page, page.table.rect().topLeft())
    page._probe_selected()
    visible_texts(page)
    assert page.strip.isVisible()
    assert page.table.mapTo(page, page.table.rect().topLeft()) == before


def test_buttons_of_the_project_need_a_model(rig: Rig) -> None:
    page = rig.page(ProjectPage)
    assert page.primary is not None
    for one in (page.primary, page.run_all):
        assert not one.isEnabled()
        assert one.toolTip() == "Open a model first."


def test_small_models_have_a_size_in_the_review(rig: Rig) -> None:
    first = rig.variant()
    second = rig.variant("int8", first)
    deployed(rig)
    (release,) = rig.registry.releases("local")
    (size,) = [one for one in changes(release, first, second, None) if one.name == "Model size"]
    assert (size.before, size.after) == ("400 B", "120 B")


def test_the_step_of_a_pipeline_that_runs_is_named_so() -> None:
    steps = (
        StepReport("open", "open", "succeeded"),
        StepReport("int8", "quantize"),
        StepReport("speed", "profile"),
    )
    run = RunInfo("run-1", "digits", "Digits", "running", "", "", Path(), RunJournal(steps=steps))
    assert [row.state for row in step_rows(run)] == ["succeeded", "running", "not run"]


def test_tiles_fill_the_line_where_no_section_has_more(rig: Rig) -> None:
    page = rig.page(DeployPage)
    gallery = Gallery(rig.shell.theming)
    gallery.show_targets([], {}, {}, page._sheets.kinds)
    gallery.resize(4 * TILE_WIDTH + 3 * GAP, 600)
    layout = gallery.layout()
    assert layout is not None
    layout.setGeometry(gallery.rect())
    right = max(tile.geometry().right() for tile in gallery.kind_tiles.values())
    assert right >= gallery.width() - GAP


@pytest.mark.parametrize("width", [876, 1196])
def test_no_column_of_the_changed_samples_is_cut(qtbot: QtBot, width: int) -> None:
    view = SamplesView(Theming("light"))
    qtbot.addWidget(view)
    view.resize(width, 600)
    view.show()
    answer = Answer("classes", classes=(ScoredClass("8", 8, 1.0),))
    sample = ComparedSample("#66", "gained", "9", 41.3, DrawnInput("picture"), answer, answer)
    view.show_samples([sample] * 30)
    QApplication.processEvents()
    assert view.table.horizontalScrollBar().maximum() == 0


def test_lists_of_runs_and_versions_are_above_their_details_in_a_narrow_page(rig: Rig) -> None:
    page = rig.page(RunsPage)
    page.resize(876, 628)
    for number, view in ((0, page.runs), (2, page.versions)):
        page.show_view(number)
        view.stack.show_list(True)
        visible_texts(page)
        (columns,) = view.findChildren(TwoColumns)
        assert is_narrow(columns)
        assert view.table.columnWidth(0) > 200


def test_a_failed_probe_is_named_where_the_facts_would_be(rig: Rig) -> None:
    page = rig.page(TargetsPage)
    page._probe_selected()
    sentence, hint = "127.0.0.1 refuses connections on port 9.", "Check that its SSH server runs."
    rig.finish(page, JobOutcome(End.FAILED, message=sentence, hint=hint))
    assert f"{sentence} {hint}" in visible_texts(page)
    assert "Not probed yet" not in visible_texts(page)


def test_a_target_that_does_not_answer_is_a_failed_step() -> None:
    done = DeployStep("package", "done", "version 3 of digits")
    failed = fail_running([done, DeployStep("switch", "planned")], "No answer from bench-pi.")
    assert [(step.name, step.state) for step in failed] == [
        ("package", "done"),
        ("connect", "failed"),
    ]


def test_a_digest_in_a_failure_widens_no_list(qtbot: QtBot) -> None:
    rows = StateRows("Steps")
    qtbot.addWidget(rows)
    rows.show_rows([StateRow("failed", "bad", "Package", f"No such file: {'a1' * 32}.")])
    assert rows.minimumSizeHint().width() < 480
