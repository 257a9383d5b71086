"""The Boards and History views of the Deploy page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.deployment.results import StatusResult, TrustResult, VerifyLogResult
from studio.documents.dataclass_json import from_json
from studio.gui.pages.deploy.boards_view import BoardsView
from studio.gui.pages.deploy.history_view import HistoryView
from studio.gui.pages.deploy.page import DeployPage
from studio.gui.pages.deploy.signers_menu import signers_menu
from studio.jobs import End
from studio.workspace import JobOutcome
from tests.gui.page_rig import Rig, opened, texts, visible_texts

BOARDS = ("roof-01", "roof-02", "line-a")
VIEW, HISTORY = 2, 3


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        for name in BOARDS:
            made.workspace.add_target(TargetSpec(name, f"ssh://edge@{name}"))
        made.workspace.set_group("roof", BOARDS[:2])
        yield made


def said(view: BoardsView | HistoryView) -> list[str]:
    """The texts of all cells."""
    return [cell for row in texts(view.table) for cell in row]


def looked(target: str, state: str = "serving", text: str = "", **facts: Any) -> dict[str, Any]:
    known = {"disk_free_mb": 9000, "disk_total_mb": 30000, "temperature_c": 50.0, **facts}
    release = {"name": "digits", "version": 3, "at": "2026-11-25T09:12:00+00:00"}
    row = {"target": target, "state": state, "text": text, "facts": known}
    return {**row, **release} if state == "serving" else {**row, "facts": {}}


def test_boards_are_looked_at_and_each_answer_is_shown_as_it_comes(rig: Rig) -> None:
    page = rig.page(DeployPage)
    page.show_view(VIEW)
    view = page.boards
    assert "not checked" in visible_texts(view)
    view.look_button.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options["target"]) == ("target-look", ["local", "line-a", *BOARDS[:2]])
    assert view.look_button.toolTip() == "Checking…"
    rig.message(page, "looked", target=looked("roof-01"))
    assert "v3 digits" in said(view)
    result = {
        "targets": [looked("roof-01", temperature_c=84.0), looked("roof-02", "no answer", "Gone.")]
    }
    rig.registry.add_run("target-look", None, {}, result)
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=from_json(StatusResult, result)))
    assert rig.shell.said == ["No answer from roof-02."]
    told = {(one.name, one.state): one.text for one in view.complaints.rows}
    assert told["roof-02", "unreachable"] == "Gone."
    assert "emperature is 84 °C" in told["roof-01", "warning"]


def test_a_group_alone_is_shown_and_looked_at(rig: Rig) -> None:
    page = rig.page(DeployPage)
    page.show_view(VIEW)
    view = page.boards
    view.group.setCurrentIndex(1)
    assert view.table.rowCount() == 2
    view.poll()
    assert rig.shell.jobs[0].options["target"] == list(BOARDS[:2])


def test_a_board_is_opened_where_it_can_be_rolled_back_in_two_clicks(rig: Rig) -> None:
    for version in (1, 2):
        details = {"version": version, "name": "digits", "by": "ann@desk", "variant_name": "int8"}
        rig.registry.add_release("roof-01", None, f"{version}" * 64, "serving", details)
    page = rig.page(DeployPage)
    page.show_view(VIEW)
    view = page.boards
    assert view.open_button.toolTip() == "Select a board first."
    view.table.selectRow(2)
    assert view.open_button.text() == "Open roof-01"
    view.open_button.click()
    assert page.stack.currentIndex() == 0
    page.history.back.click()
    page.history.confirm.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options) == ("rollback", {"target": "roof-01", "to": "1"})


def test_the_history_says_what_ran_where_and_who_changed_it(rig: Rig) -> None:
    for target, version, by in (("roof-01", 1, "ann@desk"), ("line-a", 1, "bob@lab")):
        details = {"version": version, "name": "digits", "by": by, "variant_name": "int8"}
        rig.registry.add_release(target, None, "a" * 64, "serving", details)
    rig.registry.add_release(
        "roof-01", None, "b" * 64, "failed", {"version": 2, "name": "digits", "reason": "too slow"}
    )
    page = rig.page(DeployPage)
    page.show_view(HISTORY)
    view = page.record
    assert view.table.rowCount() == 3
    assert "2" not in view.note.text()
    view.words.setText("roof slow")
    assert view.table.rowCount() == 1
    assert "failed: too slow" in said(view)
    assert view.note.text() == "1 of 3 changes, newest first."
    view.words.setText("bob")
    assert "line-a" in said(view)


def test_right_after_a_rollback_it_is_what_came_back_that_ran(rig: Rig) -> None:
    """And what was taken back has its model's name, which its own entry does not say."""
    for digest, version, state, hour in (
        ("a", 1, "serving", 9),
        ("b", 2, "serving", 10),
        ("b", 2, "rolled back", 11),  # both at once, as a rollback is recorded
        ("a", 1, "serving", 11),
    ):
        name = {"name": "digits"} if state == "serving" else {}
        details = {"version": version, "variant_name": "int8", **name}
        at = f"2026-11-26T{hour:02}:00:00.000+00:00"
        rig.registry.add_release("roof-01", None, digest * 64, state, details, at)
    page = rig.page(DeployPage)
    page.show_view(HISTORY)
    view = page.record
    place = next(y for y, cells in enumerate(texts(view.table)) if cells[4] == "rolled back")
    assert texts(view.table)[place][2] == "digits"
    view.table.cellDoubleClicked.emit(place, 0)
    assert texts(view.then.table)[0][2] == "v1 int8"


