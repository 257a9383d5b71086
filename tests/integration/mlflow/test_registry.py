"""The way of a model through MLflow's registry, in the order in which it is gone."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from studio.settings import resource
from tests.benchmarks.serve.peers import free_port
from tests.e2e.conftest import STUDIO, Studio
from tests.integration.mlflow.conftest import START_S, Driver, _wait, environment

DIGITS = resource("samples", "digits")
MODEL = str(DIGITS / "digits.onnx")
DATA = str(DIGITS / "calibration.npz")


def last_state(studio: Studio) -> tuple[str, int]:
    row = studio.ok("releases", "--target", "local")[0]
    return row["state"], row["version"]


def test_push_and_what_mlflows_client_sees(at_server: Studio, driver: Driver, server: str) -> None:
    at_server.ok("evaluate", MODEL, "--metric", "top1", "--data", str(DIGITS / "heldout.npz"))
    pushed = at_server.ok("registry", "push", MODEL, "--data", DATA, "--alias", "champion")
    assert (pushed["name"], pushed["version"], pushed["registry"]) == ("digits", "1", server)
    seen = driver("look", "digits", "champion")
    assert seen["version"] == "1"
    assert seen["status"] == "FINISHED"
    assert seen["nodes"] == 7
    assert seen["shapes"] == {"logits": [2, 10]}
    assert seen["metrics"]["top1"] > 0.9
    assert seen["metrics"]["size_bytes"] == Path(MODEL).stat().st_size
    assert seen["params"]["precision"] == "fp32"
    assert seen["tags"]["edgewright.release"] == pushed["release"]
    assert seen["tags"]["edgewright.tool.onnxruntime"]
    assert {"model/MLmodel", "model/manifest.json", "model/model.onnx"} <= set(seen["files"])


def test_pull_into_another_registry_gives_the_same_release(
    at_server: Studio, tmp_path: Path
) -> None:
    pushed = at_server.ok("registry", "list", "digits")["versions"][0]
    other = Studio(tmp_path / "other")
    other.environment["MLFLOW_TRACKING_URI"] = at_server.environment["MLFLOW_TRACKING_URI"]
    pulled = other.ok("registry", "pull", "digits@champion")
    assert pulled["release"] == pushed["release"]
    assert pulled["run"] == pushed["run"]
    assert (Path(pulled["bundle"]) / "manifest.json").is_file()
    assert not (Path(pulled["bundle"]) / "MLmodel").exists()


def test_a_variant_carries_its_lineage(at_server: Studio, driver: Driver) -> None:
    quantized = at_server.ok("quantize", "digits", "--data", DATA)
    at_server.ok("registry", "push", f"#{quantized['variant']}", "--alias", "challenger")
    seen = driver("look", "digits", "challenger")
    assert seen["version"] == "2"
    assert seen["tags"]["edgewright.parent"] == "digits:fp32"
    assert len(seen["tags"]["edgewright.parent.digest"]) == 64
    assert seen["params"]["precision"] == "int8"
    assert 0 < seen["metrics"]["size_ratio"] < 1


def test_an_alias_drives_deploys_and_moving_it_back_is_a_rollback(
    at_server: Studio, driver: Driver
) -> None:
    first = at_server.ok("registry", "deploy", "digits@champion")
    assert (first["action"], first["version"]) == ("deploy", "1")
    assert at_server.ok("registry", "deploy", "digits@champion")["action"] == "unchanged"
    driver("alias", "digits", "champion", 2)  # somebody else, with MLflow's own client
    second = at_server.ok("registry", "deploy", "digits@champion")
    assert (second["action"], second["version"]) == ("deploy", "2")
    assert last_state(at_server) == ("serving", 2)
    at_server.ok("registry", "alias", "digits", "champion", "1")
    back = at_server.ok("registry", "deploy", "digits@champion")
    assert (back["action"], back["version"]) == ("rollback", "1")
    assert back["because"] == "digits@champion is version 1"
    rows = at_server.ok("releases", "--target", "local")
    assert [(row["version"], row["state"]) for row in rows[:2]] == [
        (1, "serving"),
        (2, "rolled back"),
    ]


def test_history_tells_who_moved_the_alias(at_server: Studio) -> None:
    history = at_server.ok("registry", "list", "digits")["history"]
    moves = [(e["version"], e["text"].split(" by ")[0]) for e in history if e["what"] == "alias"]
    assert ("1", "champion") in moves
    assert ("2", "challenger") in moves


def test_watch_makes_one_release_for_each_move(at_server: Studio, driver: Driver) -> None:
    command = [
        str(STUDIO), "registry", "watch", "digits@champion",
        "--interval", "0.5", "--max-updates", "2", "--json",
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=at_server.environment,
    ) as watching:
        assert watching.stderr is not None
        assert "already" in watching.stderr.readline()
        driver("alias", "digits", "champion", 2)
        out, _ = watching.communicate(timeout=180)
    assert [move["action"] for move in json.loads(out)] == ["unchanged", "deploy"]
    assert last_state(at_server) == ("serving", 2)


PIPELINE = """
[pipeline]
name = "follow"
[[steps]]
id = "judge"
step = "evaluate"
model = "${trigger.variant}"
data = "heldout.npz"
[[steps]]
id = "deploy"
step = "deploy"
bundle = "${trigger.bundle}"
[[gates]]
name = "reads digits"
value = "${judge.metric.value}"
min = 0.9
"""


def test_a_move_of_the_alias_starts_a_pipeline(
    at_server: Studio, driver: Driver, tmp_path: Path
) -> None:
    (tmp_path / "heldout.npz").write_bytes((DIGITS / "heldout.npz").read_bytes())
    (tmp_path / "pipeline.toml").write_text(PIPELINE)
    half = at_server.ok("quantize", "digits", "--method", "fp16")
    pushed = at_server.ok("registry", "push", f"#{half['variant']}", "--data", DATA)
    command = [
        str(STUDIO), "run", str(tmp_path / "pipeline.toml"), "--watch", "digits@champion",
        "--registry", "mlflow", "--interval", "0.5", "--max-runs", "2", "--json",
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=at_server.environment,
    ) as following:
        assert following.stderr is not None
        said = iter(following.stderr.readline, "")
        assert "digits@champion in mlflow is version 2" in next(said)
        assert any("polling every 0.5 s" in line for line in said)
        driver("alias", "digits", "champion", int(pushed["version"]))
        out, _ = following.communicate(timeout=180)
    runs = json.loads(out)
    assert [run["exit_code"] for run in runs] == [0, 0]
    deployed = runs[1]["steps"][1]["result"]
    assert (deployed["name"], deployed["release"]) == ("digits", pushed["release"])
    shown = at_server.ok("run", "--show", "last")
    assert shown["trigger"]["version"] == pushed["version"]
    assert at_server.ok("call", "--requests", "5")["failed"] == 0


def test_a_model_that_others_registered(at_server: Studio, driver: Driver) -> None:
    driver("log", MODEL, "foreign")
    pulled = at_server.ok("registry", "pull", "foreign")
    assert pulled["model"] == "foreign"
    assert pulled["run"]
    again = at_server.ok("registry", "pull", "foreign/1")
    assert again["release"] == pulled["release"]
    assert at_server.ok("registry", "deploy", "foreign/1", "--replace")["action"] == "deploy"


def test_mlflows_own_server_serves_what_was_pushed(
    at_server: Studio, server: str, bin_folder: Path, tmp_path: Path
) -> None:
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        serving = subprocess.Popen(
            [bin_folder / "mlflow", "models", "serve", "-m", "models:/digits@challenger",
             "-p", str(port), "--env-manager", "local"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**environment(bin_folder), "MLFLOW_TRACKING_URI": server},
        )  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{port}/ping", serving, tmp_path / "log")
        body = json.dumps({"inputs": {"image": [[[[0.0] * 8] * 8]]}}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=START_S) as answer:
            found: dict[str, Any] = json.load(answer)
    finally:
        serving.terminate()
        serving.wait(30)
    assert len(found["predictions"]["logits"][0]) == 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pull", "digits@nobody"), "digits has no alias 'nobody'"),
        (("pull", "digits/99"), "digits has no version 99"),
        (("pull", "nothing"), "has no model 'nothing'"),
        (("alias", "digits", "v1", "1"), "MLflow keeps the alias 'v1' for itself."),
        (("push", MODEL, "--name", "a/b"), "MLflow allows no '/' in the name of a model"),
    ],
)
def test_what_is_not_there(at_server: Studio, arguments: tuple[str, ...], said: str) -> None:
    done = at_server.run("registry", *arguments)
    assert done.code == 2
    assert said in done.err


def test_a_refused_push_registers_nothing(at_server: Studio) -> None:
    assert at_server.run("registry", "push", MODEL, "--name", "bad:name").code == 2
    names = [model["name"] for model in at_server.ok("registry", "list")["models"]]
    assert sorted(names) == ["digits", "foreign"]
