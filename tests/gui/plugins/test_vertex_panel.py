"""The panel of Vertex AI, with the window's own host and a shell that notes what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
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


def test_an_endpoint_becomes_a_target(rig: Rig) -> None:
    place = added(rig)
    spec = TargetSpec(NAME, "vertex://us-central1/digits", settings={"project": "my-project-1"})
    assert list(place.host.targets()) == [spec]
    assert NAME in place.panel.status.text()
    assert place.panel.form.values()["target"] == NAME


@pytest.mark.parametrize(
    ("project", "region", "endpoint", "sentence"),
    [
        ("", "us-central1", "digits", "The target has no project."),
        ("My Project", "us-central1", "digits", "'My Project' is no project's ID."),
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
