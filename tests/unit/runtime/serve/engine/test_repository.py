"""A folder of models: several names and versions at once, loaded and unloaded by name."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException

from studio.runtime.serve.engine.catalog import entries_of
from studio.runtime.shared.errors import LoadError
from tests.unit.runtime.serve import rig


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two versions of one model, a bare file, a bundle, and one that is broken."""
    folder = tmp_path / "models"
    for version in (2, 10):
        place = folder / "many" / str(version)
        place.mkdir(parents=True)
        rig.constant(place / "model.onnx", float(version))
    rig.constant(folder / "bare.onnx", 7.0)
    made = rig.bundle(tmp_path / "made", rig.constant(tmp_path / "a.onnx", 8.0), 3)
    shutil.copytree(made, folder / "packed")
    broken = folder / "broken" / "1"
    broken.mkdir(parents=True)
    (broken / "model.onnx").write_bytes(b"no model")
    (folder / ".hidden").mkdir()
    (folder / "notes.txt").write_text("not a model")
    return folder


@pytest.fixture
def server(folder: Path, tmp_path: Path) -> Iterator[rig.ServerProcess]:
    with rig.ServerProcess(f"--models={folder}", log=tmp_path / "log") as running:
        yield running


@pytest.fixture
def client(server: rig.ServerProcess) -> Iterator[triton.InferenceServerClient]:
    made = triton.InferenceServerClient(f"{server.host}:{server.port}")
    yield made
    made.close()


def answer(client: triton.InferenceServerClient, model: str, version: str = "") -> float:
    """What a model of ``rig.constant`` says."""
    tensor = triton.InferInput("x", [1, 4], "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 4), np.float32))
    result = client.infer(model, [tensor], version)
    (name,) = [output["name"] for output in result.get_response()["outputs"][:1]]
    return float(result.as_numpy(name).ravel()[0])


def states(rows: list[dict[str, str]]) -> dict[tuple[str, str], str]:
    return {(row["name"], row["version"]): row["state"] for row in rows}


def test_what_lies_in_a_folder(folder: Path) -> None:
    found = [(entry.name, entry.version) for entry in entries_of(folder)]
    assert found == [
        ("bare", "1"), ("broken", "1"), ("many", "10"), ("many", "2"), ("packed", "3"),
    ]  # fmt: skip


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="cannot be read: No such file"):
        entries_of(tmp_path / "nothing")
    server = rig.ServerProcess(f"--models={tmp_path / 'nothing'}", log=tmp_path / "log")
    assert server.process.wait(20) == 1
    server.stop()
    assert len(server.log.read_text().splitlines()) == 1


def test_all_are_served_by_name_and_version(client: triton.InferenceServerClient) -> None:
    assert answer(client, "bare") == 7.0
    assert answer(client, "packed", "3") == 8.0
    assert answer(client, "many") == 10.0
    assert answer(client, "many", "2") == 2.0
    assert client.get_model_metadata("many")["versions"] == ["2", "10"]
    with pytest.raises(InferenceServerException, match="no version '3'"):
        answer(client, "many", "3")


def test_the_index_says_why_one_is_missing(client: triton.InferenceServerClient) -> None:
    rows = client.get_model_repository_index()
    assert states(rows) == {
        ("bare", "1"): "READY",
        ("broken", "1"): "UNAVAILABLE",
        ("many", "2"): "READY",
        ("many", "10"): "READY",
        ("packed", "3"): "READY",
    }
    (broken,) = [row for row in rows if row["name"] == "broken"]
    assert "cannot load model.onnx" in broken["reason"]


def test_models_come_and_go(client: triton.InferenceServerClient, folder: Path) -> None:
    client.unload_model("many")
    assert not client.is_model_ready("many")
    assert states(client.get_model_repository_index())["many", "10"] == "UNAVAILABLE"
    assert answer(client, "bare") == 7.0
    shutil.rmtree(folder / "many" / "10")
    client.load_model("many")
    assert answer(client, "many") == 2.0
    rig.constant(folder / "bare.onnx", 70.0)
    assert answer(client, "bare") == 7.0
    client.load_model("bare")
    assert answer(client, "bare") == 70.0


def test_a_hang_up_reads_the_folder_again(
    client: triton.InferenceServerClient, server: rig.ServerProcess, folder: Path
) -> None:
    rig.constant(folder / "new.onnx", 5.0)
    (folder / "bare.onnx").unlink()
    server.process.send_signal(signal.SIGHUP)
    rig.wait_until(lambda: client.is_model_ready("new"), "the new model is loaded")
    assert answer(client, "new") == 5.0
    assert not client.is_model_ready("bare")


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("/v2/repository/models/none/load", None, 404, "no model 'none' in the folder"),
        ("/v2/repository/models/none/unload", None, 404, "no model 'none'"),
        ("/v2/repository/models/..%2Fmodels%2Fbare/load", None, 404, "no model"),
        ("/v2/repository/models/broken/load", None, 400, "cannot load model.onnx"),
        ("/v2/repository/models/bare/load", {"parameters": {"config": "{}"}}, 400, "folder"),
        ("/v2/repository/models/bare/load", {"parameters": {"file:1/a": "x"}}, 400, "folder"),
        ("/v2/repository/models/bare/load", b"{", 400, "not valid JSON"),
        ("/v2/repository/models/bare/load", b"[]", 400, "must be a JSON object"),
    ],
)
def test_what_cannot_be_loaded(
    server: rig.ServerProcess, path: str, body: Any, status: int, sentence: str
) -> None:
    found, document = server.call("POST", path, body)
    assert found == status
    assert sentence in document["error"]
    assert server.get("/v2/models/bare/ready")[0] == 200


def test_one_release_is_changed_by_deploying_only(echo: rig.ServerProcess) -> None:
    for verb in ("load", "unload"):
        status, document = echo.call("POST", f"/v2/repository/models/every_type/{verb}", {})
        assert status == 400
        assert "come and go by deploying" in document["error"]
    rows = echo.call("POST", "/v2/repository/index", {"ready": True})[1]
    assert states(rows) == {("every_type", "1"): "READY"}
