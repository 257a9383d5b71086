"""The Deploy page: plan, deploy, history, the way back, first contact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.deployment.results import DeployResult, DeployStep, ServerResult
from studio.documents.dataclass_json import from_json
from studio.gui.pages.deploy import rows as deploy_rows
from studio.gui.pages.deploy.page import DeployPage
from studio.jobs import End
from studio.monitoring.results import Alert, FleetSample
from studio.workspace import EndpointChanged, JobOutcome, ReleaseRecord
from tests.gui.page_rig import Rig, opened, visible_texts

BOARD = TargetSpec("jetson-07", "ssh://nvidia@10.0.0.7:2222")
PLAN = [
    {"name": "connect", "state": "done", "text": "Ubuntu 22.04, aarch64"},
    {"name": "disk", "state": "checked", "text": "18,200 MB is free"},
    {"name": "transfer", "state": "planned", "text": "3 files, 1.4 MB"},
    {"name": "switch", "state": "planned", "text": "one rename"},
]
FINGERPRINT = "SHA256:8qZq1bJ0vWkVwb8T1n5mE0j7sPq3mA9G2f0yV4xQh1k"


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def released(rig: Rig, version: int, state: str = "serving", **details: Any) -> None:
    values = {
        "version": version,
        "name": "digits",
        "variant_name": f"variant {version}",
        "endpoint": "http://127.0.0.1:8477",
        "by": "ann@workstation",
        **details,
    }
    rig.registry.add_release("local", None, f"{version:064x}", state, values)


def result_of(steps: list[dict[str, str]], state: str = "planned") -> DeployResult:
    made = from_json(tuple[DeployStep, ...], steps)
    return DeployResult("local", "r", 1, "digits", "int8", state, seconds=2.34, steps=made)


def tile(page: DeployPage, name: str) -> tuple[str, str, str]:
    """Title, text and state of a target's tile."""
    made = page.gallery.tiles[name]
    return made.title.full_text(), made.about.full_text(), made.state.full_text()


def state(page: DeployPage, name: str = "local") -> str:
    return tile(page, name)[2]


def test_targets_are_tiles_with_what_runs_there(rig: Rig) -> None:
    rig.workspace.add_target(BOARD)
    rig.registry.set_facts("jetson-07", {"board": "Orin Nano", "arch": "aarch64"})
    released(rig, 3)
    page = rig.page(DeployPage, rig.variant())
    assert tile(page, "local") == ("This computer", "digits · local", "v3 variant 3 · serving")
    assert tile(page, "jetson-07") == (
        "jetson-07",
        "board · Orin Nano · aarch64",
        "no release",
    )
    assert "Not checked yet." in page.gallery.tiles["jetson-07"].toolTip()


def test_what_nobody_has_looked_at_is_not_called_anything(rig: Rig) -> None:
    rig.workspace.add_target(BOARD)
    page = rig.page(DeployPage, rig.variant())
    assert state(page, "jetson-07") == "not checked yet"
    look = {"target": "jetson-07", "state": "no answer", "release": "", "facts": {}}
    rig.registry.add_run("target-look", None, {}, {"targets": [look]})
    page.refresh()
    assert state(page, "jetson-07") == "unreachable"


def test_a_protected_target_gets_a_plan(rig: Rig) -> None:
    rig.workspace.add_target(BOARD)
    rig.registry.labels.change("jetson-07", {"approval": "required"})
    page = rig.page(DeployPage, rig.variant())
    assert page.primary is not None
    assert page.primary.text() == "Deploy to this computer"
    page.gallery.tiles["jetson-07"].click()
    assert page.primary.text() == "Plan deploy to jetson-07"


def test_a_tile_selects_its_target(rig: Rig) -> None:
    rig.workspace.add_target(BOARD)
    page = rig.page(DeployPage, rig.variant())
    assert page.gallery.tiles["local"].isChecked()
    page.gallery.tiles["jetson-07"].click()
    assert page.primary is not None
    assert page.primary.text() == "Deploy to jetson-07"
    assert not page.gallery.tiles["local"].isChecked()
    page.plan_button.click()
    assert rig.shell.jobs[-1].options["target"] == "jetson-07"


