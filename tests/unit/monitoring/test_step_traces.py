"""Steps of commands as traces at a collector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.serve.otlp.collector import Collector
from tests.unit.runtime.serve.rig import constant

pytestmark = pytest.mark.slow

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
COMMAND = "import sys; from studio.cli.main import main; sys.exit(main())"


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    return constant(tmp_path / "digits.onnx", 1)


def run(folder: Path, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the studio with a collector in its environment."""
    environment = {**os.environ, "EDGEWRIGHT_HOME": str(folder / "home"), **more}
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, words)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def spans(collector: Collector) -> list[dict[str, Any]]:
    """Return the spans that came."""
    found = []
    for export in collector.exports:
        (resource,) = json.loads(export.body)["resourceSpans"]
        found += resource["scopeSpans"][0]["spans"]
    return found


def test_a_command_is_one_trace_that_continues_its_callers(tmp_path: Path, digits: Path) -> None:
    with Collector() as collector:
        named = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "TRACEPARENT": f"00-{TRACE}-{PARENT}-01",
        }
        done = run(tmp_path, "inspect", digits, **named)
        assert done.returncode == 0, done.stderr
    assert {export.path for export in collector.exports} == {"/v1/traces"}
    *steps, whole = spans(collector)
    assert whole["name"] == "studio inspect"
    assert whole["parentSpanId"] == PARENT
    assert [step["name"] for step in steps] == ["inspect"]
    assert steps[0]["parentSpanId"] == whole["spanId"]
    assert {span["traceId"] for span in (whole, *steps)} == {TRACE}
    begun, ended = int(whole["startTimeUnixNano"]), int(whole["endTimeUnixNano"])
    assert begun <= int(steps[0]["startTimeUnixNano"]) < int(steps[0]["endTimeUnixNano"]) <= ended
    sent = b"".join(export.body for export in collector.exports)
    assert digits.name.encode() not in sent


def test_a_step_that_fails_is_marked(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with Collector() as collector:
        done = run(tmp_path, "inspect", broken, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        assert done.returncode != 0
    *steps, whole = spans(collector)
    assert [step["status"] for step in steps] == [{"code": 2}]
    assert whole["status"] == {"code": 2}
    assert "parentSpanId" not in whole


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "ftp://x", "http://user:word@host"])
def test_a_collector_that_is_away_or_none_changes_no_command(
    tmp_path: Path, digits: Path, address: str
) -> None:
    (tmp_path / "home" / "data").mkdir(parents=True)  # a log does not make this folder
    done = run(tmp_path, "inspect", digits, OTEL_EXPORTER_OTLP_ENDPOINT=address)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    log = (tmp_path / "home" / "data" / "logs" / "studio.log").read_text()
    assert "steps are not traced" in log
    assert "word" not in log
