"""The panel of Azure ML, with the window's own host and a shell that notes what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
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


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"subscription": ""}, "The target has no subscription."),
        ({"subscription": "lab"}, "'lab' is no subscription"),
        ({"resource_group": ""}, "The target has no resource_group."),
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
