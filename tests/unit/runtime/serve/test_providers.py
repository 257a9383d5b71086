"""A server whose execution provider is not there: it answers, and its reports have the reason."""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest

from tests.unit.runtime.serve import rig

URL = "/v2/models/answer/infer"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return rig.constant(tmp_path / "answer.onnx", 3.0)


def metrics(server: rig.ServerProcess) -> list[str]:
    connection: http.client.HTTPConnection = server.connect()
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    names = ("edgewright_provider", "edgewright_model_nodes")
    return [line for line in lines if line.startswith(names)]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_missing_provider_is_reported_and_the_processor_answers(
    tmp_path: Path, model: Path, way: str
) -> None:
    words = ["--model", str(model), "--port", "0"]
    words += ["--providers", "migraphx"] if way == "option" else []
    variable = {"EDGEWRIGHT_PROVIDERS": "migraphx"} if way == "variable" else {}
    with rig.ServerProcess(*words, log=tmp_path / "log", **variable) as server:
        code, answer = server.call("POST", URL, rig.question())
        assert (code, answer["outputs"][0]["data"]) == (200, [3.0] * 4)
        _, status = server.get("/edgewright/status")
        found = metrics(server)
    placement = status["placement"]
    assert placement["wanted"] == ["migraphx"]
    assert placement["used"] == ["cpu"]
    assert placement["fallback"].startswith("MIGraphX: ONNX Runtime ")
    assert placement["fallback"].endswith("does not have it here. Computed by CPU instead.")
    labels = 'model="answer",version="1"'
    assert f"edgewright_provider_fallback{{{labels}}} 1" in found
    nodes = f'edgewright_model_nodes{{{labels},provider="cpu"}}'
    assert any(line.startswith(nodes) for line in found)


@pytest.mark.slow
def test_without_any_the_processor_is_no_fallback(tmp_path: Path, model: Path) -> None:
    with rig.ServerProcess("--model", str(model), "--port", "0", log=tmp_path / "log") as server:
        _, status = server.get("/edgewright/status")
        assert status["placement"]["fallback"] == ""
        assert metrics(server) == []
