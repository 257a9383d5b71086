"""The Open Inference Protocol over real HTTP, asked by tritonclient and by plain requests."""

from __future__ import annotations

import gzip
import json
import struct
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException

from studio.monitoring.endpoint.collect import parse_metrics
from tests.unit.runtime.serve import rig

MODEL = "every_type"
INFER = f"/v2/models/{MODEL}/infer"

ARRAYS: dict[str, np.ndarray] = {
    "BOOL": np.array([[True, False, True]]),
    "UINT8": np.array([[0, 1, 255]], np.uint8),
    "UINT16": np.array([[0, 1, 65535]], np.uint16),
    "UINT32": np.array([[0, 1, 2**32 - 1]], np.uint32),
    "UINT64": np.array([[0, 2**63, 2**64 - 1]], np.uint64),
    "INT8": np.array([[-128, 0, 127]], np.int8),
    "INT16": np.array([[-(2**15), 0, 2**15 - 1]], np.int16),
    "INT32": np.array([[-(2**31), 0, 2**31 - 1]], np.int32),
    "INT64": np.array([[-(2**63), 0, 2**63 - 1]], np.int64),
    "FP16": np.array([[0.5, -65504, 6e-8]], np.float16),
    "FP32": np.array([[0.1, -3.4e38, 1e-45]], np.float32),
    "FP64": np.array([[0.1, -1.7e308, 5e-324]], np.float64),
    "BYTES": np.array([["", "plain", 'Zürich 東京 \U0001f600 "\\\n']], dtype=object),
}


@pytest.fixture
def client(echo: rig.ServerProcess) -> Iterator[triton.InferenceServerClient]:
    made = triton.InferenceServerClient(f"{echo.host}:{echo.port}")
    yield made
    made.close()


def question(**changes: np.ndarray) -> dict[str, Any]:
    """An infer request in JSON for all inputs."""
    return {
        "inputs": [
            {
                "name": f"in_{name}",
                "datatype": name,
                "shape": list(array.shape),
                "data": array.tolist(),
            }
            for name, array in {**ARRAYS, **changes}.items()
        ]
    }


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
def test_every_type_comes_back_as_it_went(
    client: triton.InferenceServerClient, binary: bool
) -> None:
    inputs = []
    for name, array in ARRAYS.items():
        tensor = triton.InferInput(f"in_{name}", list(array.shape), name)
        tensor.set_data_from_numpy(array, binary_data=binary)
        inputs.append(tensor)
    outputs = [triton.InferRequestedOutput(f"out_{n}", binary_data=binary) for n in ARRAYS]
    result = client.infer(MODEL, inputs, outputs=outputs, request_id="mine")
    assert result.get_response()["id"] == "mine"
    assert result.get_response()["model_version"] == "1"
    for name, array in ARRAYS.items():
        answer = result.as_numpy(f"out_{name}")
        if name == "BYTES" and binary:
            answer = np.array([[text.decode() for text in answer[0]]], dtype=object)
        np.testing.assert_array_equal(answer, array, err_msg=name)
        assert answer.shape == array.shape


def test_metadata_health_and_index(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert not client.is_model_ready(MODEL, "2")
    assert not client.is_model_ready("other")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata(MODEL)
    assert metadata["versions"] == ["1"]
    assert metadata["inputs"][0] == {"name": "in_BOOL", "datatype": "BOOL", "shape": [-1, 3]}
    assert len(metadata["outputs"]) == len(ARRAYS)
    assert client.get_model_config(MODEL)["input"][-1]["data_type"] == "TYPE_STRING"
    index = client.get_model_repository_index()
    assert index == [{"name": MODEL, "version": "1", "state": "READY", "reason": ""}]


def test_statistics_count_what_was_asked(
    client: triton.InferenceServerClient, echo: rig.ServerProcess
) -> None:
    def counted() -> tuple[int, int, int]:
        (row,) = client.get_inference_statistics(MODEL)["model_stats"]
        stats = row["inference_stats"]
        assert stats["success"]["ns"] >= stats["compute_infer"]["ns"]
        return stats["success"]["count"], stats["fail"]["count"], row["inference_count"]

    before = counted()
    two = {name: np.repeat(array, 2, axis=0) for name, array in ARRAYS.items()}
    assert echo.call("POST", INFER, question(**two))[0] == 200
    assert echo.call("POST", INFER, {"inputs": []})[0] == 400
    after = counted()
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 2]


