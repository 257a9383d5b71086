"""The panel of SageMaker: how a place becomes a target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.workspace import Workspace
from studio_sagemaker.panel import EndpointPanel
from tests.gui.page_rig import Rig
from tests.gui.panel_rig import PanelPlace


@pytest.fixture
def rig(tmp_path: Path, qtbot: QtBot) -> Iterator[Rig]:
    with Workspace.open(tmp_path / "home") as workspace:
        made = Rig(workspace, tmp_path)
        yield made
        made.close()


def test_a_place_becomes_a_target(rig: Rig) -> None:
    place = PanelPlace(rig, EndpointPanel, "studio_sagemaker", "sagemaker.endpoint")
    place.panel.place.set_values({"region": "eu-central-1", "endpoint": "my_model"})
    place.panel.add.click()
    assert "does not allow the name" in str(rig.shell.failed[-1])
    assert not place.host.targets()
    place.panel.place.set_values({"endpoint": "digits", "profile": "work"})
    place.panel.add.click()
    assert list(place.host.targets()) == [
        TargetSpec(
            "eu-central-1-digits", "sagemaker://eu-central-1/digits", settings={"profile": "work"}
        )
    ]
