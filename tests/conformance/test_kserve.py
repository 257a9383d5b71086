"""KServe's first protocol, Azure ML's addresses and Vertex AI's variables, asked with curl."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance import models
from tests.conformance.conftest import Ask
from tests.conformance.curl import data
from tests.unit.runtime.serve.rig import ServerProcess

X = [[1, 2, 3]]
Y = [[2.0, 4.0, 6.0]]


def test_models_and_health(ask: Ask, doubled: ServerProcess) -> None:
    assert ask(doubled, "/").json == {"status": "alive"}
    assert ask(doubled, "/v1/models").json == {"models": ["doubled"]}
    assert ask(doubled, "/v1/models/doubled").json == {"name": "doubled", "ready": True}
    assert ask(doubled, "/v1/models/other").status == 404


def test_predict(ask: Ask, doubled: ServerProcess, named: ServerProcess) -> None:
    url = "/v1/models/doubled:predict"
    assert ask(doubled, url, *data({"instances": X})).json == {"predictions": Y}
    assert ask(doubled, url, *data({"inputs": X})).json == {"outputs": Y}
    assert ask(doubled, url, "--data", '{"instances": [[1, 2, 3]]}').json == {"predictions": Y}
    versioned = "/v1/models/doubled/versions/1:predict"
    assert ask(doubled, versioned, *data({"instances": X})).json == {"predictions": Y}
    columns = {"a": [1], "b": [2], "name": ["n"]}
    answer = ask(named, "/v1/models/named:predict", *data({"inputs": columns}))
    assert answer.json == {"outputs": {"total": [3.0], "echo": ["n"]}}


def test_strings_in_base64(ask: Ask, tmp_path: Path) -> None:
    model = models.echo(tmp_path / "echo.onnx")
    with ServerProcess(f"--model={model}", log=tmp_path / "log") as server:
        encoded = {"b64": base64.b64encode("hü".encode()).decode()}
        answer = ask(server, "/v1/models/echo:predict", *data({"instances": [encoded] * 2}))
        assert answer.json == {"predictions": ["hü", "hü"]}
        answer = ask(server, "/v1/models/echo:predict", *data({"instances": [{"b64": "/w=="}]}))
        assert (answer.status, answer.json["error"][-14:]) == (400, " is not UTF-8.")


def test_errors_are_sentences(ask: Ask, doubled: ServerProcess) -> None:
    for path, status in (
        ("/v1/models/doubled:explain", 404),
        ("/v1/models/doubled", 404),
        ("/v1/models/other:predict", 404),
        ("/v1/models/doubled/versions/9:predict", 404),
    ):
        answer = ask(doubled, path, *data({"instances": X}))
        assert answer.status == status, path
        assert answer.json["error"].endswith(".")
    answer = ask(doubled, "/v1/models/doubled:predict", *data({"instances": [[1]]}))
    assert answer.status == 400
    assert answer.json == {"error": "An instance of the input 'x' has the shape [1], not [3]."}


def test_models_that_take_one_instance_at_a_time(ask: Ask, tmp_path: Path) -> None:
    model = models.doubled(tmp_path / "single.onnx", rows=1)
    with ServerProcess(f"--model={model}", log=tmp_path / "log") as server:
        rows = [[number, 0, 1] for number in range(5)]
        answer = ask(server, "/v1/models/single:predict", *data({"instances": rows}))
        assert answer.json == {"predictions": [[2.0 * n, 0.0, 2.0] for n in range(5)]}
        counted = server.get("/v2/models/single/stats")[1]["model_stats"][0]
        assert counted["inference_count"] == 5
        assert counted["execution_count"] == 5
        assert [size["batch_size"] for size in counted["batch_stats"]] == [1]
        many = ask(server, "/score", *data({"instances": [[0, 0, 0]] * 2000}))
        assert many.status == 400
        assert "at most 1024" in many.json["error"]


def test_azure(ask: Ask, doubled: ServerProcess) -> None:
    assert ask(doubled, "/").status == 200
    assert ask(doubled, "/score", *data({"instances": X})).json == {"predictions": Y}
    assert ask(doubled, "/score", *data({"data": X})).json == Y
    table = {"columns": ["a", "b", "c"], "index": [0], "data": X}
    assert ask(doubled, "/score", *data({"input_data": table})).json == Y
    assert ask(doubled, "/score", *data({"input_data": X})).json == Y
    assert ask(doubled, "/score", *data({})).status == 400


@pytest.fixture(scope="module")
def vertex(folder: Path) -> Iterator[ServerProcess]:
    model = models.doubled(folder / "on-vertex.onnx")
    number = "/v1/endpoints/123/deployedModels/456"
    environment = {
        "AIP_HEALTH_ROUTE": number,
        "AIP_PREDICT_ROUTE": number + ":predict",
        "AIP_STORAGE_URI": "gs://nowhere/at-all",
        "AIP_MODE": "PREDICTION",
    }
    log = folder / "vertex.log"
    with ServerProcess(f"--model={model}", log=log, **environment) as server:
        yield server


def test_vertex(ask: Ask, vertex: ServerProcess) -> None:
    number = "/v1/endpoints/123/deployedModels/456"
    assert ask(vertex, number).status == 200
    document = {"instances": X, "parameters": {"confidence": 0.5}}
    assert ask(vertex, number + ":predict", *data(document)).json == {"predictions": Y}
    assert ask(vertex, number + ":predict", *data({"instances": 3})).status == 400


def test_without_the_variables_there_are_no_such_addresses(
    ask: Ask, doubled: ServerProcess
) -> None:
    assert ask(doubled, "/v1/endpoints/123/deployedModels/456").status == 404
