"""The registry commands from the command line, against the fake of MLflow's REST contract."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.rigs.mlflow.fake import FakeMlflow, Refusal, running

pytestmark = pytest.mark.slow


@pytest.fixture
def fake(studio: Studio) -> Iterator[FakeMlflow]:
    with running() as (found, address):
        studio.environment["MLFLOW_TRACKING_URI"] = address
        studio.environment["MLFLOW_TRACKING_TOKEN"] = "t0ken-of-ann"
        yield found


def rows(studio: Studio, table: str) -> int:
    database = studio.home / "edgewright" / "data" / "registry" / "registry.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_push_pull_and_deploy_by_alias(
    studio: Studio, fake: FakeMlflow, digits: Path, tmp_path: Path
) -> None:
    model, data = digits / "digits.onnx", digits / "heldout.npz"
    studio.ok("evaluate", model, "--metric", "top1", "--data", data)
    pushed = studio.ok("registry", "push", model, "--alias", "champion")
    assert (pushed["name"], pushed["version"], pushed["aliases"]) == ("digits", "1", ["champion"])
    assert fake.state.authorization == "Bearer t0ken-of-ann"
    metrics = {one["key"]: one["value"] for one in fake.state.runs[pushed["run"]]["metrics"]}
    assert metrics["top1"] > 0.9
    assert metrics["size_bytes"] == model.stat().st_size
    other = Studio(tmp_path / "other")
    other.environment.update(MLFLOW_TRACKING_URI=studio.environment["MLFLOW_TRACKING_URI"])
    pulled = other.ok("registry", "pull", "digits@champion")
    assert pulled["release"] == pushed["release"]
    deployed = studio.ok("registry", "deploy", "digits@champion", "--target", "local")
    assert (deployed["action"], deployed["release"]) == ("deploy", pushed["release"])
    again = studio.ok("registry", "deploy", "digits@champion", "--target", "local")
    assert again["action"] == "unchanged"


def test_a_pipeline_pushes_and_moves_the_alias(
    studio: Studio, fake: FakeMlflow, digits: Path, tmp_path: Path
) -> None:
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text(
        f"""
        pipeline.name = "release"
        [[steps]]
        id = "push"
        step = "registry-push"
        model = "{digits / "digits.onnx"}"
        [[steps]]
        step = "registry-alias"
        name = "${{push.name}}"
        alias = "champion"
        version = "${{push.version}}"
        """
    )
    studio.ok("run", pipeline)
    assert fake.state.models["digits"]["aliases"] == {"champion": "1"}


def test_no_secret_is_kept(studio: Studio, fake: FakeMlflow, digits: Path) -> None:
    address = studio.environment["MLFLOW_TRACKING_URI"]
    assert studio.ok("registry", "add", "lab", address) == {"lab": address}
    studio.ok("registry", "push", digits / "digits.onnx", "--registry", "lab")
    kept = [path for path in studio.home.rglob("*") if path.is_file()]
    assert not [path for path in kept if b"t0ken-of-ann" in path.read_bytes()]


def test_a_failed_pull_leaves_nothing_here(
    studio: Studio, fake: FakeMlflow, digits: Path, tmp_path: Path
) -> None:
    studio.ok("registry", "push", digits / "digits.onnx")
    place = next(name for name in fake.state.files if name.endswith("model.onnx"))
    content = fake.state.files[place]
    fake.state.files[place] = content[:-1] + bytes([content[-1] ^ 1])
    other = Studio(tmp_path / "other")
    other.environment.update(MLFLOW_TRACKING_URI=studio.environment["MLFLOW_TRACKING_URI"])
    ended = other.run("registry", "pull", "digits", "--json")
    assert ended.code in (1, 4)
    assert "model.onnx" in json.loads(ended.out)["error"]["message"]
    assert [rows(other, table) for table in ("models", "variants", "versions")] == [0, 0, 0]


def test_a_refused_push_leaves_no_version_here(
    studio: Studio, fake: FakeMlflow, digits: Path
) -> None:
    fake.state.refusals["model-versions/create"] = Refusal(403, "PERMISSION_DENIED", "no EDIT")
    ended = studio.run("registry", "push", digits / "digits.onnx")
    assert ended.code == 1
    assert "does not allow this: no EDIT." in ended.err
    assert rows(studio, "versions") == 0
    assert fake.state.models == {}


def test_no_server_is_named(studio: Studio) -> None:
    studio.environment.pop("MLFLOW_TRACKING_URI", None)
    ended = studio.run("registry", "list")
    assert ended.code == 2
    assert ended.err.startswith("studio: Missing address of the MLflow server.")