def test_statistics_of_batches(
    client: triton.InferenceServerClient, echo: rig.ServerProcess
) -> None:
    def counted() -> tuple[int, dict[int, int]]:
        (row,) = client.get_inference_statistics(MODEL, "1")["model_stats"]
        parts = ("compute_input", "compute_infer", "compute_output")
        for part in parts:
            total = sum(size[part]["ns"] for size in row["batch_stats"])
            assert abs(total - row["inference_stats"][part]["ns"]) <= len(row["batch_stats"])
        counts = {size["batch_size"]: size["compute_infer"]["count"] for size in row["batch_stats"]}
        return row["execution_count"], counts

    executions, before = counted()
    assert executions == sum(before.values())
    for rows in (1, 3, 3):
        many = {name: np.repeat(array, rows, axis=0) for name, array in ARRAYS.items()}
        assert echo.call("POST", INFER, question(**many))[0] == 200
    executions, after = counted()
    assert executions == sum(after.values())
    assert after[1] - before.get(1, 0) == 1
    assert after[3] - before.get(3, 0) == 2


def test_metrics_are_prometheus_text(echo: rig.ServerProcess) -> None:
    assert echo.call("POST", INFER, question())[0] == 200
    status, text = echo.get("/metrics")
    assert status == 200
    found = parse_metrics(text.decode())
    labels = f'{{model="{MODEL}",version="1"}}'
    asked = found["nv_inference_request_success" + labels]
    assert asked >= 1
    assert found[f'edgewright_request_seconds_bucket{labels[:-1]},le="+Inf"}}'] == asked
    assert found["edgewright_request_seconds_count" + labels] == asked
    assert found["process_resident_memory_bytes"] > 1e7
    for line in text.decode().splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or len(line.rsplit(" ", 1)) == 2


def test_status_for_the_monitor(echo: rig.ServerProcess) -> None:
    before = echo.get("/edgewright/status")[1]
    for _ in range(20):
        assert echo.call("POST", INFER, question())[0] == 200
    status = echo.get("/edgewright/status")[1]
    assert status["requests"] == before["requests"] + 20
    assert status["errors"] == 0
    latency = status["latency_ms"]
    assert latency["count"] >= 20
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"]
    assert status["throughput_rps"] > 0
    assert status["digest"] == echo.ready["digest"]
    assert (status["version"], status["generation"], status["ready"]) == (1, 1, True)


def test_answers_name_the_model_and_echo_the_trace(echo: rig.ServerProcess) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    connection = echo.connect()
    connection.request("POST", INFER, json.dumps(question()), {"traceparent": trace})
    response = connection.getresponse()
    response.read()
    assert response.headers["Edgewright-Model-Digest"] == echo.ready["digest"]
    assert response.headers["Edgewright-Model-Version"] == "1"
    assert response.headers["traceparent"] == trace
    connection.close()
    rig.wait_until(lambda: trace in echo.log.read_text(), "the request is logged")
    lines = [json.loads(line) for line in echo.log.read_text().splitlines()]
    (logged,) = [line for line in lines if line.get("traceparent") == trace]
    assert (logged["method"], logged["path"], logged["status"]) == ("POST", INFER, 200)


def test_compressed_request(client: triton.InferenceServerClient) -> None:
    inputs = []
    for name, array in ARRAYS.items():
        tensor = triton.InferInput(f"in_{name}", list(array.shape), name)
        tensor.set_data_from_numpy(array)
        inputs.append(tensor)
    for coding in ("gzip", "deflate"):
        result = client.infer(MODEL, inputs, request_compression_algorithm=coding)
        np.testing.assert_array_equal(result.as_numpy("out_INT64"), ARRAYS["INT64"])


def test_a_bomb_is_refused(echo: rig.ServerProcess) -> None:
    bomb = gzip.compress(b" " * (8 << 20))
    status, answer = echo.call("POST", INFER, bomb, **{"Content-Encoding": "gzip"})
    assert (status, answer["error"]) == (413, "The body is larger than 1048576 bytes.")
    assert echo.call("POST", INFER, b"x", **{"Content-Encoding": "gzip"})[0] == 400
    assert echo.call("POST", INFER, b"x", **{"Content-Encoding": "br"})[0] == 415


def test_only_the_wanted_outputs_in_the_wanted_form(echo: rig.ServerProcess) -> None:
    body = question()
    body["outputs"] = [
        {"name": "out_INT16", "parameters": {"binary_data": True}},
        {"name": "out_FP64"},
    ]
    connection = echo.connect()
    connection.request("POST", INFER, json.dumps(body))
    response = connection.getresponse()
    raw = response.read()
    size = int(response.headers["Inference-Header-Content-Length"])
    first, second = json.loads(raw[:size])["outputs"]
    assert first["parameters"] == {"binary_data_size": 6}
    assert "data" not in first
    assert struct.unpack("<3h", raw[size:]) == tuple(ARRAYS["INT16"][0])
    assert second["data"] == ARRAYS["FP64"][0].tolist()
    connection.close()


