"""What the panels of all platforms have in common, with the window's own host and forms."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from studio.api.qt_platform import PlatformPanel
from studio.api.testing_panels import check_panel
from studio.workspace import Workspace
from studio_azureml.panel import AzureMlPanel
from studio_sagemaker.panel import EndpointPanel
from studio_vertex.panel import VertexPanel
from tests.gui.page_rig import Rig
from tests.gui.panel_rig import PanelPlace

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Case:
    """One platform's panel, and what is entered for a target of it.

    Attributes:
        libraries: The vendor's, which the window must not need.
    """

    kind: type[PlatformPanel]
    plugin: str
    panel: str
    values: dict[str, str]
    login: str
    libraries: tuple[str, ...]


CASES = (
    Case(
        VertexPanel,
        "studio_vertex",
        "vertex.endpoint",
        {"project": "my-project-1", "region": "us-central1", "endpoint": "digits"},
        "gcloud auth application-default login",
        ("google", "requests"),
    ),
    Case(
        AzureMlPanel,
        "studio_azureml",
        "azureml.endpoint",
        {
            "subscription": "11111111-2222-3333-4444-555555555555",
            "resource_group": "lab",
            "workspace": "lab-ws",
            "endpoint": "digits",
        },
        "az login",
        ("azure", "requests"),
    ),
    Case(
        EndpointPanel,
        "studio_sagemaker",
        "sagemaker.endpoint",
        {"region": "eu-central-1", "endpoint": "digits", "profile": "work"},
        "an AWS profile",
        ("boto3", "botocore"),
    ),
)
Make = Callable[..., PanelPlace[PlatformPanel]]


@pytest.fixture(params=CASES, ids=lambda case: case.plugin)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def rig(tmp_path: Path, qtbot: QtBot) -> Iterator[Rig]:
    with Workspace.open(tmp_path / "home") as workspace:
        made = Rig(workspace, tmp_path)
        yield made
        made.close()


@pytest.fixture
def empty(rig: Rig, case: Case) -> Make:
    """Makes a panel without a target."""
    return lambda model=True: PanelPlace(rig, case.kind, case.plugin, case.panel, model)


@pytest.fixture
def added(empty: Make, case: Case) -> Make:
    """Makes a panel whose form has added a target."""

    def make(model: bool = True) -> PanelPlace[PlatformPanel]:
        place = empty(model)
        place.panel.place.set_values(case.values)
        place.panel.add.click()
        return place

    return make


def name_of(place: PanelPlace[PlatformPanel]) -> str:
    (target,) = place.host.targets()
    return target.name


def test_the_conformance_suite(qtbot: QtBot, case: Case) -> None:
    qtbot.addWidget(check_panel(case.kind))


def test_it_is_imported_without_the_vendors_library(case: Case) -> None:
    module = case.kind.__module__
    code = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    run = [sys.executable, "-c", code]
    found = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert module in found
    assert not [name for name in found if name.split(".")[0] in case.libraries]


def test_without_a_target_and_without_a_model(empty: Make, added: Make, case: Case) -> None:
    place = empty(model=False)
    assert case.login in place.panel.lacking.text()
    assert not any(button.isEnabled() for button in place.panel.verbs.values())
    place = added(model=False)
    assert place.panel.lacking.text() == "Open a model to deploy it."
    assert place.panel.verbs["resources"].isEnabled()
    assert not place.panel.verbs["deploy"].isEnabled()


def test_missing_parts_of_an_address_are_named_once_at_their_fields(
    empty: Make, rig: Rig, case: Case
) -> None:
    place = empty()
    place.panel.add.click()
    assert not rig.shell.failed
    assert not place.host.targets()
    shown = [one.text() for one in place.panel.findChildren(QLabel)]
    for part in ("Endpoint", "Region" if "region" in case.values else "Workspace"):
        assert shown.count(f"Enter a value for {part}.") == 1


def test_a_target_is_added_and_chosen(added: Make) -> None:
    place = added()
    assert name_of(place) in place.panel.status.text()
    assert place.panel.form.values()["target"] == name_of(place)


def test_a_dry_run_shows_each_object_and_the_price(added: Make) -> None:
    place = added()
    place.panel.form.set_values({"image": "r/{name}:{version}", "canary": 10})
    place.panel.verbs["preview"].click()
    assert place.job.step == "deploy"
    assert place.job.options == {
        "target": name_of(place),
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


def test_a_price_that_is_not_known(added: Make) -> None:
    place = added()
    place.panel.verbs["preview"].click()
    cost = {"cost_per_hour": None, "currency": "", "cost_note": "Not known in europe-west4."}
    place.finish(state="planned", steps=[], possible=True, **cost)
    assert place.panel.status.text() == "Not known in europe-west4."


def test_a_deploy_is_followed_cancelled_and_fails_in_a_sentence(added: Make) -> None:
    place = added()
    place.panel.verbs["deploy"].click()
    assert place.job.options["dry_run"] is False
    place.progress("Deploying the model, which takes minutes")
    assert place.panel.status.text() == "Deploying the model, which takes minutes"
    place.panel.verbs["cancel"].click()
    assert place.job.cancelled
    place.fail("Google refuses the quota.", "Ask for more.")
    assert place.panel.status.text() == "Google refuses the quota. Ask for more."
    assert place.panel.verbs["deploy"].isEnabled()


def test_what_is_there_and_that_nothing_is(added: Make) -> None:
    place = added()
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
    assert place.panel.status.text() == "No resources are running."
    assert place.panel.rows.isHidden()


def test_who_and_the_log(added: Make) -> None:
    place = added()
    place.panel.verbs["target-probe"].click()
    place.finish(who="me@my-project-1", where="project my-project-1, us-central1")
    assert place.panel.status.text() == "me@my-project-1, project my-project-1, us-central1"
    place.panel.verbs["logs"].click()
    assert (place.job.step, place.job.options) == ("logs", {"target": name_of(place)})
    place.finish(lines=["ready"])
    assert place.panel.rows.toPlainText() == "ready"


@pytest.mark.parametrize("verb", ["promote", "rollback"])
def test_verbs_of_a_canary(added: Make, verb: str) -> None:
    place = added()
    place.panel.verbs[verb].click()
    assert (place.job.step, place.job.options) == (verb, {"target": name_of(place)})
    place.finish(to=2, name="digits", endpoint="https://here")
    assert place.panel.status.text() == "Version 2 of digits serves: https://here"


def test_a_deploy_that_went_well(added: Make) -> None:
    place = added()
    place.panel.verbs["deploy"].click()
    place.finish(version=3, name="digits", state="serving", endpoint="https://here")
    assert place.panel.status.text() == "Version 3 of digits is serving: https://here"
