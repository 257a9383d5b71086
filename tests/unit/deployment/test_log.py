"""The log of connections, and of what changes the release that a target serves."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from studio.api import Completed, TargetError, TargetSpec, Unavailable
from studio.api.progress import Silent
from studio.deployment.machine.release_client import ReleaseClient
from studio.packages import ZipApplication
from studio.targets import connect
from studio.targets.connect import open_channel


@pytest.fixture(autouse=True)
def details(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "studio")


def last(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    record = caplog.records[-1]
    return {**vars(record), "message": record.getMessage()}


def test_a_connection_and_its_failure_are_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_channel(TargetSpec("here", "local:"), Silent()).close()
    line = last(caplog)
    assert (line["message"], line["target"], line["scheme"]) == ("connected", "here", "local")
    assert line["seconds"] >= 0

    class Refusing:
        def connect(self, spec: TargetSpec, progress: object) -> None:
            raise TargetError("No route.")

    monkeypatch.setattr(connect, "connector_for", lambda spec: Refusing())
    with pytest.raises(TargetError):
        open_channel(TargetSpec("far", "ssh://far"), Silent())
    line = last(caplog)
    assert (line["levelname"], line["target"]) == ("WARNING", "far")
    assert line["message"] == "not connected: No route."


def test_a_target_of_a_kind_that_nobody_knows_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unavailable):
        open_channel(TargetSpec("odd", "no-such://odd"), Silent())
    assert last(caplog)["target"] == "odd"


class Answering:
    """A channel on which each verb succeeds."""

    def run(self, command: object, *, stdin: object, timeout: float, on_line: Any) -> Completed:
        on_line(json.dumps({"event": "result", "state": "serving", "release": "sha256:1"}))
        return Completed(0, b"", b"")


@pytest.mark.parametrize(
    ("verb", "logged"),
    [("switch", True), ("rollback", True), ("remove", True), ("status", False), ("begin", False)],
)
def test_a_switch_of_a_release_is_logged(
    verb: str, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    runtime = ZipApplication(Path("r.pyz"), "0" * 64, 1)
    agent = ReleaseClient(Answering(), "/r", "python3", runtime, "ann@desk", "board-7")  # type: ignore[arg-type]
    agent.call(verb, {"token": "hunter2"})
    texts = [one.getMessage() for one in caplog.records]
    assert texts == ([f"release machine: {verb}"] if logged else [])
    if logged:
        line = last(caplog)
        assert (line["target"], line["state"], line["release"]) == (
            "board-7",
            "serving",
            "sha256:1",
        )
        assert "hunter2" not in repr(line)
