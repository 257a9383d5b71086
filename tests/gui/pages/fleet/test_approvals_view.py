"""The approvals inbox: what waits, who may approve it, and what the buttons do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from studio.gui.pages.fleet.page import APPROVALS, BOARDS, FleetPage
from studio.plans import PlanEntry, PlanRequest
from studio.plans.approvals import signed
from studio.plans.exchange import read_plan, write_approval
from studio.plans.plans import Plans
from studio.settings.user import owner
from studio.workspace import RegistryChanged
from tests.gui.page_rig import Rig, opened, visible_texts
from tests.rigs.plan_approvers import allow, approver_key, second_person, set_author


@pytest.fixture
def rig(qtbot: QtBot, tmp_path: Path) -> Iterator[Rig]:
    with opened(tmp_path / "home", tmp_path) as found:
        yield found


def plan(rig: Rig, **options: object) -> PlanEntry:
    """Make a plan of a step that changes something quickly."""
    given = {"target": "*", "minutes": 5, **options}
    return rig.workspace.plans.make(PlanRequest("monitor-silence", given))  # type: ignore[arg-type]


def shown(rig: Rig) -> FleetPage:
    """Return the page with its inbox."""
    page = rig.page(FleetPage)
    page.show_view(APPROVALS)
    return page


def approve(page: FleetPage, digits: str) -> None:
    """Type digits, and press the button."""
    page.approvals.digits.setText(digits)
    page.approvals.approve.click()


def test_without_plans_there_is_one_sentence(rig: Rig) -> None:
    assert "No plans yet" in visible_texts(shown(rig))


def test_a_plan_is_listed_with_its_author_and_what_it_does(rig: Rig) -> None:
    made = plan(rig)
    page = shown(rig)
    (row,) = page.approvals.table.content.rows
    assert row.texts[0] == made.digest[:12]
    assert row.texts[2:4] == ("waiting", owner())
    assert made.plan.lines[0] in page.approvals.text.toPlainText()
    assert made.digest in page.approvals.text.toPlainText()


def test_approve_needs_the_digits_of_the_plan(rig: Rig) -> None:
    made = plan(rig)
    page = shown(rig)
    assert not page.approvals.approve.isEnabled()
    approve(page, "0" * 8)
    assert rig.workspace.plans.one(made.digest).state == "waiting"
    assert "the digits differ" in page.approvals.fault.text()
    approve(page, made.digest[:8])
    assert rig.workspace.plans.one(made.digest).state == "approved"
    assert page.approvals.start.isVisible()


def test_a_rejected_plan_stays_in_the_list_as_such(rig: Rig) -> None:
    made = plan(rig)
    page = shown(rig)
    page.approvals.reject.click()
    assert rig.workspace.plans.one(made.digest).state == "rejected"
    assert page.approvals.table.content.rows[0].texts[2] == "rejected"
    assert not page.approvals.reject.isEnabled()


def test_an_approved_plan_is_carried_out(rig: Rig, qtbot: QtBot) -> None:
    made = plan(rig)
    page = shown(rig)
    approve(page, made.digest[:8])
    page.approvals.start.click()
    qtbot.waitUntil(lambda: rig.workspace.plans.one(made.digest).state == "done", timeout=30_000)


def test_the_author_of_a_rollout_is_told_that_another_person_approves(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.plans.record import ChangePlan

    monkeypatch.setattr(ChangePlan, "needs_second", property(lambda _: True))
    made = plan(rig)
    page = shown(rig)
    assert "A second person approves it" in page.approvals.reason.text()
    page.approvals.digits.setText(made.digest[:8])
    assert not page.approvals.approve.isEnabled()
    page.approvals._approve()
    assert rig.workspace.plans.one(made.digest).state == "waiting"
    second_person(monkeypatch)
    page.approvals.refresh()
    page.approvals.approve.click()
    assert rig.workspace.plans.one(made.digest).by == "bob@desk"


@pytest.mark.needs("ssh-keygen")
def test_where_approvers_are_named_their_key_is_needed(rig: Rig, tmp_path: Path) -> None:
    key = approver_key(tmp_path)
    allow(rig.workspace.paths, key, "bob@desk")
    made = plan(rig)
    page = shown(rig)
    page.approvals.digits.setText(made.digest[:8])
    assert "Choose your SSH key" in page.approvals.approve.toolTip()
    page.approvals.key.set_value(str(key))
    page.approvals.approve.click()
    assert rig.workspace.plans.one(made.digest).by == "bob@desk"


@pytest.mark.needs("ssh-keygen")
def test_a_plan_is_signed_at_another_computer(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, file = approver_key(tmp_path), tmp_path / "a.plan"
    set_author(rig.workspace.paths)
    made = plan(rig)
    page = shown(rig)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
    page.approvals.export.click()
    assert read_plan(file) == made.plan
    back = tmp_path / "a.plan.signed"
    write_approval(back, signed(made.digest, read_plan(file), key, made.plan.made + 1))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(back), ""))
    page.approvals.receive.click()
    assert "The file of approvers is missing" in page.approvals.fault.text()
    allow(rig.workspace.paths, key, "bob@desk")
    page.approvals.receive.click()
    assert rig.workspace.plans.one(made.digest).by == "bob@desk"
    assert not page.approvals.export.isVisible()


def test_a_place_that_cannot_be_written_is_one_sentence(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(rig)
    page = shown(rig)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("/proc/a.plan", ""))
    page.approvals.export.click()
    assert "/proc/a.plan cannot be written" in page.approvals.fault.text()


def test_the_text_of_a_plan_is_no_markup(rig: Rig) -> None:
    made = plan(rig, target="<b>x</b>")
    page = shown(rig)
    assert "<b>x</b>" in page.approvals.text.toPlainText()
    assert made.digest in page.approvals.text.toPlainText()


def test_a_visit_shows_plans_that_wait_since_the_last_one(rig: Rig) -> None:
    plan(rig)
    page = rig.page(FleetPage)
    assert page.stack.currentIndex() == APPROVALS
    page.show_view(BOARDS)
    page.hide()
    page.show()
    assert page.stack.currentIndex() == BOARDS
    page.hide()
    plan(rig)
    page.show()
    assert page.stack.currentIndex() == APPROVALS


def test_a_plan_of_another_studio_is_answered_here_and_starts_there(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(rig)
    for state in ("waiting", "approved"):
        foreign = PlanEntry(made.digest, made.plan, state, is_foreign=True)
        monkeypatch.setattr(Plans, "all", lambda _self, one=foreign: [one])
        view = shown(rig).approvals
        assert "Another studio of the shared registry made it" in view.text.toPlainText()
        assert [view.start.isHidden(), view.export.isHidden(), view.receive.isHidden()] == [
            True
        ] * 3
        assert view.approve.isHidden() == (state == "approved")
        assert not view.reject.isHidden()


def test_the_rail_counts_again_after_an_answer(rig: Rig) -> None:
    made = plan(rig)
    page = shown(rig)
    heard: list[object] = []
    rig.workspace.events.subscribe(heard.append)
    approve(page, made.digest[:8])
    assert RegistryChanged("plans") in heard
