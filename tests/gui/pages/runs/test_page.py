"""The Runs page: pipelines with their gates, what was done as pipelines, versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.api import UsageError
from studio.gui.pages.deploy.page import DeployPage
from studio.gui.pages.model.page import ModelPage
from studio.gui.pages.monitor.page import MonitorPage
from studio.gui.pages.plugins.page import PluginsPage
from studio.gui.pages.quantize.page import QuantizePage
from studio.gui.pages.runs.page import HISTORY, RunsPage
from studio.gui.pages.shared.base import Page
from studio.gui.pages.targets.page import TargetsPage
from studio.jobs import End
from studio.settings import resource
from studio.versions.results import AliasMove
from studio.workspace import JobOutcome, RunChanged, RunRequest
from tests.e2e.conftest import Studio
from tests.gui.conftest import MakeWindow
from tests.gui.page_rig import Rig, opened, visible_texts
from tests.gui.run_rig import run_in_window
from tests.rigs import killing

PATIENCE_MS = 240_000
GATES = [
    {"name": "small", "passed": True, "value": 0.3, "limit": "at most 0.5", "text": ""},
    {"name": "fast", "passed": False, "value": 1.2, "limit": "at most 1", "text": "int8"},
]


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def journal(rig: Rig, name: str, **more: Any) -> Path:
    """A run of a pipeline, as its folder tells it."""
    folder = rig.workspace.paths.data / "runs" / name
    (folder / "results").mkdir(parents=True)
    step = {"id": "int8", "step": "quantize", "state": "succeeded", "seconds": 2.0, "key": "k"}
    document = {
        "id": name,
        "pipeline": {"name": "digits", "title": "Digits", "file": "pipeline.toml"},
        "state": "succeeded",
        "started": "2026-11-26T08:00:00.000+00:00",
        "ended": "2026-11-26T08:01:00.000+00:00",
        "steps": [{**step, "message": ""}],
        "gates": GATES[:1],
        "artefacts": {"int8.model": "ab" * 32},
        "values": {"target": "local"},
        **more,
    }
    (folder / "run.json").write_text(json.dumps(document))
    (folder / "results" / "int8.json").write_text(json.dumps({"size_ratio": 0.3}))
    (folder / "recipe.toml").write_text("[pipeline]\n")
    return folder


def page_of(rig: Rig) -> RunsPage:
    page = rig.page(RunsPage)
    page.runs._read()
    return page


def test_without_runs_the_page_says_what_they_are(rig: Rig) -> None:
    page = page_of(rig)
    assert "No pipeline runs yet" in visible_texts(page)
    page.show_view(HISTORY)
    assert "No activity yet" in visible_texts(page)
    assert "Open a model…" in visible_texts(page)
    page.show_view(2)
    assert "No versions yet" in visible_texts(page)


def test_a_run_with_its_gates_the_missed_ones_first(rig: Rig) -> None:
    journal(rig, "digits-1", state="gate not met", gates=GATES)
    detail = page_of(rig).runs.detail
    assert [(one.state, one.name, one.text) for one in detail.gates.rows] == [
        ("failed", "fast", "1.2, at most 1: int8"),
        ("passed", "small", "0.3, at most 0.5"),
    ]
    assert detail.state.text() == "gate failed"
    assert detail.report.toolTip() == "This run has no report yet."
    assert detail.again.isHidden(), "a run that has reached its end offers to go on"


def test_two_runs_are_compared(rig: Rig) -> None:
    journal(rig, "digits-1")
    folder = journal(rig, "digits-2", artefacts={"int8.model": "cd" * 32}, gates=GATES)
    (folder / "results" / "int8.json").write_text(json.dumps({"size_ratio": 0.6}))
    page = page_of(rig)
    page.runs._chosen("digits-2")
    page.runs.detail.against.click()
    texts = [row.texts for row in page.runs.detail.table.content.rows]
    assert ("int8: size_ratio", "0.3", "0.6", "+100.0 %") in texts
    assert ("gate: fast", "none", "failed", "") in texts
    assert ("int8.model", "abababababab", "cdcdcdcdcdcd", "differs") in texts


def test_an_interrupted_run_goes_on(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    journal(rig, "digits-1", state="running")
    page = page_of(rig)
    assert page.runs.detail.state.text() == "interrupted"
    monkeypatch.setattr(rig.workspace.runs, "start_again", lambda name: Running(name))
    page.runs.detail.again.click()
    assert page.primary is not None
    assert page.primary.toolTip() == "A pipeline is running. Wait for it to finish or stop it."
    page.on_event(RunChanged("digits-1", "running", "deploy", 5, 13))
    assert page.runs.strip.text.text() == "Step 5 of 13: deploy"
    page.on_event(RunChanged("digits-1", "gate not met"))
    assert rig.shell.said == ["A gate failed. The deployment steps after it did not run."]
    assert page.primary.isEnabled()


class Running:
    """A pipeline that is said to run."""

    error = None
    running = True

    def __init__(self, name: str) -> None:
        self.id = name
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


def test_a_pipeline_that_is_wrong_is_said_and_not_run(rig: Rig, tmp_path: Path) -> None:
    page = page_of(rig)
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text('[pipeline]\nname = "r"\n[[steps]]\nstep = "opne"\n')
    page.run(pipeline)
    (error,) = rig.shell.failed
    assert isinstance(error, UsageError)
    assert "line 4, column 1: unknown step 'opne'; the nearest is 'open'." in error.message


def test_what_was_done_is_saved_as_the_pipeline_that_repeats_it(rig: Rig, tmp_path: Path) -> None:
    ledger = rig.registry.ledger
    model, data = tmp_path / "digits.onnx", tmp_path / "data.npz"
    variant = rig.variant()
    ledger.add_action("open", {"model": str(model)}, {"variant": variant.id}, "window")
    small = rig.variant("int8", variant)
    given = {"model": f"#{variant.id}", "data": str(data), "method": "static-int8"}
    number = ledger.add_action("quantize", given, {"variant": small.id}, "window")
    page = page_of(rig)
    page.show_action(number)
    text = page.history.text.toPlainText()
    assert 'model = "${open.variant}"' in text
    assert "method" not in text, "what is the default anyway is not written"
    page.history.write(number, tmp_path / "saved.toml")
    written = (tmp_path / "saved.toml").read_text()
    assert 'model = "digits.onnx"' in written
    assert 'data = "data.npz"' in written
    pipeline = rig.workspace.runs.check(written, "saved.toml", tmp_path)
    assert [step.step for step in pipeline.steps] == ["open", "quantize"]
    assert rig.shell.said[0].startswith("Saved as")


def test_the_history_says_what_each_step_was_about_and_where(rig: Rig) -> None:
    ledger = rig.registry.ledger
    variant = rig.variant()
    small = rig.variant("int8", variant)
    made = {"variant": small.id, "name": "int8"}
    ledger.add_action("quantize", {"model": f"#{variant.id}"}, made, "window")
    both = [f"#{variant.id}", f"#{small.id}"]
    ledger.add_action("profile", {"model": both}, {"target": "local"}, "recipe r")
    ledger.add_action("deploy", {"bundle": "/store/ab/digits-2", "target": "local"}, {}, "window")
    ledger.add_action("trust", {"target": "roof"}, {}, "command")
    many = {"target": ["a", "b", "c", "d"], "model": "digits:int8"}
    ledger.add_action("rollout", many, {}, "window")
    page = page_of(rig)
    page.show_view(HISTORY)
    page.refresh()
    about = [line.texts[1] for line in page.history.table.content.rows]
    assert about == [
        "digits:int8, a, b and 2 more",
        "roof",
        "digits-2, This computer",
        "digits:fp32, digits:int8",
        "digits:int8",
    ]


def test_a_version_is_promoted_and_its_alias_rolled_back(rig: Rig, tmp_path: Path) -> None:
    variant = rig.variant()
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}")
    rig.registry.add_version(variant.model, variant.id, rig.registry.adopt(bundle), "a" * 64, 1)
    page = page_of(rig)
    page.show_view(2)
    view = page.versions
    assert view.table.selected() == "digits:1"
    assert view.title.text() == "digits:1"
    assert [one.state for one in view.origin.rows] == ["open"]
    view.alias.setText("")
    assert view.promote.toolTip() == "Enter an alias: production, candidate…"
    view.alias.setText("production")
    view.promote.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options) == (
        "version-promote",
        {"version": "digits:1", "alias": "production"},
    )
    assert view.back.toolTip() == "Wait for the running job or cancel it."
    result = AliasMove(
        model="digits",
        alias="production",
        before=None,
        to=1,
        digest="a" * 64,
        bundle=str(bundle),
        why="promoted",
        evidence={},
        at="2026-11-28T12:00:00.000+00:00",
    )
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    assert rig.shell.said == ["digits@production points to version 1."]
    view.back.click()
    assert rig.shell.jobs[-1].options == {"model": "digits", "alias": "production"}


@pytest.mark.slow
@pytest.mark.long
def test_the_digits_pipeline_in_the_window_gives_the_digests_of_the_command_line(
    make_window: MakeWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    pipeline = killing.digits_pipeline(tmp_path / "digits")
    window = make_window()
    run = run_in_window(window, qtbot, pipeline, PATIENCE_MS)
    studio = Studio(tmp_path / "command")
    try:
        report = studio.ok("run", pipeline, timeout=PATIENCE_MS / 1000)
    finally:
        studio.run("undeploy", "--target", "local", "--purge")
    assert report["artefacts"] == run.artefacts
    assert len(run.artefacts) == 4
    assert {action.source for action in window.workspace.registry.ledger.actions()} == {
        f"recipe {run.id}"
    }


def test_a_pipeline_is_run_from_the_window_with_its_own_thread(
    make_window: MakeWindow, digits_home: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    pipeline = tmp_path / "pipeline.toml"
    model = resource("samples", "digits", "digits.onnx")
    pipeline.write_text(f'[pipeline]\nname = "r"\n[[steps]]\nstep = "open"\nmodel = "{model}"\n')
    window = make_window(digits_home)
    started = window.workspace.runs.start(pipeline, RunRequest())
    qtbot.waitUntil(lambda: not started.running, timeout=PATIENCE_MS)
    assert started.report is not None
    assert started.report.exit_code == 0


@pytest.mark.parametrize(
    ("page", "view", "step"),
    [
        (ModelPage, "", "edit"),
        (QuantizePage, "", "quantize"),
        (DeployPage, "rollout", "rollout"),
        (DeployPage, "boards", "trust"),
        (MonitorPage, "", "monitor"),
        (MonitorPage, "", "monitor-test"),
        (PluginsPage, "", "environment-install"),
    ],
)
def test_each_page_shows_what_was_done_there_last_as_a_pipeline(
    rig: Rig, page: type[Page], view: str, step: str
) -> None:
    shown = rig.page(page)
    where = getattr(shown, view) if view else shown
    buttons = [b for b in where.findChildren(QPushButton) if b.text() == "Show as pipeline"]
    (pipeline,) = buttons
    pipeline.click()
    assert rig.shell.shown == []
    assert rig.shell.said[-1].startswith("No action on this page")
    ledger = rig.registry.ledger
    wanted = ledger.add_action(step, {}, {}, "window")
    ledger.add_action("samples-get", {}, {}, "window")  # of another page
    pipeline.click()
    assert rig.shell.shown[-1] == wanted
    names = [action.text() for action in shown.actions()]
    assert f"{shown.title}: show as pipeline" in names


@pytest.mark.parametrize(
    ("page", "view", "step", "options"),
    [
        (TargetsPage, "", "target-probe", {"target": "local"}),
        (TargetsPage, "", "target-find", {"source": ["config"]}),
        (DeployPage, "boards", "target-look", {"target": ["local"]}),
        (DeployPage, "record", "verify-log", {"target": "local"}),
        (MonitorPage, "", "monitor-fleet", {"seconds": 1.0}),
    ],
)
def test_what_only_looks_is_in_no_history_and_still_had_as_a_pipeline(
    rig: Rig, tmp_path: Path, page: type[Page], view: str, step: str, options: dict[str, Any]
) -> None:
    shown = rig.page(page)
    ledger = rig.registry.ledger
    older = ledger.add_action("trust", {"target": "local"}, {}, "window")
    job = rig.workspace.start(step, **options)
    where = getattr(shown, view) if view else shown
    (pipeline,) = [b for b in where.findChildren(QPushButton) if b.text() == "Show as pipeline"]
    pipeline.click()
    (number,) = rig.shell.shown
    job.cancel()
    job.wait(PATIENCE_MS / 1000)
    assert [action.id for action in ledger.actions()] == [older]
    runs = page_of(rig)
    runs.show_action(number)
    assert "Read-only actions are not listed" in visible_texts(runs.history)
    assert runs.history.table.selected() is None
    runs.refresh()  # a job ends meanwhile
    text = runs.history.text.toPlainText()
    (told,) = rig.workspace.runs.check(text, "pipeline.toml", tmp_path).steps
    assert told.step == step
    runs.history.write(number, tmp_path / "saved.toml")
    assert (tmp_path / "saved.toml").read_text() == text
    runs.history.table.selectRow(0)
    assert 'step = "trust"' in runs.history.text.toPlainText()


def test_a_run_is_shown_as_a_pipeline(rig: Rig) -> None:
    journal(rig, "20261126-080000-aaaa")
    page = page_of(rig)
    page.runs.detail.pipeline.click()
    assert rig.shell.said[-1].startswith("All steps were cached")
    ledger = rig.registry.ledger
    wanted = ledger.add_action("quantize", {}, {}, "recipe 20261126-080000-aaaa")
    ledger.add_action("quantize", {}, {}, "recipe another")
    page.runs.detail.pipeline.click()
    assert rig.shell.shown == [wanted]