def test_only_the_view_in_sight_reads_the_registry(rig: Rig) -> None:
    """With hundreds of boards a job's end would else cost each of them its time."""
    page = rig.page(DeployPage)
    page.show_view(HISTORY)
    page.show_view(0)
    details = {"version": 1, "name": "digits", "by": "ann@desk"}
    rig.registry.add_release("roof-01", None, "a" * 64, "serving", details)
    page.refresh()
    assert page.record.table.rowCount() == 0
    page.show_view(HISTORY)
    assert page.record.table.rowCount() == 1
    page.record.table.setRowCount(0)
    page.show_view(0)
    page.show_view(HISTORY)
    assert page.record.table.rowCount() == 0, "nothing has changed meanwhile"


def test_what_ran_when_is_asked_by_a_moment_or_by_a_change(rig: Rig) -> None:
    day = "2026-11-26T{}.250+00:00".format
    for target, version, state, at, more in (
        ("roof-01", 1, "serving", "10:00:00", {}),
        ("roof-01", 2, "failed", "10:05:00", {"until": day("10:07:00"), "reason": "too slow"}),
        ("line-a", 1, "serving", "11:00:00", {}),
    ):
        details = {"version": version, "name": "digits", "variant_name": "int8", **more}
        rig.registry.add_release(target, None, f"{version}" * 64, state, details, day(at))
    page = rig.page(DeployPage)
    page.show_view(HISTORY)
    view = page.record
    assert view.then.table.rowCount() == 0, "it is not read before it is asked for"
    view.view.set_index(1)
    assert view.stack.currentIndex() == 1
    assert [cells[:3] for cells in texts(view.then.table)] == [
        ["line-a", "digits", "v1 int8"],
        ["roof-01", "digits", "v1 int8"],
    ]
    assert view.then.told.text() == "2 of 2 targets had a release"
    view.view.set_index(0)
    place = next(y for y, cells in enumerate(texts(view.table)) if "too slow" in cells[4])
    view.table.cellDoubleClicked.emit(place, 0)
    assert (view.view.index(), view.stack.currentIndex()) == (1, 1)
    line, roof = texts(view.then.table)
    assert line[:3] == ["line-a", "", "nothing"]
    assert roof[2] == "v2 int8"
    assert "in trial" in visible_texts(view.then.table)
    assert view.then.told.text() == "1 of 2 targets had a release"
    view.then.moment.setDateTime(view.then.moment.dateTime().addSecs(180))
    assert texts(view.then.table)[1][2] == "v1 int8"
    view.then.now_button.click()
    assert view.then.told.text() == "2 of 2 targets had a release"


def test_a_boards_history_is_verified_and_the_verdict_is_of_that_board(rig: Rig) -> None:
    page = rig.page(DeployPage)
    page.show_view(HISTORY)
    proof = page.record.proof
    assert proof.target.count() == len(BOARDS) + 1
    proof.target.setCurrentIndex(proof.target.findData("roof-01"))
    assert "Verify reads the release history" in visible_texts(proof)
    proof.verify_button.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options) == ("verify-log", {"target": "roof-01"})
    assert proof.verify_button.toolTip() == "Verifying…"
    found = VerifyLogResult("roof-01", True, "", 12, 0, "h", 3, 4, ())
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=found))
    assert (proof.verdict.text(), proof.verify_button.isEnabled()) == ("verified", True)
    assert proof.text.text().startswith("12 entries verified")
    proof.target.setCurrentIndex(proof.target.findData("roof-02"))
    assert proof.verdict.isHidden()
    proof.verify()
    broken = "Entry 4 of the history of roof-02 was altered."
    result = VerifyLogResult("roof-02", False, broken, 12, 0, "h", 3, 4, ())
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    assert (proof.verdict.text(), proof.text.text()) == ("verification failed", broken)


