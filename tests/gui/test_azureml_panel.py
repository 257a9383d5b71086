"""The panel of Azure ML, with the window's own host and a shell that notes what it is asked."""

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
from studio_azureml.panel import AzureMlPanel
from tests.gui.page_rig import Rig
from tests.gui.panel_rig import PanelPlace

pytestmark = pytest.mark.slow

NAME = "digits-lab-ws-lab"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"
VALUES = {
    "subscription": SUBSCRIPTION,
    "resource_group": "lab",
    "workspace": "lab-ws",
    "endpoint": "digits",
}


@pytest.fixture
def rig(tmp_path: Path, qtbot: QtBot) -> Iterator[Rig]:
    with Workspace.open(tmp_path / "home") as workspace:
        made = Rig(workspace, tmp_path)
        yield made
        made.close()


def place_of(rig: Rig, model: bool = True) -> PanelPlace[AzureMlPanel]:
    return PanelPlace(rig, AzureMlPanel, "studio_azureml", "azureml.endpoint", model)


def added(rig: Rig, model: bool = True) -> PanelPlace[AzureMlPanel]:
    place = place_of(rig, model)
    place.panel.place.set_values(VALUES)
    place.panel.add.click()
    return place


def test_the_conformance_suite(qtbot: QtBot) -> None:
    qtbot.addWidget(check_panel(AzureMlPanel))


def test_it_is_imported_without_azures_library() -> None:
    code = "import sys, studio_azureml.panel; print(*sys.modules, sep='\\n')"
    run = [sys.executable, "-c", code]
    found = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert "studio_azureml.panel" in found
    assert not [name for name in found if name.split(".")[0] in ("azure", "requests")]


def test_an_endpoint_becomes_a_target(rig: Rig) -> None:
    place = added(rig)
    settings = {"subscription": SUBSCRIPTION, "resource_group": "lab"}
    assert list(place.host.targets()) == [
        TargetSpec(NAME, "azureml://lab-ws/digits", settings=settings)
    ]
    assert NAME in place.panel.status.text()
    assert place.panel.form.values()["target"] == NAME


def test_the_same_names_in_another_subscription(rig: Rig) -> None:
    place = added(rig)
    place.panel.add.click()
    assert not rig.shell.failed, "it may be added again"
    place.panel.place.set_values({"subscription": OTHER})
    place.panel.add.click()
    assert "another subscription" in str(rig.shell.failed[-1])
    assert [one.settings["subscription"] for one in place.host.targets()] == [SUBSCRIPTION]


def test_without_a_target_and_without_a_model(rig: Rig) -> None:
    place = place_of(rig, model=False)
    assert "az login" in place.panel.lacking.text()
    assert not any(button.isEnabled() for button in place.panel.verbs.values())
    place = added(rig, model=False)
    assert place.panel.lacking.text() == "Open a model to deploy it."
    assert place.panel.verbs["resources"].isEnabled()
    assert not place.panel.verbs["deploy"].isEnabled()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"subscription": ""}, "The target has no subscription."),
        ({"subscription": "lab"}, "'lab' is no subscription"),
        ({"resource_group": ""}, "The target has no resource_group."),
        ({"workspace": ""}, "azureml:///digits names no endpoint."),
        ({"workspace": "a b c"}, "'a b c' is no name of a workspace."),
        ({"endpoint": "My_Digits"}, "Azure forbids the endpoint's name 'My_Digits'."),
        ({"management": "http://example.com"}, "The management address must begin with https://."),
    ],
)
def test_what_is_no_endpoint(rig: Rig, changed: dict[str, str], sentence: str) -> None:
    place = place_of(rig)
    place.panel.place.set_values({**VALUES, **changed})
    place.panel.add.click()
    assert sentence in str(rig.shell.failed[-1])
    assert not place.host.targets()


def test_a_management_address_that_was_emptied_is_azures_own(rig: Rig) -> None:
    place = place_of(rig)
    place.panel.place.set_values({**VALUES, "management": ""})
    place.panel.add.click()
    assert "management" not in place.host.targets()[0].settings


