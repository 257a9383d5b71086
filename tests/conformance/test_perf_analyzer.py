"""Triton's perf_analyzer against the server: what it sends, what it is answered, what it counts."""

from __future__ import annotations

import csv
import importlib.util
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conformance import models
from tests.conftest import Need
from tests.unit.runtime.serve.rig import ServerProcess

pytestmark = pytest.mark.rig
MOST_CLIENTS = 8
REQUESTS = 50
# Hardly any window is unstable by these limits: how fast the machine is today is not tested here.
# (With --request-count it now and then hangs after the last answer.)
CALM = [
    "--measurement-mode=count_windows", f"--measurement-request-count={REQUESTS}",
    "--stability-percentage=100000", "--max-trials=20",
]  # fmt: skip


@pytest.fixture(scope="module")
def program(need: Need) -> str:
    """The binary itself: the script that its package installs hides the exit status."""
    found = importlib.util.find_spec("perf_analyzer")
    places = (found.submodule_search_locations if found else None) or ["perf_analyzer"]
    return need(f"{places[0]}/bin/perf_analyzer", "packaging/perf_analyzer.sh installs it")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """``y = 2 x``, asked by nobody else: its statistics are those of one run."""
    model = models.doubled(tmp_path / "doubled.onnx")
    with ServerProcess(f"--model={model}", log=tmp_path / "log") as running:
        yield running


@pytest.fixture(params=["binary", pytest.param("json", marks=pytest.mark.long)])
def form(request: pytest.FixtureRequest) -> list[str]:
    """How tensors travel."""
    return [f"--input-tensor-format={request.param}", f"--output-tensor-format={request.param}"]


def run(program: str, server: ServerProcess, model: str, *options: str) -> str:
    """Run it; what it says."""
    where = ["-m", model, "-i", "http", "-u", f"{server.host}:{server.port}"]
    done = subprocess.run(
        [program, *where, *options], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def counted(server: ServerProcess, model: str) -> dict[str, Any]:
    """The server's own statistics."""
    (row,) = server.get(f"/v2/models/{model}/stats")[1]["model_stats"]
    return row


def test_a_range_of_clients(
    program: str, server: ServerProcess, form: list[str], tmp_path: Path
) -> None:
    entries = [
        {"x": {"content": [0.5, -1.0 * number, 2.0**number], "shape": [1, 3]}}
        for number in range(9)
    ]
    data, table, export = (tmp_path / name for name in ("data.json", "table.csv", "export.json"))
    data.write_text(json.dumps({"data": entries}))
    said = run(
        program, server, "doubled", f"--concurrency-range=1:{MOST_CLIENTS}",
        f"--input-data={data}", f"--profile-export-file={export}", "-f", str(table), *CALM, *form,
    )  # fmt: skip
    assert said.count("Successful request count") == MOST_CLIENTS
    assert "Failed" not in said
    check_table(table)
    for experiment in json.loads(export.read_text())["experiments"]:
        check_answers(experiment["requests"])
    check_statistics(counted(server, "doubled"))


def check_table(table: Path) -> None:
    """Each number of clients was measured, and the server's statistics were understood."""
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert {int(row["Concurrency"]) for row in rows} == set(range(1, MOST_CLIENTS + 1))
    for row in rows:
        assert float(row["Inferences/Second"]) > 0
        assert int(row["Server Compute Infer"]) > 0


def check_answers(requests: list[dict[str, Any]]) -> None:
    """Every single answer is ``y = 2 x``."""
    assert len(requests) >= REQUESTS
    sent = np.float32([request["request_inputs"]["x"] for request in requests])
    assert len(np.unique(sent[:, 1])) == 9
    assert all(len(request["response_outputs"]) == 1 for request in requests)
    answers = np.float32([request["response_outputs"][0]["y"] for request in requests])
    np.testing.assert_array_equal(answers, 2 * sent)


def check_statistics(row: dict[str, Any]) -> None:
    """The runs of all sizes of batches are the runs, their rows the inferences; none failed."""
    assert row["inference_stats"]["fail"]["count"] == 0
    sizes = {size["batch_size"]: size["compute_infer"]["count"] for size in row["batch_stats"]}
    assert sum(sizes.values()) == row["execution_count"]
    assert sum(rows * runs for rows, runs in sizes.items()) == row["inference_count"]


def test_strings(program: str, form: list[str], tmp_path: Path) -> None:
    model = models.echo(tmp_path / "echo.onnx")
    export = tmp_path / "export.json"
    with ServerProcess(f"--model={model}", log=tmp_path / "log") as server:
        run(
            program, server, "echo", "--shape=x:1", "--string-data=Zürich",
            "--concurrency-range=4", f"--profile-export-file={export}", *CALM, *form,
        )  # fmt: skip
        check_statistics(counted(server, "echo"))
    requests = json.loads(export.read_text())["experiments"][0]["requests"]
    assert len(requests) >= REQUESTS
    assert all("Zürich" in json.dumps(r, ensure_ascii=False) for r in requests)