def test_numbers_that_json_lacks_are_valid_json(echo: rig.ServerProcess) -> None:
    values = np.array([[np.nan, np.inf, -np.inf]], np.float32)
    head = question()
    del head["inputs"][10]["data"]
    head["inputs"][10]["parameters"] = {"binary_data_size": 12}
    head["outputs"] = [{"name": "out_FP32"}]
    raw = json.dumps(head).encode()
    length = {"Inference-Header-Content-Length": str(len(raw))}
    connection = echo.connect()
    connection.request("POST", INFER, raw + values.tobytes(), length)
    text = connection.getresponse().read().decode()
    connection.close()

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    document = json.loads(text, parse_constant=refuse)
    answer = np.array(document["outputs"][0]["data"], np.float32)
    np.testing.assert_array_equal(answer, values[0])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v2/models/other", 404),
        ("GET", f"/v2/models/{MODEL}/versions/2", 404),
        ("POST", "/v2/models/other/infer", 404),
        ("GET", INFER, 405),
        ("DELETE", f"/v2/models/{MODEL}", 405),
        ("GET", "/v2/models//ready", 404),
        ("GET", "/v2/../../etc/passwd", 404),
        ("GET", f"/v2/models/{urllib.parse.quote('a/b ü', safe='')}", 404),
    ],
)
def test_errors_are_documents(echo: rig.ServerProcess, method: str, path: str, status: int) -> None:
    found, document = echo.call(method, path)
    assert found == status
    assert list(document) == ["error"]
    assert document["error"].endswith(".")


def test_a_trailing_slash_and_a_version_are_fine(echo: rig.ServerProcess) -> None:
    assert echo.get("/v2/")[0] == 200
    path = f"/v2/models/{MODEL}/versions/1/infer"
    assert echo.call("POST", path, question())[0] == 200


def test_tritonclient_reads_our_errors(client: triton.InferenceServerClient) -> None:
    tensor = triton.InferInput("in_FP32", [1, 3], "FP32")
    tensor.set_data_from_numpy(ARRAYS["FP32"])
    with pytest.raises(InferenceServerException, match="The input 'in_BOOL' is missing"):
        client.infer(MODEL, [tensor])


def test_a_full_queue_says_when_to_come_again(tmp_path: Path) -> None:
    model = rig.slow(tmp_path / "slow.onnx")
    arguments = (f"--model={model}", "--workers=1", "--queue=0")
    data = {"name": "x", "datatype": "FP32", "shape": [128, 128], "data": [0.0] * 128 * 128}
    body = json.dumps({"inputs": [data]})
    path = "/v2/models/slow/infer"
    with rig.ServerProcess(*arguments, log=tmp_path / "log") as server:
        busy = server.connect()
        busy.request("POST", path, body)
        rig.wait_until(
            lambda: server.get("/edgewright/status")[1]["in_flight"] == 1, "the first has begun"
        )
        connection = server.connect()
        connection.request("POST", path, body)
        refused = connection.getresponse()
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert "Too many queued requests" in json.loads(refused.read())["error"]
        assert busy.getresponse().status == 200
        assert server.get("/edgewright/status")[1]["rejected"] == 1
        connection.close()
        busy.close()


def test_nothing_is_sent_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY")
    model = rig.constant(tmp_path / "constant.onnx", 1.0)
    home = tmp_path / "home"
    home.mkdir()
    with rig.ServerProcess(f"--model={model}", log=tmp_path / "log", HOME=str(home)) as server:
        assert server.call("POST", "/v2/models/constant/infer", rig.question())[0] == 200
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing.onnx", None, "cannot be read: No such file or directory."),
        ("empty.onnx", b"", "cannot load empty.onnx: Load model from"),
        ("garbage.onnx", b"garbage", "cannot load garbage.onnx"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    server = rig.ServerProcess(f"--model={path}", log=tmp_path / "log")
    assert server.process.wait(20) == 1
    server.stop()
    said = server.log.read_text()
    assert sentence in said
    assert len(said.splitlines()) == 1


def test_a_taken_port_is_one_sentence(echo: rig.ServerProcess, tmp_path: Path) -> None:
    model = rig.constant(tmp_path / "constant.onnx", 1.0)
    arguments = (f"--model={model}", f"--port={echo.port}")
    server = rig.ServerProcess(*arguments, log=tmp_path / "log")
    assert server.process.wait(20) == 1
    server.stop()
    expected = f"Cannot listen at port {echo.port} of 127.0.0.1: Address already in use.\n"
    assert server.log.read_text() == expected
