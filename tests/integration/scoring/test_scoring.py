"""MLflow's scoring client, which must read the same numbers from MLflow's server and from ours."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.serve import environments
from tests.benchmarks.serve.peers import free_port
from tests.conformance import models
from tests.unit.runtime.serve.rig import ServerProcess

HERE = Path(__file__).parent
DRIVER = HERE / "driver.py"
TABLE = [[2.0, 4.0, 6.0], [8.0, 10.0, 13.0]]
TAKEN = ["table", "table with an index", "table of one row", "array", "list"]
REFUSED = ["wrong width", "text"]
LIMIT_S = 180.0


@pytest.fixture(scope="module")
def bin_folder(rigs: Path) -> Path:
    """The programs of MLflow's environment (nearly a gigabyte, kept)."""
    return environments.install("mlflow", rigs, HERE) / "bin"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scoring")


@pytest.fixture(scope="module")
def model(folder: Path) -> Path:
    return models.doubled(folder / "doubled.onnx")


def driver(bin_folder: Path, *arguments: object) -> str:
    done = subprocess.run(
        [bin_folder / "python", DRIVER, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def ours(bin_folder: Path, model: Path, folder: Path) -> dict[str, Any]:
    """What the client has read from our server."""
    with ServerProcess(f"--model={model}", log=folder / "ours") as server:
        found: dict[str, Any] = json.loads(driver(bin_folder, "ask", server.port))
    return found


@pytest.fixture(scope="module")
def port_of_mlflow(bin_folder: Path, model: Path, folder: Path) -> Iterator[int]:
    driver(bin_folder, "save", model, folder / "saved")
    port = free_port()
    with (folder / "theirs").open("wb") as log:
        server = subprocess.Popen(
            [bin_folder / "mlflow", "models", "serve", "-m", folder / "saved", "-p", str(port),
             "--env-manager", "local"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
        )  # fmt: skip
    yield port
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="module")
def theirs(bin_folder: Path, port_of_mlflow: int) -> dict[str, Any]:
    """What it has read from MLflow's."""
    found: dict[str, Any] = json.loads(driver(bin_folder, "ask", port_of_mlflow))
    return found


@pytest.mark.parametrize("case", TAKEN)
def test_the_client_reads_the_same_numbers(
    ours: dict[str, Any], theirs: dict[str, Any], case: str
) -> None:
    expected = TABLE[:1] if case == "table of one row" else TABLE
    assert ours[case]["predictions"] == expected
    assert ours[case]["frame"] == expected
    # MLflow names the outputs of an ONNX model where we, like its other flavours, do not.
    assert theirs[case]["predictions"] == {"y": expected}


@pytest.mark.parametrize("case", REFUSED)
def test_the_client_is_refused_alike(
    ours: dict[str, Any], theirs: dict[str, Any], case: str
) -> None:
    for found in (ours, theirs):
        assert "error code 400" in found[case]["error"]
        assert '"error_code"' in found[case]["error"]
        assert '"message"' in found[case]["error"]


def test_the_version_is_asked_for(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert ours["version"]
    assert theirs["version"].startswith("3.")
