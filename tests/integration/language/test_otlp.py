"""Exported metrics read by OpenTelemetry's own messages (package opentelemetry-proto)."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.language_clients import Clients, client_python
from tests.unit.runtime.serve.otlp.collector import Collector
from tests.unit.runtime.serve.texts.byte_server import ByteServer, write_model

pytestmark = [pytest.mark.rig]

READ = """
import base64, json
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest)
found = Parse(base64.b64decode(BODY), ExportMetricsServiceRequest())
(resource,) = found.resource_metrics
(scope,) = resource.scope_metrics
rows = {}
for metric in scope.metrics:
    kind = metric.WhichOneof("data")
    data = getattr(metric, kind)
    point = data.data_points[0]
    rows[metric.name] = {"kind": kind, "unit": metric.unit,
        "temporality": getattr(data, "aggregation_temporality", 0),
        "count": getattr(point, "count", point.as_int if kind != "histogram" else 0),
        "buckets": len(getattr(point, "bucket_counts", ())),
        "bounds": len(getattr(point, "explicit_bounds", ())),
        "later": point.time_unix_nano > point.start_time_unix_nano > 1.7e18,
        "attributes": {one.key: one.value.string_value for one in point.attributes}}
print(json.dumps({"rows": rows,
    "resource": {one.key: one.value.string_value for one in resource.resource.attributes}}))
"""


def test_the_official_messages_take_every_field(tmp_path: Path, rigs: Path) -> None:
    model = write_model(tmp_path / "letters.gguf")
    with Collector() as collector:
        arguments = (f"--model={model}", f"--otlp-endpoint={collector.url}")
        with ByteServer(*arguments, log=tmp_path / "log") as server:
            body = {"prompt": "once", "max_tokens": 5, "temperature": 0}
            assert server.call("POST", "/v1/completions", body)[0] == 200
            assert server.stop() == 0
        content = base64.b64encode(collector.exports[-1].body)
    reader = Clients(client_python(rigs), collector.url, "", "letters")
    found: Any = reader.run(READ.replace("BODY", repr(content)))
    rows = found["rows"]
    assert found["resource"] == {"service.name": "edgewright"}
    for name in ("request.duration", "time_to_first_token", "time_per_output_token"):
        row = rows[f"gen_ai.server.{name}"]
        assert (row["kind"], row["unit"], row["temporality"]) == ("histogram", "s", 2)
        assert row["count"] == 1
        assert row["buckets"] == row["bounds"] + 1
        assert row["later"]
        assert row["attributes"]["gen_ai.request.model"] == "letters"
    assert rows["gen_ai.client.token.usage"]["unit"] == "{token}"
    answers = rows["edgewright.generation.answer_tokens"]
    assert (answers["kind"], answers["count"]) == ("sum", 5)
    assert rows["edgewright.generation.requests_running"]["kind"] == "gauge"


READ_TRACES = """
import base64, json
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
found = Parse(base64.b64decode(BODY), ExportTraceServiceRequest())
(resource,) = found.resource_spans
(scope,) = resource.scope_spans
print(json.dumps([{"name": one.name, "kind": one.kind,
    "seconds": (one.end_time_unix_nano - one.start_time_unix_nano) / 1e9,
    "attributes": sorted(pair.key for pair in one.attributes)} for one in scope.spans]))
"""


def test_the_official_messages_take_every_span(
    tmp_path: Path, rigs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids are hexadecimal in OTLP's JSON, which these messages would read as base64."""
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    model = write_model(tmp_path / "letters.gguf")
    with Collector() as collector:
        arguments = (f"--model={model}", f"--otlp-endpoint={collector.url}")
        with ByteServer(*arguments, log=tmp_path / "log") as server:
            body = {"prompt": "once", "max_tokens": 5, "temperature": 0}
            trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
            assert server.call("POST", "/v1/completions", body, traceparent=trace)[0] == 200
            assert server.stop() == 0
        (export,) = collector.exports
    assert export.path == "/v1/traces"
    content = base64.b64encode(export.body)
    reader = Clients(client_python(rigs), collector.url, "", "letters")
    found: Any = reader.run(READ_TRACES.replace("BODY", repr(content)))
    names = [one["name"] for one in found]
    assert names == ["POST", "queue", "prompt", "text_completion letters"]
    assert [one["kind"] for one in found] == [2, 1, 1, 1]
    assert 0 < found[3]["seconds"] <= found[0]["seconds"]
    assert "gen_ai.usage.output_tokens" in found[3]["attributes"]
