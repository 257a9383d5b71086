"""The sheet of a deployment: Connect, Configure, Review, for boards and for platforms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from studio.api import Option, TargetSpec
from studio.api.discovery import Candidate
from studio.deployment.results import DeployResult, DeployStep, FindResult
from studio.documents.dataclass_json import from_json
from studio.gui.pages.deploy.form import folded
from studio.gui.pages.deploy.page import DeployPage
from studio.gui.pages.deploy.sheet import CONFIGURE, CONNECT, REVIEW
from studio.jobs import End
from studio.workspace import JobOutcome
from tests.gui.page_rig import Rig, opened, visible_texts

BOARD = TargetSpec("jetson-07", "ssh://nvidia@10.0.0.7:2222")
BOX = TargetSpec("box", "docker:box")
PLAN = [
    {"name": "connect", "state": "done", "text": "Ubuntu 22.04, aarch64"},
    {"name": "disk", "state": "checked", "text": "18,200 MB is free"},
    {"name": "transfer", "state": "planned", "text": "3 files, 1.4 MB"},
]
MOST_FIELDS = 8


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        for target in (BOARD, BOX):
            made.workspace.add_target(target)
        yield made


def done(result: object = None) -> JobOutcome:
    return JobOutcome(End.SUCCEEDED, result=result)


def plan_of(steps: list[dict[str, str]], **more: Any) -> DeployResult:
    made = from_json(tuple[DeployStep, ...], steps)
    result = DeployResult("jetson-07", "r", 4, "digits", "int8", "planned", steps=made)
    return replace(result, **more)


def names(rig: Rig) -> set[str]:
    return {target.name for target in rig.registry.targets()}


def connect(rig: Rig, page: DeployPage, kind: str, **values: str) -> None:
    """Open the sheet of a kind, enter a new target and press Connect."""
    page.gallery.kind_tiles[kind].click()
    if rig.shell.jobs and rig.shell.jobs[-1].step == "target-find":
        rig.finish(page, done(FindResult((), ())))
    form = page.sheet.connect_step.form
    assert form is not None
    form.set_values(values)
    page.sheet.primary.click()


def test_a_failed_connect_adds_no_target(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    connect(rig, page, "ssh", name="roof", url="pi@10.0.0.9")
    job = rig.shell.jobs[-1]
    assert (job.step, job.options) == ("target-probe", {"target": "roof"})
    assert page.sheet.primary.toolTip() == "The target is being checked."
    rig.finish(page, JobOutcome(End.FAILED, message="10.0.0.9 does not answer."))
    assert names(rig) == {"local", "jetson-07", "box"}
    assert page.sheet.stack.currentIndex() == CONNECT
    assert "10.0.0.9 does not answer." in visible_texts(page.sheet)
    assert page.sheet.primary.text() == "Connect"


def test_a_connect_that_succeeds_leads_to_configure(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    connect(rig, page, "ssh", name="roof", url="pi@10.0.0.9")
    rig.registry.set_facts("roof", {"board": "Raspberry Pi 5", "arch": "aarch64"})
    rig.finish(page, done({}))
    assert rig.registry.target("roof").url == "ssh://pi@10.0.0.9"
    assert page.sheet.stack.currentIndex() == CONFIGURE
    assert page.gallery.selected == "roof"
    page.sheet.close_sheet()
    assert "roof" in names(rig)


def test_a_key_that_nobody_confirms_leaves_no_target(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    fields = {"key": "ssh-ed25519 AAAAC3", "fingerprint": "SHA256:8qZq"}
    unknown = JobOutcome(End.FAILED, message="Unknown.", error="UnknownHost", fields=fields)
    connect(rig, page, "ssh", name="roof", url="pi@10.0.0.9")
    rig.finish(page, unknown)
    contact = page.sheet.connect_step.contact
    assert contact.isVisible()
    contact.dismiss.click()
    assert "roof" not in names(rig)
    page.sheet.primary.click()
    rig.finish(page, unknown)
    contact.compared.setChecked(True)
    contact.trust.click()
    assert rig.shell.jobs[-1].step == "target-probe"
    rig.finish(page, done({}))
    assert rig.registry.target("roof").host_key == "ssh-ed25519 AAAAC3"


def test_closing_during_the_check_takes_the_target_back(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    connect(rig, page, "ssh", name="roof", url="pi@10.0.0.9")
    page.sheet.close_sheet()
    rig.finish(page, done({}))
    assert "roof" not in names(rig)


def test_what_is_found_comes_with_the_known_and_fills_the_form(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.gallery.kind_tiles["ssh"].click()
    step = page.sheet.connect_step
    assert list(step.rows) == ["jetson-07"]
    assert rig.shell.jobs[-1].step == "target-find"
    found = (
        Candidate("rk3588-2", "ssh://192.168.4.58", "mdns", {}, "announced"),
        Candidate("jetson-07", BOARD.url, "config"),
    )
    rig.finish(page, done(FindResult(found, ())))
    assert list(step.rows) == ["jetson-07", "ssh://192.168.4.58"]
    step.rows["ssh://192.168.4.58"].click()
    assert page.sheet.primary.text() == "Connect"
    page.sheet.primary.click()
    assert rig.registry.target("rk3588-2").url == "ssh://192.168.4.58"


def test_a_known_target_is_checked_while_one_looks(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.gallery.kind_tiles["ssh"].click()
    rig.finish(page, done(FindResult((), ())))
    step = page.sheet.connect_step
    step.rows["jetson-07"].click()
    assert rig.shell.jobs[-1].options == {"target": "jetson-07"}
    assert page.sheet.primary.text() == "Configure"
    rig.finish(page, JobOutcome(End.FAILED, message="It does not answer."))
    assert step.pill.text() == "unreachable"
    assert "jetson-07" in names(rig), "it was a target before"
    assert page.gallery.tiles["jetson-07"].state.full_text() == "unreachable"


def test_a_name_that_exists_is_not_taken_over(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    connect(rig, page, "ssh", name="jetson-07", url="pi@10.0.0.9")
    assert rig.registry.target("jetson-07").url == BOARD.url
    assert "A target named jetson-07 exists." in visible_texts(page.sheet)


def test_a_deployment_over_the_network_is_reviewed_first(rig: Rig) -> None:
    variant = rig.variant()
    page = rig.page(DeployPage, variant)
    page.gallery.choose("jetson-07")
    page.deploy()
    sheet = page.sheet
    assert sheet.stack.currentIndex() == REVIEW
    assert [job.options["dry_run"] for job in rig.shell.jobs] == [True]
    rig.finish(page, done(plan_of(PLAN)))
    assert sheet.review_step.pill.text() == "2 of 2 checks passed"
    assert "v4 fp32" in visible_texts(sheet)
    assert sheet.primary.text() == "Deploy to jetson-07"
    sheet.primary.click()
    last = rig.shell.jobs[-1].options
    assert (last["dry_run"], last["target"], last["model"]) == (
        False,
        "jetson-07",
        f"#{variant.id}",
    )
    assert "replace" not in last
    rig.message(page, "step", steps=[{"name": "transfer", "state": "running", "text": ""}])
    assert sheet.isVisible()
    assert not sheet.primary.isEnabled()
    rig.finish(page, done(replace(plan_of([]), state="serving", seconds=2.0)))
    assert not sheet.isVisible()
    assert rig.shell.said == ["v4 serves on jetson-07; it took 2.0 s."]


def test_callers_from_the_network_are_reviewed_on_this_computer_too(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.form.set_values({"expose": "network"})
    page.deploy()
    assert page.sheet.stack.currentIndex() == REVIEW
    assert rig.shell.jobs[-1].options["dry_run"] is True


def test_a_blocked_dry_run_explains_the_button(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.gallery.choose("jetson-07")
    page.deploy()
    steps = [{"name": "disk", "state": "blocked", "text": "The disk is too full."}]
    rig.finish(page, done(plan_of(steps, possible=False)))
    assert not page.sheet.primary.isEnabled()
    assert page.sheet.primary.toolTip() == "Disk: The disk is too full."
    assert page.sheet.review_step.pill.text() == "1 check failed"
    page.sheet.again.click()
    assert len(rig.shell.jobs) == 2


def test_a_model_that_only_the_dry_run_finds_is_replaced_after_a_click(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.gallery.choose("jetson-07")
    page.deploy()
    text = "jetson-07 already serves doors, not digits."
    steps = [{"name": "model", "state": "blocked", "text": text}]
    rig.finish(page, done(plan_of(steps, possible=False)))
    agree = page.sheet.review_step.agree
    assert agree.isVisible()
    assert not page.sheet.primary.isEnabled()
    agree.click()
    assert rig.shell.jobs[-1].options["replace"] is True
    assert rig.shell.jobs[-1].options["dry_run"] is True
    rig.finish(page, done(plan_of(PLAN)))
    page.sheet.primary.click()
    assert rig.shell.jobs[-1].options["replace"] is True
    page.sheet.close_sheet()
    rig.finish(page, JobOutcome(End.FAILED, message="No."))
    page.deploy()
    assert "replace" not in rig.shell.jobs[-1].options, "each deployment is agreed to anew"


def test_the_cost_and_the_diff_of_a_platform_are_shown(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.gallery.choose("box")
    page.deploy()
    documents = {"a.yaml": "replicas: 2", "service.diff": "-replicas: 1\n+replicas: 2"}
    plan = plan_of(PLAN, cost_per_hour=0.21, currency="USD", documents=documents)
    rig.finish(page, done(plan))
    shown = visible_texts(page.sheet)
    assert "0.21 USD an hour" in shown
    assert "153 USD" in shown
    page.sheet.review_step.documents.toggle.click()
    assert "service.diff\n-replicas: 1" in visible_texts(page.sheet)


def test_rows_that_arrive_are_not_squashed_in_the_first_picture(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.gallery.choose("jetson-07")
    page.deploy()
    step = page.sheet.review_step
    step.details.setChecked(True)
    QApplication.processEvents()
    text = "A text that wraps over two lines at least in a sheet as narrow as this one. " * 2
    rows = [{"name": f"step {n}", "state": "planned", "text": text} for n in range(8)]
    rig.finish(page, done(plan_of(rows)))
    texts = [one for one in step.steps.findChildren(QLabel) if one.text() == text]
    assert len(texts) == 8
    assert all(one.height() >= one.heightForWidth(one.width()) for one in texts)
    before = step.size()
    QApplication.processEvents()
    assert step.size() == before, "nothing moves after the first picture"


def test_a_platform_takes_its_own_options_and_no_machines(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.form.set_values({"expose": "loopback", "token": "generate"})
    page.gallery.choose("box")
    page.check.options.click()
    own = page.sheet.configure_step.own
    assert own is not None
    own.set_values({"port": 9000})
    page.sheet.primary.click()
    options = rig.shell.jobs[-1].options
    assert options["set"] == ["port=9000"]
    assert not {"expose", "token", "port"} & set(options)


@pytest.mark.parametrize("target", ["local", "jetson-07", "box"])
def test_configure_shows_at_most_eight_fields(rig: Rig, target: str) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.gallery.choose(target)
    page.check.options.click()
    step = page.sheet.configure_step
    forms = [form for form in (step.form, step.own) if form is not None]
    seen = [f for form in forms for f in form.fields.values() if f.isVisibleTo(page)]
    assert 0 < len(seen) <= MOST_FIELDS


@pytest.mark.parametrize(
    "target",
    [
        TargetSpec("vx", "vertex://us-central1/shop", "", {"project": "p"}),
        TargetSpec("az", "azureml://shop/cnn", "", {}),
    ],
)
def test_a_cloud_shows_at_most_eight_and_the_rest_folded(rig: Rig, target: TargetSpec) -> None:
    rig.workspace.add_target(target)
    page = rig.page(DeployPage, rig.variant())
    page.gallery.choose(target.name)
    page.check.options.click()
    step = page.sheet.configure_step
    assert step.own is not None
    seen = [
        field
        for form in (step.form, step.own)
        for field in form.fields.values()
        if field.isVisibleTo(page)
    ]
    assert 4 < len(seen) <= MOST_FIELDS
    toggle = next(one for one in step.own.findChildren(QPushButton) if "More" in one.text())
    toggle.click()
    assert all(field.isVisibleTo(page) for field in step.own.fields.values())


def test_the_first_options_of_a_sheet_are_in_sight_and_all_required_ones() -> None:
    plain = [Option(f"o{number}", help="One.") for number in range(6)]
    rare, needed = Option("rare", advanced=True), Option("needed", required=True)
    shown = [o.name for o in folded([rare, *plain, needed], 4) if not o.advanced]
    assert shown == ["o0", "o1", "o2", "needed"]
    assert not any(option.advanced for option in folded([needed], 0))


def test_nothing_behind_takes_clicks_and_escape_closes(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    assert page.primary is not None
    page.check.options.click()
    sheet, tile = page.sheet, page.gallery.tiles["jetson-07"]
    assert page.primary.isHidden()
    place = tile.mapTo(page, QPoint(20, 20))
    assert page.childAt(place) is sheet
    QTest.mouseClick(sheet, Qt.MouseButton.LeftButton, pos=place)
    assert page.gallery.selected == "local"
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    assert page.primary.isVisible()
    assert rig.shell.jobs == []


def test_escape_gives_the_keyboard_back_to_what_opened_the_sheet(rig: Rig, qtbot: QtBot) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.activateWindow()
    tile = page.gallery.kind_tiles["ssh"]
    qtbot.waitUntil(tile.isVisible)
    tile.setFocus()
    qtbot.waitUntil(tile.hasFocus)
    tile.click()
    qtbot.waitUntil(lambda: page.sheet.isAncestorOf(QApplication.focusWidget()))
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert not page.sheet.isVisible()
    assert tile.hasFocus(), "else Enter deploys"


def test_the_tab_key_stays_in_the_sheet(rig: Rig, qtbot: QtBot) -> None:
    page = rig.page(DeployPage, rig.variant())
    page.activateWindow()
    page.check.options.click()
    sheet = page.sheet
    qtbot.waitUntil(sheet.primary.hasFocus)
    for _ in range(60):
        focus = QApplication.focusWidget()
        assert focus is not None
        assert sheet.isAncestorOf(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)


def test_the_sheet_is_512_wide_and_leaves_the_gallery_alone(rig: Rig) -> None:
    page = rig.page(DeployPage, rig.variant())
    width = page.gallery.width()
    page.check.options.click()
    assert page.sheet.panel.width() == 512
    assert page.gallery.width() == width
    right = page.gallery.mapTo(page, QPoint(page.gallery.width(), 0)).x()
    assert right <= page.sheet.panel.x()
