"""A real server process that publishes: its counts, over swaps, restarts and lost brokers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.api import StateMessage
from studio.monitoring.boards.fleet_state import FleetState
from studio.monitoring.boards.message import read_heartbeat
from tests.unit.runtime.serve.fleet.retained import RetainingBroker
from tests.unit.runtime.serve.rig import (
    ServerProcess,
    bundle,
    constant,
    question,
    switch,
    wait_until,
)


def totals(message: dict[str, Any]) -> int:
    """Return the requests of all runs of a message."""
    return sum(int(one["requests"]) for one in message["runs"])


def asked(server: ServerProcess, times: int) -> None:
    """Send requests that are answered."""
    for _ in range(times):
        assert server.call("POST", "/v2/models/answer/infer", question())[0] == 200


def root_of(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Return a root with two releases, of which the first is current."""
    root = tmp_path / "root"
    (root / "run").mkdir(parents=True)
    one = bundle(root / "releases", constant(tmp_path / "1.onnx", 1), 1)
    two = bundle(root / "releases", constant(tmp_path / "2.onnx", 2), 2)
    switch(root, one)
    return root, one, two


def test_a_server_publishes_what_it_counts(tmp_path: Path) -> None:
    model = constant(tmp_path / "answer.onnx", 3)
    with RetainingBroker() as broker:
        file = broker.settings(tmp_path / "f" / "fleet.json", labels={"site": "north"})
        with ServerProcess(f"--model={model}", f"--fleet-file={file}", log=tmp_path / "log") as one:
            asked(one, 3)
            assert one.call("POST", "/v2/models/answer/infer", {"inputs": []})[0] == 400
            wait_until(lambda: bool(broker.messages) and totals(broker.last) == 4, "counts come")
            asked(one, 2)
    assert broker.topics[0] == "edgewright/state/cam-1"
    last = read_heartbeat("cam-1", json.dumps(broker.last).encode())
    assert last.labels == {"site": "north"}
    assert last.runs[0].requests == 6, "the last one is sent when the server ends"
    assert last.runs[0].errors == 0
    assert sum(count for _, count in last.runs[0].latency) == 5
    assert "memory_mb" in last.facts
    numbers = [one["seq"] for one in broker.messages]
    assert numbers == list(range(1, len(numbers) + 1))


def test_counts_survive_a_swap_and_a_restart(tmp_path: Path) -> None:
    root, one, two = root_of(tmp_path)
    with RetainingBroker() as broker:
        broker.settings(root / "access" / "fleet.json")
        with ServerProcess(f"--root={root}", log=tmp_path / "log") as server:
            asked(server, 3)
            switch(root, two)
            server.hang_up()
            wait_until(
                lambda: bool(broker.messages) and broker.last["release"] == two.name, "a swap"
            )
            asked(server, 4)
            assert server.stop() == 0
        first = broker.last
        with ServerProcess(f"--root={root}", log=tmp_path / "log2") as server:
            asked(server, 5)
            assert server.stop() == 0
        second = broker.last
    assert {run["release"]: run["requests"] for run in first["runs"]} == {one.name: 3, two.name: 4}
    assert (second["series"], second["start"]) == (first["series"], first["start"] + 1)
    assert second["boot"] != first["boot"]
    assert totals(second) == 12
    fleet = FleetState()
    everything = [StateMessage("cam-1", json.dumps(m).encode()) for m in broker.messages]
    fleet.take([*everything, *everything[::-1]])
    assert fleet.refused == {}
    assert fleet.record("cam-1").totals == (12, 0, 0)


def test_a_broker_that_comes_late_gets_all(tmp_path: Path) -> None:
    model = constant(tmp_path / "answer.onnx", 3)
    with RetainingBroker() as gone:
        port = gone.port
    file = gone.settings(tmp_path / "f" / "fleet.json")
    log = tmp_path / "log"
    with ServerProcess(f"--model={model}", f"--fleet-file={file}", log=log) as server:
        asked(server, 3)
        wait_until(lambda: "state is not published" in log.read_text(), "a line in the log")
        assert server.get("/v2/health/ready")[0] == 200
        assert server.stop() == 0
    assert log.read_text().count("state is not published") == 1
    assert port == gone.port


def test_a_damaged_file_does_not_keep_a_release_from_being_served(tmp_path: Path) -> None:
    root, _, _ = root_of(tmp_path)
    (root / "access").mkdir()
    (root / "access" / "fleet.json").write_text("{")
    (root / "access" / "fleet.json").chmod(0o600)
    with ServerProcess(f"--root={root}", log=tmp_path / "log") as server:
        asked(server, 1)
        wait_until(lambda: "state is not published" in (tmp_path / "log").read_text(), "a line")


def test_a_wrong_file_on_the_command_line_is_one_sentence(tmp_path: Path) -> None:
    model = constant(tmp_path / "answer.onnx", 3)
    file = tmp_path / "fleet.json"
    file.write_text("{}")
    file.chmod(0o644)
    server = ServerProcess(f"--model={model}", f"--fleet-file={file}", log=tmp_path / "log")
    assert server.stop() == 1
    assert (tmp_path / "log").read_text().startswith(f"{file} may be read by others.")


def test_a_probe_publishes_nothing(tmp_path: Path) -> None:
    root, one, _ = root_of(tmp_path)
    with RetainingBroker() as broker:
        broker.settings(root / "access" / "fleet.json")
        with ServerProcess(f"--bundle={one}", log=tmp_path / "log") as server:
            asked(server, 1)
        assert broker.messages == []
