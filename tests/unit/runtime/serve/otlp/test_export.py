"""Metrics at a collector: what comes, how often, and collectors that fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.serve.otlp.settings import export_settings
from studio.runtime.shared.errors import LoadError
from tests.unit.runtime.serve.otlp.collector import Collector
from tests.unit.runtime.serve.rig import ServerProcess, constant, wait_until
from tests.unit.runtime.serve.texts.byte_server import ByteServer, write_model


def metrics(collector: Collector) -> dict[str, Any]:
    """Return the metrics of the last export by their names."""
    document = json.loads(collector.exports[-1].body)
    (resource,) = document["resourceMetrics"]
    (scope,) = resource["scopeMetrics"]
    return {metric["name"]: metric for metric in scope["metrics"]}


def attributes(point: Any) -> dict[str, str]:
    """Return the attributes of a point."""
    return {pair["key"]: pair["value"]["stringValue"] for pair in point["attributes"]}


def test_what_is_counted_comes_to_the_collector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20secret")
    model = write_model(tmp_path / "letters.gguf")
    with Collector() as collector:
        arguments = (f"--model={model}", f"--otlp-endpoint={collector.url}")
        with ByteServer(*arguments, log=tmp_path / "log") as server:
            body = {"prompt": "once", "max_tokens": 5, "temperature": 0}
            assert server.call("POST", "/v1/completions", body)[0] == 200
            seen = len(collector.exports)
            wait_until(lambda: len(collector.exports) > seen + 1, "an export comes")
            found = metrics(collector)
            assert server.stop() == 0
    first = collector.exports[0]
    assert first.path == "/v1/metrics"
    assert first.headers["Authorization"] == "Bearer secret"
    assert first.headers["Content-Type"] == "application/json"
    points = found["gen_ai.client.token.usage"]["histogram"]["dataPoints"]
    usage = {attributes(point)["gen_ai.token.type"]: point for point in points}
    assert usage["output"]["sum"] == 5
    assert usage["input"]["count"] == "1"
    assert attributes(usage["input"])["gen_ai.request.model"] == "letters"
    duration = found["gen_ai.server.request.duration"]["histogram"]
    assert duration["aggregationTemporality"] == 2
    (point,) = duration["dataPoints"]
    assert len(point["bucketCounts"]) == len(point["explicitBounds"]) + 1
    answers = found["edgewright.generation.answer_tokens"]["sum"]
    assert answers["isMonotonic"] is True
    assert answers["dataPoints"][0]["asInt"] == "5"
    # No word of a prompt or an answer, and no token of this server.
    assert b"once" not in b"".join(export.body for export in collector.exports)
    assert "secret" not in (tmp_path / "log").read_text()


def test_the_last_counts_come_at_the_end(tmp_path: Path) -> None:
    model = write_model(tmp_path / "letters.gguf")
    with Collector() as collector:
        arguments = (f"--model={model}", f"--otlp-endpoint={collector.url}")
        with ByteServer(*arguments, log=tmp_path / "log") as server:
            server.call("POST", "/v1/completions", {"prompt": "once", "max_tokens": 3})
            assert collector.exports == []
            assert server.stop() == 0
        assert metrics(collector)["edgewright.generation.answer_tokens"]["sum"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_collector_that_refuses_is_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
    model = write_model(tmp_path / "letters.gguf")
    with Collector() as collector:
        collector.status = status
        arguments = (f"--model={model}", f"--otlp-endpoint={collector.url}")
        with ByteServer(*arguments, log=tmp_path / "log") as server:
            wait_until(lambda: len(collector.exports) > 3, "exports are tried again")
            collector.status = 200
            seen = len(collector.exports)
            wait_until(lambda: len(collector.exports) > seen + 2, "exports go well")
            assert server.stop() == 0
    lines = (tmp_path / "log").read_text()
    assert lines.count('"telemetry is not exported"') == 1
    assert lines.count('"telemetry is exported again"') == 1
    assert f"it answers with {status}" in lines


def test_no_collector_and_one_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
    model = write_model(tmp_path / "letters.gguf")
    arguments = (f"--model={model}", "--otlp-endpoint=http://127.0.0.1:1")
    with ByteServer(*arguments, log=tmp_path / "log") as server:
        log = tmp_path / "log"
        wait_until(lambda: "telemetry is not exported" in log.read_text(), "it is logged")
        assert server.call("POST", "/v1/completions", {"prompt": "x", "max_tokens": 2})[0] == 200
        assert server.stop() == 0


def test_every_server_sends_what_it_counts(tmp_path: Path) -> None:
    model = constant(tmp_path / "m.onnx", 1)
    with Collector() as collector:
        arguments = (f"--model={model}", f"--otlp-endpoint={collector.url}")
        with ServerProcess(*arguments, log=tmp_path / "log") as server:
            body = {"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}
            assert server.call("POST", "/v2/models/m/infer", {"inputs": [body]})[0] == 200
            assert server.stop() == 0
        found = metrics(collector)
    (answered,) = found["nv_inference_request_success"]["sum"]["dataPoints"]
    assert answered["asInt"] == "1"
    assert attributes(answered) == {"model": "m", "version": "1"}
    (times,) = found["edgewright_request_seconds"]["histogram"]["dataPoints"]
    assert times["count"] == "1"
    assert found["process_cpu_seconds"]["sum"]["isMonotonic"] is True
    assert found["process_resident_memory_bytes"]["gauge"]["dataPoints"]


def test_a_wrong_address_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"'ftp://x' is not one such as http://host:4318\."):
        export_settings("ftp://x", {})


def test_settings_of_the_environment() -> None:
    assert export_settings("", {}) is None
    named = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://a.example:4318/base/"}
    found = export_settings("", {**named, "OTEL_SERVICE_NAME": "line 3"})
    assert found is not None
    assert found.metrics is not None
    assert found.traces is not None
    assert found.metrics.target == "/base/v1/metrics"
    assert found.traces.target == "/base/v1/traces"
    assert found.metrics.secure
    assert found.resource == {"service.name": "line 3"}
    assert found.interval_s == 60
    whole = {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://b.example/in"}
    found = export_settings("", {**named, **whole})
    assert found is not None
    assert found.metrics is not None
    assert found.metrics.target == "/in"
    found = export_settings("http://c.example:1", {**named, **whole})
    assert found is not None
    assert found.host == "c.example"
    found = export_settings("", {**named, "OTEL_TRACES_EXPORTER": "none"})
    assert found is not None
    assert found.traces is None
    assert found.turn_s == 60
    assert export_settings("", {**named, "OTEL_SDK_DISABLED": "true"}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:pass@host"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://host:99999"},
        {"OTEL_METRIC_EXPORT_INTERVAL": "soon"},
        {"OTEL_METRIC_EXPORT_INTERVAL": "1"},
        {"OTEL_EXPORTER_OTLP_HEADERS": "a=b%0d%0aX: y"},
        {"OTEL_EXPORTER_OTLP_HEADERS": "word"},
        {"OTEL_RESOURCE_ATTRIBUTES": "=x"},
    ],
)
def test_values_that_cannot_be_used(wrong: dict[str, str]) -> None:
    named = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://host:4318", **wrong}
    with pytest.raises(LoadError):
        export_settings("", named)
