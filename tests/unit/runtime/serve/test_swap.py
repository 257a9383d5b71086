"""Hot swap, process handover, crash and drain of a real server under load."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.runtime.serve import rig

pytestmark = pytest.mark.slow
CLIENTS = 4
URL = "/v2/models/answer/infer"


class Load:
    """Client threads that ask without pause and check each answer against its headers."""

    def __init__(self, server: rig.ServerProcess, names: dict[str, float]) -> None:
        self._server = server
        self._numbers = names
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]
        self.answers: list[str] = []
        self.failures: list[str] = []

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        connection = self._server.connect()
        body = json.dumps(rig.question())
        while not self._end.is_set():
            try:
                connection.request("POST", URL, body)
                response = connection.getresponse()
                document = json.loads(response.read())
            except OSError as error:
                self.failures.append(repr(error))
                connection.close()
                continue
            except ValueError as error:
                self.failures.append(repr(error))
                continue
            self._check(response.status, response.headers["Edgewright-Model-Digest"], document)
        connection.close()

    def _check(self, status: int, digest: str, document: dict) -> None:
        if status != 200:
            self.failures.append(f"{status} {document}")
        elif set(document["outputs"][0]["data"]) != {self._numbers[digest]}:
            self.failures.append(f"{digest} answered {document}")
        else:
            self.answers.append(digest)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    for version in (1, 2):
        model = rig.constant(tmp_path / f"v{version}.onnx", version)
        rig.bundle(folder / "releases", model, version)
    rig.switch(folder, releases(folder)[1])
    return folder


def releases(root: Path) -> dict[int, Path]:
    """Folders of the staged releases by version."""
    folders = [path.parent for path in root.glob("releases/*/manifest.json")]
    return {json.loads((p / "manifest.json").read_text())["version"]: p for p in folders}


def numbers(root: Path) -> dict[str, float]:
    """What each release answers."""
    return {path.name: float(version) for version, path in releases(root).items()}


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[rig.ServerProcess]:
    with rig.ServerProcess(f"--root={root}", log=tmp_path / "log") as running:
        yield running


def swap(server: rig.ServerProcess, root: Path, version: int) -> None:
    """Switch to a version and wait until the server says that it serves it."""
    generation = rig.report(root)["generation"]
    rig.switch(root, releases(root)[version])
    server.hang_up()
    rig.wait_until(lambda: rig.report(root)["generation"] > generation, f"swap to {version}")
    assert rig.report(root)["digest"] == releases(root)[version].name


def bind_to_other_runtime(root: Path, tmp_path: Path, release: Path) -> Path:
    """Bind a release to an interpreter and a runtime of its own, as for a new environment."""
    python = root / "env" / "other" / "bin" / "python3"
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(f'#!/bin/sh\nshift\nexec {sys.executable} -m studio.runtime "$@"\n')
    python.chmod(0o755)
    binding = {"env": "other", "runtime": "other.pyz", "python": "env/other/bin/python3"}
    release.with_name(release.name + ".json").write_text(json.dumps(binding))
    return python


def test_handover_to_another_runtime_under_load_fails_no_request(
    server: rig.ServerProcess, root: Path, tmp_path: Path
) -> None:
    bind_to_other_runtime(root, tmp_path, releases(root)[2])
    workers = {rig.report(root)["worker"]}
    with Load(server, numbers(root)) as load:
        for version in (2, 1, 2, 1):
            swap(server, root, version)
            workers.add(rig.report(root)["worker"])
            asked = len(load.answers)
            rig.wait_until(lambda asked=asked: len(load.answers) > asked + 20, "answers go on")
    assert load.failures == []
    assert len(workers) == 5
    assert load.answers[-1] == releases(root)[1].name


def test_old_worker_ends_after_a_handover(
    server: rig.ServerProcess, root: Path, tmp_path: Path
) -> None:
    bind_to_other_runtime(root, tmp_path, releases(root)[2])
    old = rig.report(root)["worker"]
    swap(server, root, 2)
    rig.wait_until(lambda: not Path(f"/proc/{old}").exists(), "the old worker ended")


def test_idle_connection_survives_a_handover_within_its_grace(
    server: rig.ServerProcess, root: Path, tmp_path: Path
) -> None:
    bind_to_other_runtime(root, tmp_path, releases(root)[2])
    with contextlib.closing(server.connect()) as connection:
        assert header_of_answer(connection) is None
        swap(server, root, 2)
        # The old worker learns of the handover after the new one has begun to answer.
        rig.wait_until(lambda: header_of_answer(connection) == "close", "it says that it ends")


def header_of_answer(connection: http.client.HTTPConnection) -> str | None:
    """Ask once; what the answer says of the connection."""
    connection.request("GET", "/v2/health/live")
    response = connection.getresponse()
    response.read()
    assert response.status == 200
    return response.headers["Connection"]


def test_a_release_that_does_not_load_leaves_the_old_one(
    server: rig.ServerProcess, root: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    rig.switch(root, rig.bundle(root / "releases", broken, 3))
    server.hang_up()
    rig.wait_until(lambda: rig.report(root)["state"] == "failed", "the failure is reported")
    said = rig.report(root)
    assert "cannot load model.onnx" in said["error"]
    assert said["digest"] == releases(root)[1].name
    status, document = server.call("POST", URL, rig.question())
    assert status == 200
    assert document["outputs"][0]["data"] == [1.0] * 4
    swap(server, root, 2)
    assert rig.report(root)["state"] == "ready"


def test_a_runtime_that_does_not_start_leaves_the_old_one(
    server: rig.ServerProcess, root: Path, tmp_path: Path
) -> None:
    python = bind_to_other_runtime(root, tmp_path, releases(root)[2])
    python.write_text("#!/bin/sh\nexit 3\n")
    rig.switch(root, releases(root)[2])
    server.hang_up()
    rig.wait_until(lambda: rig.report(root)["state"] == "failed", "the failure is reported")
    assert "ended with status 3" in rig.report(root)["error"]
    python.unlink()
    server.hang_up()
    rig.wait_until(lambda: "cannot be started" in rig.report(root)["error"], "a missing python")
    assert server.call("POST", URL, rig.question())[0] == 200


def test_a_crashed_worker_is_started_again(server: rig.ServerProcess, root: Path) -> None:
    worker = rig.report(root)["worker"]
    os.kill(worker, signal.SIGKILL)
    # The client comes while nobody answers: the supervisor's socket lets it wait.
    status, document = server.call("POST", URL, rig.question())
    assert status == 200
    assert document["outputs"][0]["data"] == [1.0] * 4
    rig.wait_until(lambda: rig.report(root)["state"] == "ready", "the report is back")
    assert rig.report(root)["worker"] not in (0, worker)


def test_the_worker_follows_its_supervisor(server: rig.ServerProcess, root: Path) -> None:
    worker = rig.report(root)["worker"]
    server.process.kill()
    rig.wait_until(lambda: not Path(f"/proc/{worker}").exists(), "the worker ended")


def test_a_root_is_served_once(server: rig.ServerProcess, root: Path, tmp_path: Path) -> None:
    second = rig.ServerProcess(f"--root={root}", log=tmp_path / "second")
    assert second.process.wait(20) == 1
    second.stop()
    assert second.log.read_text() == f"{root} is served already.\n"
    assert rig.report(root)["pid"] == server.process.pid


def test_an_empty_root_is_one_sentence(tmp_path: Path) -> None:
    root = tmp_path / "root"
    server = rig.ServerProcess(f"--root={root}", log=tmp_path / "log")
    assert server.process.wait(20) == 1
    server.stop()
    assert server.log.read_text() == f"There is no current release below {root}.\n"
    assert rig.report(root)["state"] == "failed"


def test_terminated_server_finishes_what_it_has_begun(tmp_path: Path) -> None:
    root = tmp_path / "root"
    model = rig.slow(tmp_path / "slow.onnx")
    rig.switch(root, rig.bundle(root / "releases", model, 1))
    body = json.dumps(
        {
            "inputs": [
                {"name": "x", "datatype": "FP32", "shape": [128, 128], "data": [1.0] * 128 * 128}
            ],
            "outputs": [{"name": "y", "parameters": {"binary_data": True}}],
        }
    )
    with rig.ServerProcess(f"--root={root}", log=tmp_path / "log") as server:
        connection = server.connect()
        connection.request("POST", URL, body)
        rig.wait_until(
            lambda: server.get("/edgewright/status")[1]["in_flight"] == 1, "the request has begun"
        )
        server.process.send_signal(signal.SIGTERM)
        response = connection.getresponse()
        assert response.status == 200
        assert len(response.read()) > 4 * 128 * 128
        assert response.headers["Connection"] == "close"
        connection.close()
        assert server.process.wait(20) == 0
        with (
            pytest.raises(ConnectionRefusedError),
            socket.create_connection((server.host, server.port), timeout=5),
        ):
            pass
    assert rig.report(root)["state"] == "stopped"
