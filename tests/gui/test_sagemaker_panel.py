"""The panel of SageMaker, with a window that notes what it is asked for."""

from __future__ import annotations

from typing import Any

from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.api.qt import StepEnd
from studio.api.testing_panels import NotingHost, check_panel
from studio_sagemaker.panel import EndpointPanel


def make(qtbot: QtBot, *targets: TargetSpec) -> tuple[EndpointPanel, NotingHost]:
    host = NotingHost(targets)
    panel = check_panel(EndpointPanel, host)
    qtbot.addWidget(panel)
    assert isinstance(panel, EndpointPanel)
    return panel, host


def test_a_place_becomes_a_target(qtbot: QtBot) -> None:
    panel, host = make(qtbot)
    assert not panel.verbs["resources"].isEnabled()
    panel.region.setText("eu-central-1")
    panel.endpoint.setText("my_model")
    panel.add.click()
    assert "does not allow the name" in host.said[-1]
    panel.endpoint.setText("digits")
    panel.profile.setText("work")
    panel.add.click()
    assert host.targets()[0].url == "sagemaker://eu-central-1/digits"
    assert host.targets()[0].settings == {"profile": "work"}
    assert panel.verbs["resources"].isEnabled()
    assert not panel.verbs["deploy"].isEnabled(), "no model is open"


def finish(panel: EndpointPanel, verb: str, **result: Any) -> None:
    panel._step = verb
    panel._finish(StepEnd(True, result))


def test_the_price_and_what_stands_in_the_way(qtbot: QtBot) -> None:
    panel, _ = make(qtbot, TargetSpec("cloud", "sagemaker://us-east-1/digits"))
    rows = [{"state": "planned", "text": "create the model digits-1"}]
    cost = {"cost_per_hour": 1.408, "currency": "USD", "cost_note": "1 x ml.g5.xlarge"}
    finish(panel, "preview", steps=rows, possible=True, **cost)
    assert panel.status.text() == "1.408 USD an hour: 1 x ml.g5.xlarge"
    assert "create the model digits-1" in panel.rows.toPlainText()
    rows[0] = {"state": "blocked", "text": "SageMaker needs a role."}
    finish(panel, "preview", steps=rows, possible=False, cost_per_hour=None, cost_note="Unknown.")
    assert panel.status.text() == "SageMaker needs a role. Unknown."


def test_what_is_left_running(qtbot: QtBot) -> None:
    panel, _ = make(qtbot, TargetSpec("cloud", "sagemaker://us-east-1/digits"))
    one = {"kind": "endpoint", "name": "digits", "running": True, "cost_per_hour": 0.102}
    finish(panel, "resources", resources=[one])
    assert panel.rows.toPlainText() == "running  endpoint digits, 0.102 USD an hour"
    assert panel.status.text() == "1 running."
    finish(panel, "resources", resources=[])
    assert panel.status.text() == "Nothing is left running."