def choose(view: BoardsView, name: str) -> None:
    places = {cells[0]: y for y, cells in enumerate(texts(view.table))}
    view.table.selectRow(places[name])


def test_a_board_is_told_whose_releases_it_takes(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(DeployPage)
    page.show_view(VIEW)
    view = page.boards
    assert view.signers.change.toolTip() == "Select a board first."
    choose(view, "line-a")
    key = str(tmp_path / "ann.pub")
    menu = signers_menu(view, "line-a", view.trust, lambda: key)
    require, everybody = menu.actions()
    require.trigger()
    assert (rig.shell.jobs[-1].step, rig.shell.jobs[-1].options) == (
        "trust",
        {"target": "line-a", "signers": key},
    )
    assert view.signers.change.toolTip() == "Changing the allowed signers…"
    done = TrustResult("line-a", ("ann",), "me")
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=done))
    assert rig.shell.said == ["line-a accepts only releases signed by ann."]
    assert (rig.shell.jobs[-1].step, rig.shell.jobs[-1].options) == (
        "target-look",
        {"target": ["line-a"]},
    ), "the list is that of the board"
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=StatusResult(())))
    everybody.trigger()
    assert rig.shell.jobs[-1].options == {"target": "line-a"}
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=replace(done, signers=())))
    assert rig.shell.said[-1] == "line-a accepts unsigned releases."


def test_the_signers_of_a_board_are_listed(rig: Rig) -> None:
    key = {
        "name": "ann@desk",
        "kind": "ssh-ed25519",
        "fingerprint": "SHA256:" + 43 * "x",
        "limits": 'valid-before="20270101"',
        "since": "2026-11-20T09:12:00+00:00",
        "by": "bob@lab",
    }
    signers = {"file": "/r/allowed_signers", "fixed": False, "keys": [key], "by": "bob@lab"}
    nobody = {**signers, "file": "", "keys": []}
    fixed = {**signers, "file": "/etc/edgewright/allowed_signers", "fixed": True}
    rows = [
        {**looked("line-a"), "signers": {**signers, "changed": "2026-11-21T09:12:00+00:00"}},
        {**looked("roof-01"), "signers": nobody},
        {**looked("roof-02"), "signers": fixed},
    ]
    rig.registry.add_run("target-look", None, {}, {"targets": rows})
    page = rig.page(DeployPage)
    page.show_view(VIEW)
    view, card = page.boards, page.boards.signers
    assert "Select a board above" in visible_texts(card)
    assert card.table.isHidden()
    choose(view, "line-a")
    (cells,) = texts(card.table)
    assert cells[:3] == ["ann@desk", 'ed25519 · valid-before="20270101"', key["fingerprint"]]
    assert cells[3].startswith("20 Nov")
    assert cells[4] == "bob@lab"
    assert "Last changed 21 Nov" in visible_texts(card)
    assert card.change.isEnabled()
    choose(view, "roof-01")
    accepts = "roof-01 accepts unsigned releases from every user who can log in."
    assert card.text.text().startswith(accepts)
    assert card.table.isHidden()
    choose(view, "roof-02")
    assert "Only the administrator of roof-02 can change it" in card.change.toolTip()
    choose(view, "This computer")
    assert card.text.text() == "Unknown. Press Refresh to check this computer."


def test_an_empty_history_says_what_it_is_for(rig: Rig) -> None:
    page = rig.page(DeployPage)
    page.show_view(HISTORY)
    view = page.record
    assert "rollbacks and undeployments on all targets appear here" in visible_texts(view)
    assert not view.table.isVisible()
    details = {"version": 1, "name": "digits", "by": "ann@desk", "variant_name": "int8"}
    rig.registry.add_release("local", None, "a" * 64, "serving", details)
    page.refresh()
    assert view.table.isVisible()
    assert "This computer" in said(view)
    view.words.setText("attic")
    assert view.note.text() == "No matching changes."


def test_a_board_is_added_from_here(rig: Rig) -> None:
    page = rig.page(DeployPage)
    page.show_view(VIEW)
    page.boards.add_button.click()
    assert rig.shell.went == ["targets"]
