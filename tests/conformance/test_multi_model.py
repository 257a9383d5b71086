"""SageMaker's contract for containers of many models, asked with curl as the platform asks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.conformance import models
from tests.conformance.conftest import Ask
from tests.conformance.curl import Answer, data
from tests.unit.runtime.serve.rig import ServerProcess

X = {"instances": [[1.0, 2.0, 3.0]]}
Y = {"predictions": [[2.0, 4.0, 6.0]]}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """What the platform has unpacked: a bare model, a bundle, rubbish; and a model elsewhere."""
    store = tmp_path / "opt" / "ml" / "models"
    bare = store / "aaa" / "model"
    bare.mkdir(parents=True)
    models.doubled(bare / "net.onnx")
    packed = models.bundle(store / "bbb" / "model", models.doubled(tmp_path / "doubled.onnx"))
    assert (packed / "manifest.json").exists()
    (store / "ccc" / "model").mkdir(parents=True)
    (store / "ccc" / "model" / "net.onnx").write_bytes(b"rubbish")
    (store / "ddd" / "model").mkdir(parents=True)
    shutil.copytree(bare, tmp_path / "secret")
    return store


@pytest.fixture
def server(store: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    arguments = (f"--models={store}", "--on-demand")
    with ServerProcess(*arguments, log=tmp_path / "log") as running:
        yield running


def load(ask: Ask, server: ServerProcess, name: str, place: object) -> Answer:
    return ask(server, "/models", *data({"model_name": name, "url": str(place)}))


def delete(ask: Ask, server: ServerProcess, name: str) -> Answer:
    return ask(server, f"/models/{quote(name, safe='')}", "--request", "DELETE")


def test_the_life_of_a_model(ask: Ask, server: ServerProcess, store: Path) -> None:
    assert ask(server, "/ping").status == 200  # the platform asks before it loads anything
    assert ask(server, "/v2/health/ready").status == 200
    assert ask(server, "/models").json == {"models": []}
    assert ask(server, "/models/one/invoke", *data(X)).status == 404
    place = store / "aaa" / "model"
    assert load(ask, server, "one", place).status == 200
    assert load(ask, server, "one", place).status == 409
    described = {"modelName": "one", "modelUrl": str(place)}
    assert ask(server, "/models").json == {"models": [described]}
    assert ask(server, "/models/one").json == described
    assert ask(server, "/models/one/invoke", *data(X)).json == Y
    target = ("--header", "X-Amzn-SageMaker-Target-Model: one.tar.gz")
    assert ask(server, "/models/one/invoke", *data("1,2,3\n", "text/csv"), *target).json == Y
    assert delete(ask, server, "one").status == 200
    assert delete(ask, server, "one").status == 404
    assert ask(server, "/models/one").status == 404
    assert ask(server, "/models/one/invoke", *data(X)).status == 404
    assert ask(server, "/ping").status == 200


def test_several_models_under_names_of_the_platform(
    ask: Ask, server: ServerProcess, store: Path
) -> None:
    names = ["0f3c", "päck", "a b/c"]
    for name, place in zip(names, ("aaa/model", "bbb/model", "bbb"), strict=True):
        assert load(ask, server, name, store / place).status == 200
        answer = ask(server, f"/models/{quote(name, safe='')}/invoke", *data(X))
        assert answer.json == Y
    listed = [row["modelName"] for row in ask(server, "/models").json["models"]]
    assert listed == sorted(names)
    assert ask(server, "/v2/models/0f3c/ready").status == 200


@pytest.mark.slow
def test_the_list_comes_in_pages(ask: Ask, server: ServerProcess, store: Path) -> None:
    names = [f"m{number:03}" for number in range(103)]
    for name in names:
        body = {"model_name": name, "url": str(store / "aaa")}
        assert server.call("POST", "/models", body)[0] == 200
    first = ask(server, "/models").json
    assert [row["modelName"] for row in first["models"]] == names[:100]
    second = ask(server, f"/models?next_page_token={first['nextPageToken']}").json
    assert [row["modelName"] for row in second["models"]] == names[100:]
    assert "nextPageToken" not in second


def test_nothing_outside_of_the_folder_is_loaded(
    ask: Ask, server: ServerProcess, store: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    os.symlink(secret, store / "link")
    (store / "eee").mkdir()
    os.symlink(secret / "net.onnx", store / "eee" / "net.onnx")
    os.symlink("round", store / "round")
    for place in (
        secret,
        secret / "net.onnx",
        "../../../secret",
        store / ".." / ".." / ".." / "secret",
        f"{store}/aaa/../../../../secret",
        store / "link",
        store / "link" / "net.onnx",
        store / "eee",
        store / "eee" / "net.onnx",
        store / "round",
        store,
        "/",
        "a" * 5000,
    ):
        answer = load(ask, server, "x", place)
        assert answer.status in (400, 404), place
        assert ask(server, "/models").json == {"models": []}
    assert load(ask, server, "x", "aaa/model").status == 200


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ({"model_name": "x", "url": "ddd"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ({"model_name": "x", "url": "nothing"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ({"model_name": "x", "url": "ccc"}, 400, "BAD_REQUEST"),
        ({"model_name": "x"}, 400, "BAD_REQUEST"),
        ({"url": "aaa"}, 400, "BAD_REQUEST"),
        ({"model_name": "", "url": "aaa"}, 400, "BAD_REQUEST"),
        ({"model_name": "x\n", "url": "aaa"}, 400, "BAD_REQUEST"),
        ({"model_name": "x" * 300, "url": "aaa"}, 400, "BAD_REQUEST"),
        ({"model_name": "x", "url": "aaa\0"}, 400, "BAD_REQUEST"),
        ({"model_name": 1, "url": ["aaa"]}, 400, "BAD_REQUEST"),
        ("{", 400, "BAD_REQUEST"),
        ("[]", 400, "BAD_REQUEST"),
    ],
)
def test_refusals(
    ask: Ask, server: ServerProcess, document: dict | str, status: int, code: str
) -> None:
    answer = ask(server, "/models", *data(document))
    assert answer.status == status, answer.body
    assert answer.json["error_code"] == code
    assert answer.json["message"].endswith(".")


def test_a_model_larger_than_memory_is_not_even_tried(
    ask: Ask, server: ServerProcess, store: Path
) -> None:
    huge = store / "huge" / "net.onnx"
    huge.parent.mkdir()
    with huge.open("wb") as file:
        file.truncate(1 << 43)  # eight terabytes of nothing
    answer = load(ask, server, "huge", huge.parent)
    assert answer.status == 507
    assert answer.json["error_code"] == "RESOURCE_LIMIT_EXCEEDED"
    assert load(ask, server, "one", store / "aaa").status == 200


def test_a_server_of_one_model_says_so(ask: Ask, doubled: ServerProcess) -> None:
    assert load(ask, doubled, "x", "/x").status == 400
    assert [row["modelName"] for row in ask(doubled, "/models").json["models"]] == ["doubled"]
    assert ask(doubled, "/models/doubled/invoke", *data(X)).json == Y


def test_the_platform_starts_it_with_the_word_serve(ask: Ask, tmp_path: Path) -> None:
    platform = {"SAGEMAKER_MULTI_MODEL": "true", "SAGEMAKER_BIND_TO_PORT": "0"}
    with ServerProcess(log=tmp_path / "log", **platform) as server:
        assert ask(server, "/ping").status == 200
        assert ask(server, "/models").json == {"models": []}
        assert load(ask, server, "x", "/etc/passwd").status == 400