def test_a_dry_run_shows_each_object_and_the_price(rig: Rig) -> None:
    place = added(rig)
    place.panel.form.set_values({"image": "r/{name}:{version}", "mirror": 10})
    place.panel.verbs["preview"].click()
    assert place.job.step == "deploy"
    assert place.job.options == {
        "target": NAME,
        "model": place.host.model(),
        "dry_run": True,
        "set": ["image=r/{name}:{version}", "mirror=10"],
    }
    assert not place.panel.verbs["deploy"].isEnabled(), "one at a time"
    rows = [
        {"name": "image", "state": "blocked", "text": "No image of the bundle was given."},
        {"name": "environment", "state": "planned", "text": "digits/1"},
    ]
    cost = {"cost_per_hour": 0.293, "currency": "USD", "cost_note": "1 x Standard_DS3_v2"}
    place.finish(state="planned", steps=rows, possible=False, **cost)
    lines = place.panel.rows.toPlainText().splitlines()
    assert lines == [
        "blocked  image: No image of the bundle was given.",
        "planned  environment: digits/1",
    ]
    price = "0.293 USD an hour: 1 x Standard_DS3_v2"
    assert place.panel.status.text() == f"No image of the bundle was given.\n{price}"
    assert place.panel.verbs["deploy"].isEnabled()


def test_a_price_that_is_not_known(rig: Rig) -> None:
    place = added(rig)
    place.panel.verbs["preview"].click()
    cost = {"cost_per_hour": None, "currency": "", "cost_note": "Not known in westeurope."}
    place.finish(state="planned", steps=[], possible=True, **cost)
    assert place.panel.status.text() == "Not known in westeurope."


def test_a_deploy_is_followed_cancelled_and_fails_in_a_sentence(rig: Rig) -> None:
    place = added(rig)
    place.panel.verbs["deploy"].click()
    assert place.job.options["dry_run"] is False
    place.progress("Creating the deployment, which takes minutes")
    assert place.panel.status.text() == "Creating the deployment, which takes minutes"
    place.panel.verbs["cancel"].click()
    assert place.job.cancelled
    place.fail("Azure refuses the quota.", "Ask for more.")
    assert place.panel.status.text() == "Azure refuses the quota. Ask for more."
    assert place.panel.verbs["deploy"].isEnabled()


def test_what_is_there_and_that_nothing_is(rig: Rig) -> None:
    place = added(rig)
    live = {"kind": "deployment", "name": "digits/r1", "running": True, "cost_per_hour": 0.585}
    held = {"kind": "environment", "name": "digits/1", "running": False, "cost_per_hour": None}
    place.panel.verbs["resources"].click()
    place.finish(resources=[live, held])
    assert place.panel.rows.toPlainText().splitlines() == [
        "running  deployment digits/r1, 0.585 USD an hour",
        "at rest  environment digits/1",
    ]
    assert place.panel.status.text() == "1 running."
    place.panel.verbs["resources"].click()
    place.finish(resources=[])
    assert place.panel.status.text() == "Nothing is left running."
    assert place.panel.rows.isHidden()


def test_who_and_the_log(rig: Rig) -> None:
    place = added(rig)
    place.panel.verbs["target-probe"].click()
    place.finish(who="me@lab", where="workspace lab-ws, group lab, eastus")
    assert place.panel.status.text() == "me@lab, workspace lab-ws, group lab, eastus"
    place.panel.verbs["logs"].click()
    assert (place.job.step, place.job.options) == ("logs", {"target": NAME})
    place.finish(lines=["ready"])
    assert place.panel.rows.toPlainText() == "ready"


def test_a_canary(rig: Rig) -> None:
    place = added(rig)
    place.panel.form.set_values({"canary": 20})
    place.panel.verbs["deploy"].click()
    assert place.job.options["canary"] == 20
    assert place.job.options["set"] == [], "what was not touched is left to the target"


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
