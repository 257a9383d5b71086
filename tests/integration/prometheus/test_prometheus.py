"""A real Prometheus scrapes a real runtime, a real Alertmanager fires from the exported rules."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.conftest import Studio
from tests.rigs import trials
from tests.rigs.boards import until
from tests.unit.monitoring.alerts.test_alerting import free_port, hook, process

pytestmark = [pytest.mark.rig, pytest.mark.needs("prometheus", "prometheus-alertmanager")]

ALERTS = """\
[[rules]]
name = "many requests"
metric = "throughput"
above = 0.5

[[channels]]
kind = "webhook"
url = "{url}"
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, int]]:
    """The digits model on this computer, deployed with reference data."""
    studio = Studio(tmp_path_factory.mktemp("studio"))
    folder = tmp_path_factory.mktemp("model")
    model = trials.make_version(folder / "digits.onnx")
    np.savez(folder / "data.npz", image=trials.digits()[:800])
    done = studio.ok("deploy", model, "--data", folder / "data.npz")
    yield studio, int(done["port"])
    studio.run("undeploy", "--target", "local")


def get(port: int, path: str) -> Any:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        link.request("GET", path)
        return json.loads(link.getresponse().read())
    finally:
        link.close()


def scrapes(port: int) -> int:
    (found,) = get(port, "/api/v1/query?query=count_over_time(up[1m])")["data"]["result"]
    return int(found["value"][1])


def is_ready(port: int) -> bool:
    """Whether it has read its own files; before that it answers in no JSON."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        link.request("GET", "/-/ready")
        return link.getresponse().status == 200
    finally:
        link.close()


def send(port: int, pictures: np.ndarray) -> None:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for one in pictures:
        content = {
            "inputs": [
                {
                    "name": "image",
                    "shape": [1, 1, 8, 8],
                    "datatype": "FP32",
                    "data": one.reshape(-1).tolist(),
                }
            ]
        }
        link.request("POST", "/v2/models/digits/infer", json.dumps(content))
        answer = link.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
    link.close()


def test_the_exported_files_work(served: tuple[Studio, int], tmp_path: Path) -> None:
    studio, runtime = served
    mine, alerting = free_port(), free_port()
    with hook(200) as receiver:
        (tmp_path / "alerts.toml").write_text(
            ALERTS.format(url=f"http://127.0.0.1:{receiver.server_port}/alerts")
        )
        out = tmp_path / "out"
        words = ("--out", out, "--alerts", tmp_path / "alerts.toml", "--interval", "0.5")
        told = studio.ok("monitor", "export", *words, "--alertmanager", f"127.0.0.1:{alerting}")
        assert told["endpoints"] == {"local": f"http://127.0.0.1:{runtime}"}
        check(out)
        manager = (
            "prometheus-alertmanager",
            f"--config.file={out / 'alertmanager.yml'}",
            f"--storage.path={tmp_path / 'am'}",
            f"--web.listen-address=127.0.0.1:{alerting}",
            "--cluster.listen-address=",
        )
        prometheus = (
            "prometheus",
            f"--config.file={out / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{mine}",
        )
        with process(alerting, *manager), process(mine, *prometheus):
            # Of a second each: a history by the second is to hold one from before the drift.
            until(lambda: scraped(mine) and scrapes(mine) >= 4, "four scrapes", 60.0)
            # Darker by half: what the model sees is not what its reference data were.
            for _ in range(4):
                send(runtime, 0.5 * trials.digits()[800:1000])
            names: set[str] = set()

            def fired() -> bool:
                while not receiver.got.empty():
                    _, body = receiver.got.get()
                    names.update(one["labels"]["alertname"] for one in json.loads(body)["alerts"])
                send(runtime, 0.5 * trials.digits()[800:850])
                return {"EdgewrightDrift", "many requests"} <= names

            until(fired, "two alerts", 120.0)
            address = f"http://127.0.0.1:{mine}"
            past = studio.ok(
                "monitor", "history", "--target", "local", "--prometheus", address,
                "--metric", "drifting", "--seconds", "120",
            )  # fmt: skip
            (points,) = past["series"].values()
            assert {value for _, value in points} == {0.0, 1.0}
    ended = studio.run("monitor", "history", "--prometheus", address)
    assert ended.code == 1
    assert "does not answer" in ended.err


def scraped(port: int) -> bool:
    if not is_ready(port):
        return False
    found = get(port, "/api/v1/query?query=up")["data"]["result"]
    return bool(found) and found[0]["value"][1] == "1" and found[0]["metric"]["target"] == "local"


def check(out: Path) -> None:
    """By the tools that come with both."""
    for words in (
        ("promtool", "check", "config", str(out / "prometheus.yml")),
        ("amtool", "check-config", str(out / "alertmanager.yml")),
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    board = json.loads((out / "grafana.json").read_text())
    assert len(board["panels"]) == 6
