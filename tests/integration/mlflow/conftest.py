"""MLflow's own server over SQLite, in the environment that the scoring tests use."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.serve import environments
from tests.benchmarks.serve.peers import free_port
from tests.e2e.conftest import Studio
from tests.integration import scoring

DRIVER = Path(__file__).parent / "driver.py"
START_S = 180.0
LIMIT_S = 180.0

Driver = Callable[..., dict[str, Any]]


@pytest.fixture(scope="package")
def bin_folder(rigs: Path) -> Path:
    """The programs of MLflow's environment."""
    return environments.install("mlflow", rigs, Path(scoring.__file__).parent) / "bin"


@pytest.fixture(scope="module")
def server(bin_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with an empty database."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [
        bin_folder / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination", folder / "artifacts",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(bin_folder)
        )
    try:
        _wait(f"http://127.0.0.1:{port}/health", process, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def driver(bin_folder: Path, server: str) -> Driver:
    """MLflow's own client at that server."""

    def call(*arguments: object) -> dict[str, Any]:
        done = subprocess.run(
            [bin_folder / "python", DRIVER, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
            env={**environment(bin_folder), "MLFLOW_TRACKING_URI": server},
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    return call


@pytest.fixture(scope="module")
def at_server(studio: Studio, server: str) -> Iterator[Studio]:
    """The studio whose environment names the server, as MLflow's users name it."""
    studio.environment["MLFLOW_TRACKING_URI"] = server
    yield studio
    studio.run("undeploy", "--target", "local")


def environment(bin_folder: Path) -> dict[str, str]:
    """Of MLflow's programs, which find each other on the path."""
    own = {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    return {**os.environ, **own, "MLFLOW_DISABLE_TELEMETRY": "true"}


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(log.read_text()[-2000:])
