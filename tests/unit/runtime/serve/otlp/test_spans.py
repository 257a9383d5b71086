"""Requests in the traces of their clients: what comes, what does not, and what is bounded."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.serve.http.exchange import Exchange
from studio.runtime.serve.http.message import Request
from studio.runtime.serve.otlp.spans import MOST_WAITING, SpanQueue, sampled_parent
from tests.unit.runtime.serve.otlp.collector import Collector
from tests.unit.runtime.serve.rig import ServerProcess, constant, wait_until
from tests.unit.runtime.serve.texts.byte_server import ByteServer, write_model

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
INFER = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}


def spans(collector: Collector) -> list[dict[str, Any]]:
    """Return all spans that came, with their attributes by name."""
    found = []
    for export in collector.exports:
        if export.path != "/v1/traces":
            continue
        (resource,) = json.loads(export.body)["resourceSpans"]
        (scope,) = resource["scopeSpans"]
        for span in scope["spans"]:
            facts = {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}
            found.append({**span, "attributes": facts})
    return found


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")


@pytest.mark.usefixtures("often")
def test_a_request_that_its_client_traces_comes_with_its_parts(tmp_path: Path) -> None:
    with Collector() as collector:
        arguments = (f"--model={constant(tmp_path / 'm.onnx', 1)}",)
        address = f"--otlp-endpoint={collector.url}"
        with ServerProcess(*arguments, address, log=tmp_path / "log") as server:
            before = time.time_ns()
            assert server.call("POST", "/v2/models/m/infer", INFER, **SAMPLED)[0] == 200
            wait_until(lambda: bool(spans(collector)), "the spans come")
            assert server.stop() == 0
    whole, *parts = spans(collector)
    assert (whole["traceId"], whole["parentSpanId"], whole["kind"]) == (TRACE, PARENT, 2)
    assert whole["name"] == "POST"
    assert whole["attributes"]["url.path"] == "/v2/models/m/infer"
    assert whole["attributes"]["http.response.status_code"] == "200"
    assert "127.0.0.1" not in json.dumps([one["attributes"] for one in (whole, *parts)])
    assert [part["name"] for part in parts] == ["queue", "decode", "infer m", "encode"]
    assert {part["parentSpanId"] for part in parts} == {whole["spanId"]}
    assert len({part["spanId"] for part in (whole, *parts)}) == 5
    assert parts[2]["attributes"]["edgewright.batch.rows"] == "1"
    begun, ended = int(whole["startTimeUnixNano"]), int(whole["endTimeUnixNano"])
    assert before - 5_000_000 < begun < ended
    for part in parts:
        assert begun <= int(part["startTimeUnixNano"]) + 1000
        assert int(part["endTimeUnixNano"]) <= ended + 1000


@pytest.mark.usefixtures("often")
def test_a_request_that_fails_is_marked(tmp_path: Path) -> None:
    with Collector() as collector:
        arguments = (f"--model={constant(tmp_path / 'm.onnx', 1)}",)
        address = f"--otlp-endpoint={collector.url}"
        with ServerProcess(*arguments, address, log=tmp_path / "log") as server:
            assert server.call("POST", "/v2/models/gone/infer", INFER, **SAMPLED)[0] == 404
            wait_until(lambda: bool(spans(collector)), "the span comes")
            assert server.stop() == 0
    (whole,) = spans(collector)
    assert whole["attributes"]["http.response.status_code"] == "404"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("often")
def test_an_answer_of_a_language_model_ends_with_its_last_token(
    tmp_path: Path, stream: bool
) -> None:
    with Collector() as collector:
        model = write_model(tmp_path / "letters.gguf")
        arguments = (f"--model={model}", f"--otlp-endpoint={collector.url}")
        with ByteServer(*arguments, log=tmp_path / "log") as server:
            body = {"prompt": "once", "max_tokens": 5, "temperature": 0, "stream": stream}
            assert server.call("POST", "/v1/completions", body, **SAMPLED)[0] == 200
            wait_until(lambda: bool(spans(collector)), "the spans come")
            assert server.stop() == 0
    whole, queue, prompt, answer = spans(collector)
    assert [queue["name"], prompt["name"]] == ["queue", "prompt"]
    assert answer["name"] == "text_completion letters"
    assert answer["attributes"]["gen_ai.usage.output_tokens"] == "5"
    assert answer["attributes"]["gen_ai.response.finish_reasons"] == "length"
    assert int(answer["endTimeUnixNano"]) <= int(whole["endTimeUnixNano"]) + 1000
    assert b"once" not in b"".join(export.body for export in collector.exports)


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"00-{TRACE}-{PARENT}-00",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
    ],
)
def test_what_no_client_has_sampled_is_not_traced(header: str) -> None:
    assert sampled_parent(header) is None


def test_spans_that_no_collector_takes_are_bounded() -> None:
    class Sender:
        peer = "192.0.2.1"

    queue = SpanQueue()
    for _ in range(MOST_WAITING + 10):
        exchange = Exchange(
            Sender(),  # type: ignore[arg-type]
            Request("GET", "/" + "x" * 5000, "", SAMPLED, True),
            time.monotonic(),
        )
        queue.begin(exchange)
        assert exchange.span is not None
        exchange.span.end(200)
    assert queue.dropped == 10
    assert len(json.dumps(queue.first())) < 1_200_000
    queue.sent(len(queue.first()))
    exchange.span.end(200)
    assert queue.dropped == 10
