"""Several models on one target: beside each other, found again, and replaced only when named."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy
import pytest

from studio.api import UsageError
from studio.api.targets import TargetSpec
from studio.workspace import Workspace
from tests.rigs.boards import until
from tests.unit.runtime.models import make_cnn, make_cnn_versions

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(studio_home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        yield opened
        for target in opened.registry.targets():
            opened.run("undeploy", target=target.name, purge=True)


@pytest.fixture
def doors(tmp_path: Path) -> str:
    return str(make_cnn(tmp_path / "doors.onnx", seed=7))


def ok(workspace: Workspace, step: str, **options: Any) -> dict[str, Any]:
    outcome = workspace.run(step, **options)
    assert outcome.ok, outcome.sentence + outcome.detail
    return outcome.document


def answering(endpoint: str) -> str:
    """The model that answers at an address."""
    parts = urlsplit(endpoint)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        link.request("GET", "/edgewright/status")
        return str(json.loads(link.getresponse().read())["name"])
    finally:
        link.close()


def told(workspace: Workspace, name: str) -> set[str]:
    """What each command says of an endpoint."""
    status = ok(workspace, "target-look", target=[name])["targets"][0]
    releases, monitor = (
        ok(workspace, "releases", target=name),
        ok(workspace, "monitor", target=name),
    )
    newest = next(row for row in releases["releases"] if row["release"] == releases["current"])
    return {status["state"], releases["state"], newest["state"], monitor["state"]}


def report(studio_home: Path, *below: str) -> Path:
    return studio_home.joinpath("data", "releases", *below, "run", "server.json")


def test_another_model_is_refused_with_both_ways(
    workspace: Workspace, tmp_path: Path, doors: str
) -> None:
    first, second = map(str, make_cnn_versions(tmp_path))
    one = ok(workspace, "deploy", model=first)
    refused = workspace.run("deploy", model=doors)
    assert refused.exit_code == 4
    assert "local already serves cnn, not doors" in refused.sentence
    assert "--endpoint NAME" in refused.hint
    assert "--replace" in refused.hint
    planned = ok(workspace, "deploy", model=doors, dry_run=True)
    assert not planned["possible"]
    (row,) = [row for row in planned["steps"] if row["name"] == "model"]
    assert row["state"] == "blocked"
    assert answering(one["endpoint"]) == "cnn"

    beside = ok(workspace, "deploy", model=doors, endpoint="doors")
    assert beside["target"] == "local/doors"
    assert (answering(one["endpoint"]), answering(beside["endpoint"])) == ("cnn", "doors")
    assert [one.name for one in workspace.registry.targets()] == ["local", "local/doors"]
    newer = ok(workspace, "deploy", model=second)  # a version of the same model needs no word
    assert newer["endpoint"] == one["endpoint"]

    there = ok(workspace, "deploy", model=doors, target="local", replace=True)
    assert answering(there["endpoint"]) == "doors"
    ok(workspace, "rollback", target="local")
    assert answering(there["endpoint"]) == "cnn"
    ok(workspace, "undeploy", target="local/doors", purge=True)
    assert [one.name for one in workspace.registry.targets()] == ["local"]
    assert answering(one["endpoint"]) == "cnn", "a purge of one endpoint is no purge of another"


def test_a_port_is_kept_and_a_taken_one_is_told(workspace: Workspace, doors: str) -> None:
    place = {"target": "local/doors"}
    endpoint = ok(workspace, "deploy", model=doors, **place)["endpoint"]
    for step in ("stop", "start", "restart"):
        assert ok(workspace, step, **place)["endpoint"] == endpoint
    ok(workspace, "undeploy", **place)
    assert ok(workspace, "deploy", model=doors, **place)["endpoint"] == endpoint
    ok(workspace, "stop", **place)
    assert ok(workspace, "deploy", model=doors, **place)["state"] == "serving"
    ok(workspace, "stop", **place)
    port = urlsplit(endpoint).port
    with socket.create_server(("127.0.0.1", port or 0)):
        refused = workspace.run("start", **place)
        assert not refused.ok
        assert f"port {port} is in use by another program" in refused.sentence
        assert told(workspace, "local/doors") == {"stopped"}
    assert ok(workspace, "start", **place)["state"] == "serving"


def test_after_a_crash_every_command_says_the_same(
    workspace: Workspace, studio_home: Path, tmp_path: Path, doors: str
) -> None:
    ok(workspace, "deploy", model=doors)
    assert told(workspace, "local") == {"serving"}
    file = report(studio_home)
    server = json.loads(file.read_text())
    os.kill(server["pid"], signal.SIGKILL)
    os.kill(server["worker"], signal.SIGKILL)
    until(lambda: told(workspace, "local") == {"stopped"}, "the server is gone")

    # Its number belongs to another process now, which lives.
    file.write_text(json.dumps({**server, "pid": os.getpid()}))
    assert told(workspace, "local") == {"stopped"}
    data = str(tmp_path / "data.npz")
    numpy.savez(data, image=numpy.zeros((1, 3, 16, 16), "float32"))
    called = workspace.run("call", target="local", data=data, requests=1)
    assert not called.ok
    assert "studio start --target local" in called.hint

    started = ok(workspace, "start", target="local")
    assert (started["state"], started["endpoint"]) == ("serving", server_url(server))
    assert told(workspace, "local") == {"serving"}


def server_url(server: dict[str, Any]) -> str:
    return f"http://{server['host']}:{server['port']}"


def test_a_target_has_a_place_of_its_own(workspace: Workspace, tmp_path: Path) -> None:
    for url in ("local", "local:"):
        with pytest.raises(
            UsageError, match="t1 has the same address and folder as local"
        ) as refused:
            workspace.add_target(TargetSpec("t1", url))
        assert "--root FOLDER" in refused.value.hint
        assert "--target local/t1" in refused.value.hint
    workspace.add_target(TargetSpec("t1", "local:", settings={"root": str(tmp_path / "own")}))
    with pytest.raises(UsageError, match="t2 has the same address and folder as t1"):
        workspace.add_target(
            TargetSpec("t2", "local:", settings={"root": str(tmp_path / "x" / ".." / "own")})
        )
    board = TargetSpec("roof", "ssh://ann@roof:22")
    workspace.add_target(board)
    workspace.add_target(TargetSpec("roof", board.url, "ssh-ed25519 AAAA"))  # the same, confirmed
    for url in ("ssh://ann@roof", "ssh://ann@ROOF:22"):
        with pytest.raises(UsageError, match="same address and folder as roof"):
            workspace.add_target(TargetSpec("attic", url))
    for other in (
        TargetSpec("bob", "ssh://bob@roof"),
        TargetSpec("port", "ssh://ann@roof:2222"),
        TargetSpec("root", "ssh://ann@roof", settings={"root": "/data/second"}),
    ):
        workspace.add_target(other)
    assert [one.name for one in workspace.registry.targets()] == [
        *("local", "bob", "port", "roof", "root", "t1")
    ]
