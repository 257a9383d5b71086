"""The state of the Monitor stage in the rail is the state of the endpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.window.rail import StageButton, StageState
from studio.monitoring.results import Alert, FleetSample
from tests.gui.conftest import MakeWindow

DRIFT = Alert("drift", "warning", "image.brightness differs.")


@pytest.mark.slow
def test_the_rail_names_the_state_of_the_endpoint_of_the_open_model(
    make_window: MakeWindow, digits_home: Path, qtbot: QtBot
) -> None:
    window = make_window(digits_home)
    window.select(1)
    details = {"version": 1, "name": "digits", "endpoint": "http://127.0.0.1:1"}
    window.workspace.registry.add_release("local", None, "ab" * 32, "serving", details)
    monitor = next(one for one in window.rail.findChildren(StageButton) if one.text() == "Monitor")
    for sample, state, word in (
        (FleetSample("local", health="healthy"), StageState.DONE, "healthy"),
        (FleetSample("local", health="healthy", alerts=(DRIFT,)), StageState.WARNING, "drift"),
        (FleetSample("local", health="unreachable"), StageState.FAILED, "unreachable"),
        (FleetSample("local", health="healthy"), StageState.DONE, "healthy"),
    ):
        window.workspace.endpoints.ingest([sample])
        QApplication.processEvents()
        qtbot.waitUntil(lambda state=state: monitor.state is state)
        assert monitor.accessibleName() == f"Monitor: {word}"
    window.workspace.endpoints.ingest([FleetSample("of another model", health="unreachable")])
    QApplication.processEvents()
    assert monitor.accessibleName() == "Monitor: healthy"
