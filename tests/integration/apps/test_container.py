"""An app in a real container engine: events, live pictures, variables, versions, what is kept."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.rigs.apps import make_app
from tests.rigs.boards import until
from tests.rigs.containers import free_port
from tests.rigs.engine import BASE, DockerEngine, docker_engine

pytestmark = pytest.mark.rig

_LONG = 600
_TOP = 'files = ["film.avi"]\nnotice = "{}"'
_MORE = """
[preview]
allowed = true
[sinks.live]
type = "mjpeg"
input = "camera"
[sinks.hook]
type = "webhook"
input = "gate"
url = "http://127.0.0.1:9/events"
token = "${GATE_TOKEN}"
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerEngine]:
    with docker_engine() as engine:
        engine.load_base()
        yield engine


@pytest.fixture(scope="module")
def desk(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    studio = Studio(tmp_path_factory.mktemp("desk"))
    studio.environment["DOCKER_HOST"] = engine.url
    studio.ok("target", "add", "lab", "docker:gate", "--set", f"base={BASE}")
    return studio


def app(folder: Path, seed: int, title: str) -> Path:
    make_app(
        folder,
        frames=300,
        seed=seed,
        top=_TOP.format(title),
        source="realtime = true\nloop = true",
        more=_MORE,
    )
    path = folder / "app.toml"
    path.write_text(path.read_text().replace("[variables]\n", '[variables]\nGATE_TOKEN = "none"\n'))
    return folder


def ask(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return json.load(answer)


def notices(port: int) -> list[str]:
    found = ask(port, "/edgewright/app/events?limit=1000")["events"]
    return [one["notice"] for one in found if one["kind"] == "crossing"]


def test_an_app_serves_in_a_container_and_its_events_outlive_it(
    desk: Studio, engine: DockerEngine, tmp_path: Path
) -> None:
    port = free_port()
    values = tmp_path / "values"
    values.write_text("GATE_TOKEN=hunter2-of-the-gate\n")
    more = ["--set", f"port={port}", "--set", "network=host", "--set", "user=0"]
    more = [*more, "--set", f"variables_file={values}"]
    first = app(tmp_path / "one", 3, "one")
    desk.ok("deploy", first, "--target", "lab", *more, timeout=_LONG)
    until(lambda: len(notices(port)) >= 4, "crossings", 60)
    state = ask(port, "/edgewright/app")
    assert state["state"] == "running"
    assert state["sinks"]["hook"]["waiting"] >= 4
    with urllib.request.urlopen(
        f"http://127.0.0.1:{port}/edgewright/app/stream/live", timeout=20
    ) as answer:
        assert b"image/jpeg" in answer.read(200)
    containers = engine.run("ps", "--quiet", "--no-trunc").split()
    assert "hunter2" not in engine.run("inspect", *containers)

    second = app(tmp_path / "two", 4, "two")
    desk.ok("deploy", second, "--target", "lab", *more, timeout=_LONG)
    until(lambda: "two" in notices(port), "crossings of the new version", 60)
    assert "one" in notices(port), "events of the version before are kept"
    ids = [one["id"] for one in ask(port, "/edgewright/app/events?limit=1000")["events"]]
    assert len(set(ids)) == len(ids)
    desk.ok("rollback", "--target", "lab", timeout=_LONG)
    until(lambda: notices(port)[-1] == "one", "the app before", 60)

    desk.ok("undeploy", "--target", "lab", "--purge", timeout=_LONG)
    assert engine.run("volume", "ls", "--quiet").split() == []
