"""The panel of Vertex AI, with the window's own host and a shell that notes what it is asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.api.testing_panels import check_panel
from studio.workspace import Workspace
from studio_vertex.panel import VertexPanel
from tests.gui.page_rig import Rig
from tests.gui.panel_rig import PanelPlace

pytestmark = pytest.mark.slow

NAME = "digits-my-project-1-us-central1"


@pytest.fixture
def rig(tmp_path: Path, qtbot: QtBot) -> Iterator[Rig]:
    with Workspace.open(tmp_path / "home") as workspace:
        made = Rig(workspace, tmp_path)
        yield made
        made.close()


def place_of(rig: Rig, model: bool = True) -> PanelPlace[VertexPanel]:
    return PanelPlace(rig, VertexPanel, "studio_vertex", "vertex.endpoint", model)


def added(rig: Rig, model: bool = True) -> PanelPlace[VertexPanel]:
    place = place_of(rig, model)
    values = {"project": "my-project-1", "region": "us-central1", "endpoint": "digits"}
    place.panel.place.set_values(values)
    place.panel.add.click()
    return place


def test_the_conformance_suite(qtbot: QtBot) -> None:
    qtbot.addWidget(check_panel(VertexPanel))


def test_it_is_imported_without_googles_library() -> None:
    code = "import sys, studio_vertex.panel; print(*sys.modules, sep='\\n')"
    run = [sys.executable, "-c", code]
    found = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert "studio_vertex.panel" in found
    assert not [name for name in found if name.split(".")[0] in ("google", "requests")]


def test_an_endpoint_becomes_a_target(rig: Rig) -> None:
    place = added(rig)
    spec = TargetSpec(NAME, "vertex://us-central1/digits", settings={"project": "my-project-1"})
    assert list(place.host.targets()) == [spec]
    assert NAME in place.panel.status.text()
    assert place.panel.form.values()["target"] == NAME


def test_without_a_target_and_without_a_model(rig: Rig) -> None:
    place = place_of(rig, model=False)
    assert "gcloud auth application-default login" in place.panel.lacking.text()
    assert not any(button.isEnabled() for button in place.panel.verbs.values())
    place = added(rig, model=False)
    assert place.panel.lacking.text() == "Open a model to deploy it."
    assert place.panel.verbs["resources"].isEnabled()
    assert not place.panel.verbs["deploy"].isEnabled()


@pytest.mark.parametrize(
    ("project", "region", "endpoint", "sentence"),
    [
        ("", "us-central1", "digits", "The target has no project."),
        ("My Project", "us-central1", "digits", "'My Project' is no project's ID."),
        ("my-project-1", "", "digits", "vertex:///digits names no endpoint."),
        ("my-project-1", "us-central1", "My_Digits", "Vertex AI forbids the endpoint's name"),
    ],
)
def test_what_is_no_endpoint(
    rig: Rig, project: str, region: str, endpoint: str, sentence: str
) -> None:
    place = place_of(rig)
    place.panel.place.set_values({"project": project, "region": region, "endpoint": endpoint})
    place.panel.add.click()
    assert sentence in str(rig.shell.failed[-1])
    assert not place.host.targets()


def test_a_dry_run_shows_each_object_and_the_price(rig: Rig) -> None:
    place = added(rig)
    place.panel.form.set_values({"image": "r/{name}:{version}", "canary": 10})
    place.panel.verbs["preview"].click()
    assert place.job.step == "deploy"
    assert place.job.options == {
        "target": NAME,
        "model": place.host.model(),
        "dry_run": True,
        "set": ["image=r/{name}:{version}"],
        "canary": 10,
    }
    assert not place.panel.verbs["deploy"].isEnabled(), "one at a time"
    rows = [
        {"name": "image", "state": "blocked", "text": "The image is not in the registry."},
        {"name": "model", "state": "planned", "text": "digits-1"},
    ]
    cost = {"cost_per_hour": 0.109, "currency": "USD", "cost_note": "1 x n1-standard-2"}
    place.finish(state="planned", steps=rows, possible=False, **cost)
    lines = place.panel.rows.toPlainText().splitlines()
    assert lines == [
        "blocked  image: The image is not in the registry.",
        "planned  model: digits-1",
    ]
    price = "0.109 USD an hour: 1 x n1-standard-2"
    assert place.panel.status.text() == f"The image is not in the registry.\n{price}"
    assert place.panel.verbs["deploy"].isEnabled()


def test_a_price_that_is_not_known(rig: Rig) -> None:
    place = added(rig)
    place.panel.verbs["preview"].click()
    cost = {"cost_per_hour": None, "currency": "", "cost_note": "Not known in europe-west4."}
    place.finish(state="planned", steps=[], possible=True, **cost)
    assert place.panel.status.text() == "Not known in europe-west4."


def test_a_deploy_is_followed_cancelled_and_fails_in_a_sentence(rig: Rig) -> None:
    place = added(rig)
    place.panel.verbs["deploy"].click()
    assert place.job.options["dry_run"] is False
    place.progress("Deploying the model, which takes minutes")
    assert place.panel.status.text() == "Deploying the model, which takes minutes"
    place.panel.verbs["cancel"].click()
    assert place.job.cancelled
    place.fail("Google refuses the quota.", "Ask for more.")
    assert place.panel.status.text() == "Google refuses the quota. Ask for more."
    assert place.panel.verbs["deploy"].isEnabled()


def test_what_is_there_and_that_nothing_is(rig: Rig) -> None:
    place = added(rig)
    live = {"kind": "deployed model", "name": "digits/1", "running": True, "cost_per_hour": 0.219}
    held = {"kind": "model", "name": "digits-1", "running": False, "cost_per_hour": None}
    place.panel.verbs["resources"].click()
    place.finish(resources=[live, held])
    assert place.panel.rows.toPlainText().splitlines() == [
        "running  deployed model digits/1, 0.219 USD an hour",
        "at rest  model digits-1",
    ]
    assert place.panel.status.text() == "1 running."
    place.panel.verbs["resources"].click()
    place.finish(resources=[])
    assert place.panel.status.text() == "Nothing is left running."
    assert place.panel.rows.isHidden()


def test_who_and_the_log(rig: Rig) -> None:
    place = added(rig)
    place.panel.verbs["target-probe"].click()
    place.finish(who="me@my-project-1", where="project my-project-1, us-central1")
    assert place.panel.status.text() == "me@my-project-1, project my-project-1, us-central1"
    place.panel.verbs["logs"].click()
    assert (place.job.step, place.job.options) == ("logs", {"target": NAME})
    place.finish(lines=["ready"])
    assert place.panel.rows.toPlainText() == "ready"


@pytest.mark.parametrize("verb", ["promote", "rollback"])
def test_verbs_of_a_canary(rig: Rig, verb: str) -> None:
    place = added(rig)
    place.panel.verbs[verb].click()
    assert (place.job.step, place.job.options) == (verb, {"target": NAME})
    place.finish(to=2, name="digits", endpoint="https://here")
    assert place.panel.status.text() == "Version 2 of digits serves: https://here"


def test_a_deploy_that_went_well(rig: Rig) -> None:
    place = added(rig)
    place.panel.verbs["deploy"].click()
    place.finish(version=3, name="digits", state="serving", endpoint="https://here")
    assert place.panel.status.text() == "Version 3 of digits is serving: https://here"
