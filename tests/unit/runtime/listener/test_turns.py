"""A port that stays while releases take turns behind it, with real processes under load."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.shared.listener_turns import Turns
from tests.unit.runtime.serve import rig

pytestmark = pytest.mark.slow
BODY = json.dumps(rig.question())


class Gate:
    """A gate's process."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        words = ["gate", "hold", "--folder", str(folder), "--host", "127.0.0.1", "--port", port]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "studio.runtime", *map(str, words)],
            stdout=subprocess.PIPE,
            cwd=rig.REPOSITORY,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(json.loads(self.process.stdout.readline())["port"])

    def turn(self, release: str) -> dict[str, Any]:
        words = ["gate", "turn", release, "--folder", str(self.folder), "--owner", "ann"]
        done = subprocess.run(
            [sys.executable, "-m", "studio.runtime", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            cwd=rig.REPOSITORY,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def ask(self) -> float:
        """One request on a connection of its own; the number that the model gives."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            link.request("POST", "/v2/models/answer/infer", BODY)
            return float(json.loads(link.getresponse().read())["outputs"][0]["data"][0])
        finally:
            link.close()

    def end(self, kill: bool = False) -> None:
        (self.process.kill if kill else self.process.terminate)()
        assert self.process.wait(20) == (-9 if kill else 0)
        assert self.process.stdout is not None
        self.process.stdout.close()


class Clients:
    """Threads that ask without pause, half of them with a connection for each request."""

    def __init__(self, gate: Gate, count: int = 6) -> None:
        self._gate = gate
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n % 2,)) for n in range(count)]
        self.failures: list[str] = []
        self.answers: list[float] = []

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, keep: int) -> None:
        link = http.client.HTTPConnection("127.0.0.1", self._gate.port, timeout=20)
        while not self._end.is_set():
            try:
                link.request("POST", "/v2/models/answer/infer", BODY)
                document = json.loads(link.getresponse().read())
                self.answers.append(document["outputs"][0]["data"][0])
            except (OSError, ValueError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            if not keep:
                link.close()
        link.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "turns").mkdir()
    return tmp_path / "turns"


@pytest.fixture
def bundles(tmp_path: Path) -> dict[int, Path]:
    made = {}
    for version in (1, 2):
        model = rig.constant(tmp_path / f"v{version}.onnx", version)
        made[version] = rig.bundle(tmp_path / "releases", model, version)
    return made


@pytest.fixture
def gate(folder: Path) -> Iterator[Gate]:
    gate = Gate(folder)
    yield gate
    if gate.process.poll() is None:
        gate.end()


def serve(bundle: Path, folder: Path) -> rig.ServerProcess:
    where = ("--bundle", str(bundle), "--port", "0", "--gate", str(folder))
    return rig.ServerProcess(*where, log=folder / f"{bundle.name[:8]}.log")


def test_turns_change_under_load_without_a_failed_request(
    folder: Path, bundles: dict[int, Path], gate: Gate
) -> None:
    first, second = bundles[1], bundles[2]
    with serve(first, folder) as one:
        gate.turn(first.name)
        with Clients(gate) as clients:
            rig.wait_until(lambda: len(clients.answers) > 100, "the first one answers")
            with serve(second, folder) as two:
                assert set(clients.answers) == {1.0}, "who is not in turn gets no client"
                gate.turn(second.name)
                assert gate.ask() == 2.0
                assert one.stop() == 0
                many = len(clients.answers) + 200
                rig.wait_until(lambda: len(clients.answers) > many, "the second one answers")
                with serve(first, folder):  # and back
                    found = gate.turn(first.name)
                    assert two.stop() == 0
                    many = len(clients.answers) + 200
                    rig.wait_until(lambda: len(clients.answers) > many, "the first one again")
                    assert gate.ask() == 1.0
                    clients.__exit__()
    assert clients.failures == []
    assert [row["release"] for row in found["past"]] == [first.name, second.name, first.name]
    assert {row["by"] for row in found["past"]} == {"ann"}


def test_a_release_that_has_ended_finds_its_turn_again(
    folder: Path, bundles: dict[int, Path], gate: Gate
) -> None:
    with serve(bundles[1], folder):
        gate.turn(bundles[1].name)
    with serve(bundles[1], folder):
        assert gate.ask() == 1.0


def test_a_gate_that_was_killed_gets_its_port_back(
    folder: Path, bundles: dict[int, Path], gate: Gate
) -> None:
    with serve(bundles[1], folder):
        gate.turn(bundles[1].name)
        gate.end(kill=True)
        again = Gate(folder, gate.port)
        try:
            assert again.ask() == 1.0
        finally:
            again.end()


def test_the_record_is_bounded_and_survives_a_repetition(folder: Path) -> None:
    turns = Turns(folder)
    for number in range(250):
        turns.give(f"r{number}")
        turns.give(f"r{number}")
    assert turns.current() == "r249"
    past = turns.past()
    assert len(past) == 200
    assert past[-1]["release"] == "r249"
    assert os.listdir(folder).count("past") == 1


def test_nobody_in_turn(folder: Path, bundles: dict[int, Path], gate: Gate) -> None:
    gate.turn("")
    assert Turns(folder).past() == []
    assert not Turns(folder).wait_until_taken("x", 0.01)
