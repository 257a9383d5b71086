"""A board that exports to a collector by the settings which it was given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.serve.otlp.collector import Collector
from tests.unit.runtime.serve.rig import ServerProcess, constant, wait_until


def settings(path: Path, url: str, **changes: Any) -> Path:
    """Write the settings of a board."""
    content = {"url": url, "board": "cam-1", "labels": {"site": "north"}, "every_s": 1}
    path.write_text(json.dumps({**content, **changes}))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("login", "header"),
    [
        ({"token": "secret"}, "Bearer secret"),
        ({"user": "cam", "password": "secret"}, "Basic Y2FtOnNlY3JldA=="),
        ({}, None),
    ],
)
def test_it_exports_under_its_name_and_labels(
    tmp_path: Path, login: dict[str, str], header: str | None
) -> None:
    model = constant(tmp_path / "m.onnx", 1)
    with Collector() as collector:
        file = settings(tmp_path / "fleet.json", collector.url, **login)
        arguments = (f"--model={model}", f"--fleet-file={file}")
        with ServerProcess(*arguments, log=tmp_path / "log") as server:
            wait_until(lambda: bool(collector.exports), "an export comes")
            assert server.stop() == 0
        first = collector.exports[0]
    assert first.path == "/v1/metrics"
    assert first.headers.get("Authorization") == header
    (resource,) = json.loads(first.body)["resourceMetrics"]
    pairs = resource["resource"]["attributes"]
    assert {one["key"]: one["value"]["stringValue"] for one in pairs} == {
        "service.name": "edgewright",
        "service.instance.id": "cam-1",
        "edgewright.label.site": "north",
    }
    assert "secret" not in (tmp_path / "log").read_text()


def test_an_authority_that_cannot_be_read_ends_no_server(tmp_path: Path) -> None:
    model = constant(tmp_path / "m.onnx", 1)
    file = settings(tmp_path / "fleet.json", "https://127.0.0.1:1", ca="/nowhere/ca.pem")
    arguments = (f"--model={model}", f"--fleet-file={file}")
    with ServerProcess(*arguments, log=tmp_path / "log") as server:
        assert server.get("/v2/health/ready")[0] == 200
        assert server.stop() == 0
    assert "The file '/nowhere/ca.pem' of the ca cannot be read." in (tmp_path / "log").read_text()


def test_a_token_that_no_header_can_hold_is_not_logged(tmp_path: Path) -> None:
    model = constant(tmp_path / "m.onnx", 1)
    with Collector() as collector:
        file = settings(tmp_path / "fleet.json", collector.url, token="secret\nX: y")
        arguments = (f"--model={model}", f"--fleet-file={file}")
        log = tmp_path / "log"
        with ServerProcess(*arguments, log=log) as server:
            wait_until(lambda: "a header cannot be sent" in log.read_text(), "it is logged")
            assert server.stop() == 0
        assert collector.exports == []
    assert "secret" not in log.read_text()