def test_plan_changes_nothing_and_is_shown_in_words(rig: Rig) -> None:
    variant = rig.variant()
    page = rig.page(DeployPage, variant)
    page.plan_button.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options["dry_run"]) == ("deploy", True)
    assert (job.options["model"], job.options["target"]) == (f"#{variant.id}", "local")
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of(PLAN)))
    assert [row.state for row in page.steps.rows] == ["done", "checked", "pending", "pending"]
    shown = visible_texts(page)
    assert "no changes made" in shown
    assert "18,200 MB is free" in shown
    assert page.plan_button.text() == "Check again"


def test_plan_with_something_in_the_way_explains_the_button(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.plan()
    steps = [{"name": "disk", "state": "blocked", "text": "The disk is too full."}]
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of(steps)))
    assert page.primary is not None
    assert not page.primary.isEnabled()
    assert page.primary.toolTip() == "Disk: The disk is too full."


def test_deploy_shows_its_steps_live_then_that_it_serves(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.plan()
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of(PLAN)))
    assert page.primary is not None
    assert page.primary.text() == "Deploy to this computer"
    page.primary.click()
    assert rig.shell.jobs[-1].options["dry_run"] is False
    assert "no changes made" not in visible_texts(page)
    rig.message(page, "step", steps=[{"name": "transfer", "state": "running", "text": ""}])
    assert [(row.name, row.state) for row in page.steps.rows] == [
        ("Transfer", "running"),
        ("Switch", "pending"),
    ]
    released(rig, 1, variant_name="fp32")
    result = result_of([{"name": "switch", "state": "done"}], "serving")
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    assert rig.shell.said == ["v1 serves on this computer; it took 2.3 s."]
    assert [action.text for action in rig.shell.actions if action] == ["Try it"]
    assert page.primary.text() == "Monitor this computer", "the next step"
    page.primary.click()
    assert rig.shell.went == ["monitor"]
    page.plan()
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of(PLAN)))
    assert page.primary.text() == "Deploy to this computer"
    assert state(page) == "v1 fp32 · serving"
    assert "http://127.0.0.1:8477" in page.endpoint_card.endpoint.full_text()


def test_failed_step_says_why(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.deploy()
    rig.message(page, "step", steps=[{"name": "probe", "state": "running", "text": ""}])
    rig.finish(page, JobOutcome(End.FAILED, message="The probe gave another answer."))
    (row,) = page.steps.rows
    assert (row.state, row.text) == ("failed", "The probe gave another answer.")


def test_another_variant_makes_the_plan_void(rig: Rig) -> None:
    first = rig.variant()
    second = rig.variant("int8", first)
    page = rig.page(DeployPage, first)
    page.plan()
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of(PLAN)))
    page.show_variant(second)
    assert page.steps.rows == ()
    assert page.plan_button.text() == "Check"


def test_roll_back_takes_two_clicks(rig: Rig) -> None:
    released(rig, 11)
    released(rig, 12)
    page = rig.page(DeployPage, rig.variant())
    assert page.history.back.text() == "Roll back to v11 variant 11…"
    page.history.back.click()
    assert rig.shell.jobs == []
    assert page.history.confirm.isVisible()
    assert "Roll back from v12 variant 12 to v11 variant 11?" in visible_texts(page)
    page.history.confirm.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options) == ("rollback", {"target": "local", "to": "11"})


def test_roll_back_can_be_thought_over(rig: Rig) -> None:
    released(rig, 11)
    released(rig, 12)
    page = rig.page(DeployPage, rig.variant())
    page.history.back.click()
    page.history.show_question(False)
    assert not page.history.confirm.isVisible()
    assert page.history.back.isVisible()
    assert rig.shell.jobs == []


def history(rig: Rig) -> list[ReleaseRecord]:
    return rig.registry.releases("local")


