"""The panel of clusters, with the window's own host and a shell that notes what it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.gui.panels.host import Host
from studio.jobs import End, JobOutcome, JobProgress
from studio.workspace import JobFinished, JobProgressed, Workspace
from studio_kubernetes.panel import ClusterPanel
from tests.gui.page_rig import Rig
from tests.rigs.kubernetes import kubeconfig

pytestmark = pytest.mark.slow


class Place:
    """A panel in a window's place for it."""

    def __init__(self, rig: Rig, model: bool = True) -> None:
        self.rig = rig
        self.holder = QWidget()
        plugin = rig.workspace.plugins.plugin("studio_kubernetes")
        capability = next(one for one in plugin.capabilities if one.id == "kubernetes.cluster")
        variant = rig.variant() if model else None
        shell: Any = rig.shell
        self.host = Host(rig.workspace, shell, capability, self.holder, lambda: variant)
        self.panel = ClusterPanel(self.host)
        self.panel.setParent(self.holder)
        self.panel.refresh()

    def finish(self, **result: Any) -> None:
        job: Any = self.rig.shell.jobs[-1]
        job.outcome = JobOutcome(End.SUCCEEDED, result=result)
        self.host.on_event(JobFinished(job))


@pytest.fixture
def rig(tmp_path: Path, qtbot: QtBot) -> Iterator[Rig]:
    with Workspace.open(tmp_path / "home") as workspace:
        made = Rig(workspace, tmp_path)
        yield made
        made.close()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:1")
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def add(place: Place, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: place.panel.context.count() == 3, timeout=20_000)
    place.panel.namespace.setText("prod")
    place.panel.name.setText("digits")
    place.panel.add.click()
    place.panel.form.set_values({"target": "admin-digits", "image": "r/{name}:{version}"})


def test_contexts_become_targets(rig: Rig, config: Path, qtbot: QtBot) -> None:
    place = Place(rig)
    assert not place.panel.verbs["deploy"].isEnabled()
    assert "Add a target first" in place.panel.verbs["deploy"].toolTip()
    add(place, qtbot)
    names = [place.panel.context.itemText(at) for at in range(3)]
    assert names[0] == "admin", "the current one comes first"
    assert [one.url for one in place.host.targets()] == ["kubernetes://admin/prod/digits"]
    assert place.panel.verbs["deploy"].isEnabled()


def test_a_name_that_the_cluster_forbids(rig: Rig, config: Path, qtbot: QtBot) -> None:
    place = Place(rig)
    qtbot.waitUntil(lambda: place.panel.context.count() == 3, timeout=20_000)
    place.panel.name.setText("My Model")
    place.panel.add.click()
    assert "does not allow the name" in str(rig.shell.failed[-1])
    assert not place.host.targets()


def test_no_kubeconfig_is_said(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    place = Place(rig)
    qtbot.waitUntil(lambda: "no kubeconfig" in place.panel.status.text(), timeout=20_000)
    assert not place.panel.add.isEnabled()


def test_a_preview_shows_the_manifests_and_the_difference(
    rig: Rig, config: Path, qtbot: QtBot
) -> None:
    place = Place(rig)
    add(place, qtbot)
    place.panel.verbs["preview"].click()
    job = rig.shell.jobs[-1]
    assert (job.step, job.options["target"], job.options["dry_run"]) == (
        "deploy",
        "admin-digits",
        True,
    )
    # What was not touched is left to the settings of the target.
    assert job.options["set"] == ["image=r/{name}:{version}"]
    assert not place.panel.verbs["deploy"].isEnabled(), "one at a time"
    row = {"name": "create", "state": "planned", "text": "create Deployment digits"}
    documents = {"deployment.yaml": "kind: Deployment\n", "changes.diff": "+kind: Deployment\n"}
    place.finish(state="planned", possible=True, steps=[row], documents=documents)
    tabs = place.panel.documents
    assert [tabs.tabText(at) for at in range(tabs.count())] == ["changes.diff", "deployment.yaml"]
    shown = tabs.widget(0)
    assert isinstance(shown, QPlainTextEdit)
    assert shown.toPlainText() == "+kind: Deployment\n"
    assert place.panel.status.text() == "1 object would change."
    assert place.panel.verbs["deploy"].isEnabled()


def test_what_stands_in_the_way(rig: Rig, config: Path, qtbot: QtBot) -> None:
    place = Place(rig)
    add(place, qtbot)
    place.panel.verbs["preview"].click()
    row = {"name": "create", "state": "blocked", "text": "'viewer' may not patch deployments."}
    place.finish(state="planned", possible=False, steps=[row], documents={})
    assert place.panel.status.text() == "'viewer' may not patch deployments."


def test_a_rollout_is_followed_and_cancelled(rig: Rig, config: Path, qtbot: QtBot) -> None:
    place = Place(rig)
    add(place, qtbot)
    place.panel.form.set_values({"canary": 20})
    place.panel.verbs["deploy"].click()
    job: Any = rig.shell.jobs[-1]
    assert job.options["canary"] == 20
    assert not [pair for pair in job.options["set"] if pair.startswith("canary")]

    job.state = JobProgress(1, 2, "digits: 1 of 2 replicas ready")
    place.host.on_event(JobProgressed(job))
    assert place.panel.status.text() == "digits: 1 of 2 replicas ready"
    place.panel.verbs["cancel"].click()
    assert job.cancelled


@pytest.mark.parametrize("verb", ["promote", "rollback"])
def test_verbs(rig: Rig, config: Path, qtbot: QtBot, verb: str) -> None:
    place = Place(rig)
    add(place, qtbot)
    place.panel.verbs[verb].click()
    job = rig.shell.jobs[-1]
    assert (job.step, job.options) == (verb, {"target": "admin-digits"})


def test_without_a_model(rig: Rig, config: Path) -> None:
    rig.workspace.add_target(TargetSpec("web", "kubernetes:///prod/digits"))
    place = Place(rig, model=False)
    assert place.panel.verbs["deploy"].toolTip() == "Open a model first."
    assert json.loads(config.read_text())["current-context"] == "admin"
