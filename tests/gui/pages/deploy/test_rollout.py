"""The Deploy page's other verbs: a rollout, a target's log, what is there, take away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QAbstractSpinBox
from pytestqt.qtbot import QtBot

from studio.api import Resource, TargetSpec, UsageError
from studio.deployment.results import LogsResult, ResourcesResult
from studio.gui.pages.deploy.page import DeployPage
from studio.gui.pages.deploy.rollout_view import RolloutView
from studio.gui.pages.shared.question import Question
from studio.jobs import End
from studio.monitoring.endpoint.results import CallResult
from studio.rollouts.results import RolloutResult, TargetOutcome
from studio.workspace import JobOutcome
from tests.gui.page_rig import Rig, opened, visible_texts

BOARD = TargetSpec("jetson-07", "ssh://nvidia@10.0.0.7:2222")


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        made.workspace.add_target(BOARD)
        yield made


def rollout_view(rig: Rig) -> RolloutView:
    page = rig.page(DeployPage, rig.variant())
    page.show_view(1)
    return page.rollout


def confirm(view: RolloutView) -> None:
    question = view.findChildren(Question)[-1]
    question.confirm.click()


def row(target: str, state: str, text: str = "", wave: int = 1) -> dict[str, Any]:
    return {"target": target, "state": state, "text": text, "wave": wave, "seconds": 1.5}


def test_a_rollout_is_started_with_what_the_form_says(rig: Rig) -> None:
    variant = rig.variant()
    page = rig.page(DeployPage, variant)
    page.show_view(1)
    view = page.rollout
    assert view.start_button.toolTip() == "Select targets first."
    view.form.set_values({"target": ["local", "jetson-07"], "strategy": "waves"})
    assert view.start_button.isEnabled()
    view.start_button.click()
    assert rig.shell.jobs == []  # the network asks
    (question,) = view.findChildren(Question)
    assert question.text() == "Roll out fp32 to this computer, jetson-07?"
    question.confirm.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options["model"]) == ("rollout", f"#{variant.id}")
    assert (job.options["target"], job.options["strategy"]) == (["local", "jetson-07"], "waves")


def test_a_rollout_on_this_computer_does_not_ask(rig: Rig) -> None:
    view = rollout_view(rig)
    view.form.set_values({"target": ["local"]})
    view.start_button.click()
    assert [job.step for job in rig.shell.jobs] == ["rollout"]


def test_a_group_with_a_board_asks_and_no_is_no(rig: Rig) -> None:
    rig.workspace.registry.groups.set("roofs", ["jetson-07"])
    view = rollout_view(rig)
    view.form.set_values({"target": ["local", "@roofs"]})
    view.start_button.click()
    (question,) = view.findChildren(Question)
    assert "jetson-07" in question.text()
    question.cancel.click()
    assert rig.shell.jobs == []


def test_what_was_asked_is_rolled_out_though_another_model_was_opened(rig: Rig) -> None:
    view = rollout_view(rig)
    asked = view.variant
    assert asked is not None
    view.form.set_values({"target": ["jetson-07"]})
    view.start_button.click()
    view.refresh(replace(asked, id=asked.id + 1))  # as when a job ends behind the question
    confirm(view)
    assert rig.shell.jobs[-1].options["model"] == f"#{asked.id}"


def test_many_targets_are_counted_in_the_question(rig: Rig) -> None:
    names = [f"roof-{number}" for number in range(5)]
    for name in names:
        rig.workspace.add_target(TargetSpec(name, f"ssh://{name}"))
    view = rollout_view(rig)
    view.form.set_values({"target": names})
    view.start_button.click()
    (question,) = view.findChildren(Question)
    assert question.text() == "Roll out fp32 to roof-0, roof-1, roof-2 and 2 more targets?"


def test_a_rollout_is_resumed_after_a_confirmation(rig: Rig) -> None:
    view = rollout_view(rig)
    view.resume()
    assert rig.shell.jobs == []
    (question,) = view.findChildren(Question)
    question.confirm.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options["resume"]) == ("rollout", "last")


def test_each_target_is_told_live_then_the_outcome(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.show_view(1)
    view = page.rollout
    view.form.set_values({"target": ["local", "jetson-07"]})
    view.start()
    confirm(view)
    rig.message(page, "rollout", targets=[row("local", "judging"), row("jetson-07", "waiting")])
    assert [one.state for one in view.rows.rows] == ["judging", "waiting"]
    targets = (
        TargetOutcome("local", 1, "taken back", "3 of 50 requests failed", 1.5),
        TargetOutcome("jetson-07", 1, "not begun", "the rollout was halted", 1.5),
    )
    result = RolloutResult("halted", "20261128", "digits", 3, "a" * 64, targets, 0, 2.0)
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    assert [one.state for one in view.rows.rows] == ["rolled back", "pending"]
    assert rig.shell.said == ["v3 halted; kept on 0 of 2 targets."]
    assert "3 of 50 requests failed" in " ".join(one.text for one in view.rows.rows)


def test_the_log_and_what_is_there(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.tools.log.click()
    assert (rig.shell.jobs[-1].step, rig.shell.jobs[-1].options["target"]) == ("logs", "local")
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=LogsResult("local", ("first", "last"))))
    assert page.tools.text.toPlainText() == "first\nlast"
    page.tools.there.click()
    resources = ResourcesResult(
        "local", (Resource("container", "edgewright-digits", running=True),)
    )
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=resources))
    assert "edgewright-digits" in page.tools.text.toPlainText()
    page.gallery.choose("jetson-07")
    assert not page.tools.text.isVisibleTo(page)


def test_a_program_that_calls_the_model_is_shown(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    assert page.tools.call.toolTip() == "No release is running on this target."
    details = {"version": 3, "name": "digits", "endpoint": "http://127.0.0.1:8477"}
    rig.registry.add_release("local", None, "a" * 64, "serving", details)
    page.refresh()
    menu = page.tools.call.menu()
    assert [action.text() for action in menu.actions()] == ["curl", "Python", "JavaScript"]
    menu.actions()[1].trigger()
    (job,) = rig.shell.jobs
    assert (job.step, job.options) == ("call", {"target": "local", "print": "python"})
    program = CallResult("local", "digits", "3", code="import json\nURL = 1\n")
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=program))
    assert page.tools.text.toPlainText() == "import json\nURL = 1"


def test_taking_away_asks_first(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    assert not page.tools.take_away.isEnabled()
    details = {"version": 3, "name": "digits", "endpoint": "http://127.0.0.1:8477"}
    rig.registry.add_release("local", None, "a" * 64, "serving", details)
    page.refresh()
    page.tools.take_away.click()
    assert "Stop the release on this computer?" in visible_texts(page)
    assert not rig.shell.jobs
    page.tools.confirm.click()
    assert (rig.shell.jobs[-1].step, rig.shell.jobs[-1].options) == (
        "undeploy",
        {"target": "local"},
    )


def test_only_a_canary_can_be_promoted(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    assert not page.tools.promote.isVisibleTo(page)
    rig.registry.add_release("local", None, "b" * 64, "canary", {"version": 4, "name": "digits"})
    page.refresh()
    assert page.tools.promote.isVisibleTo(page)
    page.tools.promote.click()
    assert rig.shell.jobs[-1].step == "promote"


def test_a_trial_is_offered_and_a_platform_says_why_it_has_none(rig: Rig) -> None:
    rig.workspace.add_target(TargetSpec("shop", "kubernetes:lab/shop"))
    rig.workspace.add_target(TargetSpec("box", "docker:box"))
    page = rig.page(DeployPage, rig.variant())
    page.show_view(1)
    view = page.rollout
    field = view.form.fields["trial"]
    view.form.set_values({"target": ["local", "shop"], "trial": "each"})
    assert field.note.text().startswith("shop runs each release in a separate server")
    assert field.note.text().endswith("Golden samples decide on this target.")
    view.form.set_values({"target": ["local", "box"]})
    assert field.note.isHidden(), "a container engine has both releases at once"
    view.start_button.click()
    confirm(view)
    assert rig.shell.jobs[-1].options["trial"] == "each"


def test_the_deploy_sheet_offers_a_trial_where_one_can_be_held(rig: Rig) -> None:
    rig.workspace.add_target(TargetSpec("shop", "kubernetes:lab/shop"))
    rig.workspace.add_target(TargetSpec("box", "docker:box"))
    page = rig.page(DeployPage, rig.variant())
    field = page.form.fields["trial"]
    page.gallery.choose("jetson-07")
    page.check.options.click()
    assert field.editor.isEnabled()
    assert field.isVisible(), "what protects a board is not folded away"
    page.form.set_values({"trial": True})
    page.gallery.choose("shop")
    samples = page.form.fields["keep_samples"]
    for one, said in ((field, "separate server"), (samples, "cannot keep requests")):
        assert not one.editor.isEnabled()
        assert said in one.note.text()
    assert not page.form.values()["trial"]
    page.gallery.choose("box")
    assert (field.editor.isEnabled(), samples.editor.isEnabled()) == (True, False)
    page.gallery.choose("jetson-07")
    assert field.editor.isEnabled()
    assert field.note.isHidden()


def test_a_rollout_may_keep_and_compare_requests_where_a_target_can(rig: Rig) -> None:
    rig.workspace.add_target(TargetSpec("shop", "docker://"))
    rig.workspace.add_target(TargetSpec("lab", "kubernetes:lab/shop"))
    page = rig.page(DeployPage, rig.variant())
    page.show_view(1)
    view = page.rollout
    kept = {"keep_samples": 20, "samples_mb": 8.0, "shadow_cpu": 2.0, "embedding": "auto"}
    assert set(kept) < set(view.form.fields)
    view.form.set_values({"target": ["local", "shop"], **kept})
    assert view.form.fields["keep_samples"].note.text().startswith("shop cannot keep requests")
    assert view.form.fields["shadow_cpu"].note.isHidden(), "a container engine has both releases"
    view.form.set_values({"target": ["local", "lab"]})
    assert view.form.fields["shadow_cpu"].note.text().startswith("No shadow comparison: lab")
    view.form.set_values({"shadow_cpu": 0.0})
    assert view.form.fields["shadow_cpu"].note.isHidden()
    view.form.set_values({"shadow_cpu": 2.0})
    view.form.set_values({"target": ["local", "jetson-07"]})
    assert view.form.fields["keep_samples"].note.isHidden()
    view.start_button.click()
    confirm(view)
    options = rig.shell.jobs[-1].options
    assert {name: options[name] for name in kept} == kept


def test_nothing_is_kept_unless_the_form_says_so(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.show_view(1)
    page.rollout.form.set_values({"target": ["local"]})
    page.rollout.start_button.click()
    options = rig.shell.jobs[-1].options
    assert (options["keep_samples"], options["shadow_cpu"]) == (0, 0.0)
    assert "embedding" not in options


def test_the_deploy_sheet_says_where_requests_cannot_be_kept(rig: Rig) -> None:
    rig.workspace.add_target(TargetSpec("shop", "docker://"))
    page = rig.page(DeployPage, rig.variant())
    page.gallery.choose("jetson-07")
    page.form.set_values({"keep_samples": 20, "shadow_cpu": 2.0})
    assert page.form.values()["keep_samples"] == 20
    page.gallery.choose("shop")
    fields = page.form.fields
    assert [fields[n].editor.isEnabled() for n in ("keep_samples", "samples_mb")] == [False, False]
    assert fields["shadow_cpu"].editor.isEnabled(), "a container engine has both releases"
    assert page.form.values()["keep_samples"] == 0, "what another target could not do is not asked"
    page.gallery.choose("jetson-07")
    assert page.form.fields["keep_samples"].editor.isEnabled()


def test_a_soak_is_left_to_the_step_unless_it_is_given(rig: Rig) -> None:
    """A second is a second, and what nobody entered is no number at all."""
    page = rig.page(DeployPage, rig.variant())
    page.form.set_values({"trial": True})
    assert "soak_s" not in page.form.values()
    field = page.form.fields["soak_s"].editor
    assert field.findChild(QAbstractSpinBox).text() == "1 s; in a trial 300 s"
    page.form.set_values({"soak_s": 1})
    assert page.form.values()["soak_s"] == 1.0
    page.form.set_values({"soak_s": None})
    assert "soak_s" not in page.form.values()
    page.show_view(1)
    page.rollout.form.set_values({"trial_s": 1})
    assert page.rollout.form.values()["trial_s"] == 1.0


def test_a_rollout_that_needs_approval_becomes_a_plan(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.workspace.boards.approvals import Approvals

    made: list[tuple[str, dict[str, Any]]] = []

    def make(_self: Approvals, step: str, options: dict[str, Any]) -> None:
        made.append((step, options))
        raise UsageError("The plan cannot be made.")

    monkeypatch.setattr(Approvals, "make", make)
    view = rollout_view(rig)
    view.form.set_values({"target": ["jetson-07"], "needs_approval": True})
    view.start_button.click()
    assert rig.shell.jobs == []
    ((step, options),) = made
    assert (step, options["needs_approval"]) == ("rollout", True)
    assert [str(one) for one in rig.shell.failed] == ["The plan cannot be made."]