def test_history_names_what_was_replaced_and_taken_back(rig: Rig) -> None:
    released(rig, 1)
    released(rig, 2)
    released(rig, 2, "rolled back", variant_name=None)
    released(rig, 1)
    lines = [line[:3] for line in deploy_rows.history(history(rig))]
    assert lines == [
        ("v1 variant 1", "serving", "good"),
        ("v2 variant 2", "rolled back", "warning"),
        ("v2 variant 2", "replaced", ""),
        ("v1 variant 1", "replaced", ""),
    ]
    assert deploy_rows.rollback_candidate(history(rig)) is None


def test_nothing_runs_after_it_was_taken_away(rig: Rig) -> None:
    released(rig, 1)
    rig.registry.add_release("local", None, f"{1:064x}", "removed", {"version": 1})
    page = rig.page(DeployPage, rig.variant())
    assert state(page) == "no release"
    assert not page.history.back.isVisible()


def test_a_measured_state_is_of_the_release_that_serves(rig: Rig) -> None:
    released(rig, 2)
    page = rig.page(DeployPage, rig.variant())
    page.plan()
    sample = {"target": "local", "health": "healthy", "throughput": 31.0, "errors": 0}
    rig.message(page, "sample", **sample, latency_ms={"p50": 11.9}, digest=f"{2:064x}")
    page.refresh()
    assert state(page) == "v2 variant 2 · healthy"
    released(rig, 3)
    page.refresh()
    assert state(page) == "v3 variant 3 · serving"


def test_first_contact_needs_an_explicit_tick(rig: Rig) -> None:
    rig.workspace.add_target(BOARD)
    page = rig.page(DeployPage, rig.variant())
    page.gallery.choose("jetson-07")
    page.plan()
    fields = {"key": "ssh-ed25519 AAAAC3", "fingerprint": FINGERPRINT}
    message = "The key of jetson-07 was never confirmed."
    rig.finish(page, JobOutcome(End.FAILED, message=message, error="UnknownHost", fields=fields))
    panel = page.contact
    assert panel.isVisible()
    assert panel.fingerprint.text() == FINGERPRINT
    assert "ssh_host_ed25519_key" in panel.command.text()
    assert not panel.trust.isEnabled()
    panel.trust.click()
    assert rig.registry.target("jetson-07").host_key == ""
    panel.compared.setChecked(True)
    panel.trust.click()
    assert rig.registry.target("jetson-07").host_key == "ssh-ed25519 AAAAC3"
    assert not panel.isVisible()
    assert [job.step for job in rig.shell.jobs] == ["deploy", "deploy"]
    assert rig.shell.jobs[-1].options["dry_run"] is True


def test_changed_key_cannot_be_trusted_here(rig: Rig) -> None:
    rig.workspace.add_target(BOARD)
    page = rig.page(DeployPage, rig.variant())
    page.gallery.choose("jetson-07")
    page.plan()
    rig.finish(page, JobOutcome(End.FAILED, message="Changed.", error="ChangedHost"))
    assert not page.contact.isVisible()


@pytest.mark.parametrize(
    ("error", "word"), [("TargetError", "unreachable"), ("", "not checked yet")]
)
def test_a_board_that_a_check_did_not_reach_is_unreachable(rig: Rig, error: str, word: str) -> None:
    rig.workspace.add_target(BOARD)
    page = rig.page(DeployPage, rig.variant())
    page.gallery.choose("jetson-07")
    page.plan()
    rig.finish(page, JobOutcome(End.FAILED, message="10.0.0.7 does not answer.", error=error))
    assert state(page, "jetson-07") == word


