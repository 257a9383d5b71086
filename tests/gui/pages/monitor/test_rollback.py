"""The release history of an endpoint, and the rollback in two clicks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.deployment.results import SwitchResult
from studio.gui.pages.monitor.page import MonitorPage
from studio.gui.pages.monitor.release_rows import release_markers, release_rows
from studio.gui.pages.shared.question import Question
from studio.jobs import End
from studio.workspace import JobOutcome
from tests.gui.page_rig import Rig, opened

A, B, C = ("ab" * 32, "cd" * 32, "ef" * 32)


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def release(
    rig: Rig, digest: str, version: int, name: str = "fp32", target: str = "local",
    model: str = "digits", state: str = "serving",
) -> None:  # fmt: skip
    details = {"version": version, "name": model, "variant_name": name, "by": "ann@bench",
               "endpoint": "http://127.0.0.1:8477"}  # fmt: skip
    rig.registry.add_release(target, None, digest, state, details)


def test_the_history_names_models_and_versions(rig: Rig) -> None:
    release(rig, A, 1)
    release(rig, B, 2, "int8")
    rig.registry.add_release("local", None, B, "rolled back", {"version": 2, "reason": "slow."})
    release(rig, A, 1)
    rows = release_rows(rig.registry.releases("local"), {A: True, B: True})
    assert [(row.name, row.state, row.to) for row in rows] == [
        ("digits v1 fp32", "live", ""),
        ("digits v2 int8", "rolled back", "2"),
        ("digits v2 int8", "replaced", ""),
        ("digits v1 fp32", "replaced", ""),
    ]
    assert rows[1].detail.endswith(" · slow")
    assert rows[0].detail.endswith(" · ann")
    texts = [marker.text for marker in release_markers(rig.registry.releases("local"))]
    assert texts == ["rolled back to v1 fp32", "v2 int8", "v1 fp32"]


def test_only_a_release_that_is_still_there_can_be_rolled_back_to(rig: Rig) -> None:
    for digest, version in ((A, 1), (B, 2), (C, 3)):
        release(rig, digest, version)
    releases = rig.registry.releases("local")
    assert [row.to for row in release_rows(releases, {A: False, B: True})] == ["", "2", ""]
    assert [row.to for row in release_rows(releases, {A: True, B: True})] == ["", "2", "1"]
    assert [row.to for row in release_rows(releases, None)] == ["", "2", ""], "before it is known"


def test_two_releases_of_one_number_are_told_apart_by_their_digest(rig: Rig) -> None:
    release(rig, A, 1, model="tags")
    release(rig, B, 1, model="digits")
    rows = release_rows(rig.registry.releases("local"), {A: True})
    assert [row.to for row in rows] == ["", A]


def test_nothing_can_be_rolled_back_where_nothing_serves(rig: Rig) -> None:
    release(rig, A, 1)
    release(rig, B, 2)
    rig.registry.add_release("local", None, B, "removed", {"version": 2})
    rows = release_rows(rig.registry.releases("local"), {A: True, B: True})
    assert [row.state for row in rows] == ["undeployed", "replaced", "replaced"]
    assert {row.to for row in rows} == {""}


def test_one_click_on_the_page_rolls_back_on_this_computer_and_undo_goes_back(rig: Rig) -> None:
    release(rig, A, 1)
    release(rig, B, 2, "int8")
    page = rig.page(MonitorPage)
    said: list[tuple[str, object]] = []
    rig.shell.notify = (  # type: ignore[method-assign]
        lambda text, tone="", action=None: said.append((text, action))
    )
    assert page.back.text() == "Roll back to v1"
    page.back.click()
    job = rig.shell.jobs[-1]
    assert (job.step, job.options) == ("rollback", {"target": "local", "to": "1"})
    assert not page.back.isEnabled()
    assert page.back.toolTip().startswith("A job is changing the release.")
    rig.registry.add_release("local", None, B, "rolled back", {"version": 2})
    release(rig, A, 1)
    result = SwitchResult(
        target="local", left_version=2, to=1, release=A, name="digits", seconds=1.6, by="", at=""
    )
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    ((text, action),) = said
    assert text == "v1 serves again on this computer; it took 1.6 s."
    assert not page.back.isEnabled()
    assert page.back.toolTip() == "No earlier release to roll back to.", "v2 was rolled back itself"
    assert action is not None
    action.run()  # type: ignore[attr-defined]
    assert rig.shell.jobs[-1].options == {"target": "local", "to": "2"}


def test_a_rollback_in_the_history_is_one_click_too(rig: Rig) -> None:
    for digest, version in ((A, 1), (B, 2), (C, 3)):
        release(rig, digest, version)
    page = rig.page(MonitorPage)
    known = [{"release": digest, "version": number, "state": "replaced", "kept": True}
             for digest, number in ((A, 1), (B, 2))]  # fmt: skip
    rig.message(page, "releases", releases=known)
    buttons = page.view.releases.buttons
    assert [one.accessibleName() for one in buttons] == [
        "Roll back to digits v2 fp32",
        "Roll back to digits v1 fp32",
    ]
    assert isinstance(buttons[1], QPushButton)
    buttons[1].click()
    assert rig.shell.jobs[-1].options == {"target": "local", "to": "1"}


@pytest.mark.parametrize("agreed", [True, False])
def test_a_rollback_on_the_network_asks_with_what_is_replaced(rig: Rig, agreed: bool) -> None:
    rig.workspace.add_target(TargetSpec("roof", "ssh://me@roof"))
    release(rig, A, 1, target="roof")
    release(rig, B, 2, "int8", target="roof")
    page = rig.page(MonitorPage)
    assert page.back.text() == "Roll back to v1…"
    before = len(rig.shell.jobs)
    page.back.click()
    assert len(rig.shell.jobs) == before, "nothing happens before the answer"
    (question,) = page.findChildren(Question)
    assert question.text() == "Roll back roof to digits v1 fp32?"
    assert question.informativeText().startswith("It replaces digits v2 int8.")
    assert question.defaultButton() is question.cancel
    (question.confirm if agreed else question.cancel).click()
    steps = [job.step for job in rig.shell.jobs[before:]]
    assert steps == (["rollback"] if agreed else [])


def test_a_rollback_to_another_model_asks_on_this_computer_too(rig: Rig) -> None:
    release(rig, A, 1, model="tags")
    release(rig, B, 2)
    page = rig.page(MonitorPage)
    page.back.click()
    (question,) = page.findChildren(Question)
    assert question.informativeText().startswith("It replaces digits v2 fp32.")
    question.cancel.click()
    assert [job.step for job in rig.shell.jobs] == ["monitor-live"]