def test_the_form_asks_who_may_call(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    assert {"expose", "token", "token_file", "tls", "cert", "key"} <= set(page.form.fields)
    page.form.set_values({"expose": "network", "token": "generate", "tls": "self-signed"})
    page.plan()
    asked = rig.shell.jobs[-1].options
    assert (asked["expose"], asked["token"], asked["tls"]) == ("network", "generate", "self-signed")


def test_call_can_be_copied(rig: Rig) -> None:
    released(rig, 1)
    page = rig.page(DeployPage, rig.variant())
    card = page.endpoint_card
    card.copy()
    assert QGuiApplication.clipboard().text() == card.curl.full_text()
    assert card.curl.full_text().startswith("curl -s http://127.0.0.1:8477")


def test_without_a_model_the_button_says_so(rig: Rig) -> None:
    page = rig.page(DeployPage)
    assert page.primary is not None
    assert not page.primary.isEnabled()
    assert page.primary.toolTip() == "Open a model first."


def test_the_form_asks_why_an_older_version_is_wanted(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.plan()
    assert not rig.shell.jobs[-1].options.get("downgrade")
    steps = [{"name": "counter", "state": "blocked", "text": "Version 1 of cnn is older."}]
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of(steps)))
    assert page.primary is not None
    assert not page.primary.isEnabled()
    page.form.set_values({"downgrade": "2 misreads the night shift"})
    page.plan()
    assert rig.shell.jobs[-1].options["downgrade"] == "2 misreads the night shift"


def test_another_model_is_replaced_after_a_question_only(rig: Rig) -> None:
    released(rig, 3, name="doors")
    page = rig.page(DeployPage, rig.variant())
    page.deploy()
    sheet = page.sheet
    assert [job.options["dry_run"] for job in rig.shell.jobs] == [True], "only a dry run"
    assert sheet.isVisible()
    assert "doors on this computer is replaced by digits." in visible_texts(sheet)
    assert not sheet.primary.isEnabled()
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of(PLAN)))
    assert sheet.primary.text() == "Replace doors on this computer"
    sheet.close_sheet()
    assert [job.options["dry_run"] for job in rig.shell.jobs] == [True]
    page.deploy()
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of(PLAN)))
    sheet.primary.click()
    last = rig.shell.jobs[-1].options
    assert (last["replace"], last["dry_run"]) == (True, False)
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of([], "serving")))
    assert not sheet.isVisible()


def test_an_endpoint_beside_another_model_needs_no_question(rig: Rig) -> None:
    released(rig, 3, name="doors")
    page = rig.page(DeployPage, rig.variant())
    page.form.set_values({"endpoint": "gate"})
    page.deploy()
    assert rig.shell.jobs[-1].options["endpoint"] == "gate"
    result = replace(result_of([], "serving"), target="local/gate", seconds=1.0)
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    assert rig.shell.said == ["v1 serves on this computer/gate; it took 1.0 s."]


def test_a_server_is_stopped_and_started_from_the_page(rig: Rig) -> None:
    released(rig, 3)
    page = rig.page(DeployPage, rig.variant())
    page.tools.end.click()
    assert rig.shell.jobs[-1].step == "stop"
    result = ServerResult("local", "stopped", "", "", "ann@desk", f"{3:064x}")
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    assert state(page) == "v3 variant 3 · stopped"
    page.tools.begin.click()
    assert rig.shell.jobs[-1].step == "start"


def test_the_state_is_that_of_monitor_and_the_rail(rig: Rig) -> None:
    released(rig, 3)
    page = rig.page(DeployPage, rig.variant())
    drift = FleetSample("local", health="healthy", alerts=(Alert("drift", "warning", "Differs."),))
    rig.workspace.endpoints.ingest([drift])
    page.on_event(EndpointChanged("local"))
    assert state(page) == "v3 variant 3 · drift"
    page.tools.end.click()
    stopped = ServerResult("local", "stopped", "", "", "ann@desk", f"{3:064x}")
    rig.workspace.endpoints._checked["local"] -= timedelta(seconds=30)
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=stopped))
    assert state(page) == "v3 variant 3 · stopped", "newer than the last sample"


def test_what_a_look_has_learned_is_shown(rig: Rig) -> None:
    released(rig, 3)
    row = {"target": "local", "state": "stopped", "release": f"{3:064x}", "facts": {}}
    rig.registry.add_run("target-look", None, {}, {"targets": [row]})
    page = rig.page(DeployPage, rig.variant())
    assert state(page) == "v3 variant 3 · stopped"
