"""A model on a board with systemd, by the commands that a user types.

The tests of a module's board go on from each other, in order.
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.packages import Bundle
from tests.e2e.conftest import Studio
from tests.integration.systemd import board as machine
from tests.integration.systemd import image
from tests.integration.systemd.board import SystemdBoard
from tests.rigs.boards import Network, until
from tests.rigs.bundles import make_bundle, reference
from tests.rigs.load import Load
from tests.unit.runtime.models import make_cnn

pytestmark = [pytest.mark.rig, pytest.mark.needs(*image.PROGRAMS, *machine.PROGRAMS)]

PORT = 8477
ON_BOARD = ("--target", "board")
RECOVERY_S = 60.0


@pytest.fixture(scope="module")
def board(rigs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemdBoard]:
    if os.geteuid() != 0:
        pytest.skip("only root can start a machine")
    folder = tmp_path_factory.mktemp("board")
    with Network() as network, SystemdBoard(network, image.image(rigs), folder) as board:
        yield board


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Versions 1 to 3."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(version), version) for version in (1, 2, 3)]


def add(studio: Studio, board: SystemdBoard, name: str, user: str = "root") -> dict[str, Any]:
    """Make it a target by a login."""
    key = ("--key-file", board.shell.key_file, "--accept-host-key", board.shell.fingerprint)
    facts: dict[str, Any] = studio.ok("target", "add", name, board.url(user), *key)
    return facts


def deploy(studio: Studio, bundle: Bundle, *more: str) -> dict[str, Any]:
    """Deploy a bundle, reachable from this computer."""
    words = ("--bundle", bundle.folder, *more, "--host", "0.0.0.0", "--allow-unauthenticated")
    told: dict[str, Any] = studio.ok("deploy", *words, timeout=600)
    return told


def status(board: SystemdBoard, port: int = PORT) -> dict[str, Any]:
    """What the server says of itself to a client; empty while it cannot be reached."""
    link = http.client.HTTPConnection(board.address, port, timeout=5)
    try:
        link.request("GET", "/edgewright/status")
        found: dict[str, Any] = json.loads(link.getresponse().read())
    except (OSError, http.client.HTTPException):
        return {}
    finally:
        link.close()
    return found


def load_on(board: SystemdBoard) -> Load:
    """Clients that ask the board without a pause."""
    return Load(PORT, connect=lambda: http.client.HTTPConnection(board.address, PORT, timeout=30))


def unit_of(board: SystemdBoard, user: str = "root") -> str:
    """The name of the only unit."""
    scope = "" if user == "root" else "--user "
    listed = board.shell.run(
        f"systemctl {scope}list-unit-files --no-legend 'edgewright-*'", user=user
    )
    (line,) = listed.splitlines()
    return str(line.split()[0])


def shown(board: SystemdBoard, user: str = "root") -> dict[str, str]:
    """What systemd says of the unit."""
    scope = "" if user == "root" else "--user "
    text = board.shell.run(f"systemctl {scope}show --all {unit_of(board, user)}", user=user)
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def journal(board: SystemdBoard) -> list[dict[str, Any]]:
    """The JSON lines of the unit's journal."""
    text = board.shell.run(f"journalctl --unit {unit_of(board)} --output cat --no-pager")
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_deploy_leaves_a_unit_that_is_enabled_watched_and_confined(
    studio: Studio, board: SystemdBoard, bundles: list[Bundle]
) -> None:
    assert "systemd" in add(studio, board, "board")["services"]
    told = deploy(studio, bundles[0], *ON_BOARD)
    switch = next(step for step in told["steps"] if step["name"] == "switch")
    assert "systemd" in switch["text"]
    assert status(board)["version"] == 1
    found = shown(board)
    wanted = {
        "ActiveState": "active",
        "UnitFileState": "enabled",
        "Type": "notify",
        "NotifyAccess": "main",
        "WatchdogUSec": "30s",
        "Restart": "on-failure",
        "OOMPolicy": "continue",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "PrivateTmp": "yes",
        "CapabilityBoundingSet": "",
        "NRestarts": "0",
    }
    assert {name: found[name] for name in wanted} == wanted
    assert found["StatusText"] == "serving cnn version 1"
    memory = int(board.shell.run("sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo"))
    assert 0 < int(found["MemoryMax"]) < memory * 1024
    assert int(found["LimitNOFILE"]) > 1024


def test_it_answers_and_its_log_is_in_the_journal(studio: Studio, board: SystemdBoard) -> None:
    called = studio.ok("call", *ON_BOARD, "--requests", "200")
    assert (called["answered"], called["failed"]) == (200, 0)
    logged = journal(board)
    assert any(entry.get("endpoint") for entry in logged)
    requests = [entry for entry in logged if str(entry.get("path")).startswith("/v2/")]
    assert requests, logged
    assert {entry["status"] for entry in requests} == {200}


def test_the_service_can_do_little(board: SystemdBoard) -> None:
    worker = status(board)["pid"]
    text = board.shell.run(f"cat /proc/{worker}/status")
    told = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert int(told["CapEff"], 16) == 0
    assert (told["NoNewPrivs"], told["Seccomp"]) == ("1", "2")
    inside = f"nsenter --target {worker} --mount"
    for place in ("/etc", "/usr", "/root", "/home/edge", "/sys/kernel"):
        refused = board.shell.attempt(f"{inside} touch {place}/written")
        assert "Read-only file system" in refused.stderr, place
    (root,) = board.shell.run("find /root -maxdepth 2 -name current").split()
    board.shell.run(f"{inside} sh -c 'cd {root.rpartition('/')[0]}/run && touch x && rm x'")
    rating = board.shell.run(f"systemd-analyze security --no-pager {unit_of(board)} | tail -n 1")
    assert float(rating.split(":")[1].split()[0]) < 4.0, rating


def test_a_killed_worker_is_replaced(board: SystemdBoard) -> None:
    worker = status(board)["pid"]
    board.shell.run(f"kill -9 {worker}")
    until(lambda: status(board).get("pid", worker) != worker, "a new worker", RECOVERY_S)
    assert shown(board)["NRestarts"] == "0"


def test_a_killed_supervisor_is_started_again_by_systemd(board: SystemdBoard) -> None:
    before = shown(board)["MainPID"]
    board.shell.run(f"kill -9 {before}")
    until(lambda: shown(board)["NRestarts"] == "1", "systemd starts it again", RECOVERY_S)
    until(lambda: status(board).get("version") == 1, "it serves again", RECOVERY_S)
    assert shown(board)["MainPID"] not in ("0", before)


def test_a_worker_that_hangs_is_replaced_by_the_supervisor(board: SystemdBoard) -> None:
    worker, before = status(board)["pid"], shown(board)
    board.shell.run(f"kill -STOP {worker}")
    until(lambda: status(board).get("pid", worker) != worker, "a new worker", 2 * RECOVERY_S)
    (ended,) = [line for line in journal(board) if line.get("hung")]
    assert "missed its heartbeat" in ended["reason"]
    assert (shown(board)["MainPID"], shown(board)["NRestarts"]) == (before["MainPID"], "1")


def test_a_supervisor_that_hangs_is_ended_by_the_watchdog(board: SystemdBoard) -> None:
    before = shown(board)["MainPID"]
    board.shell.run(f"kill -STOP {before}")
    until(lambda: shown(board)["NRestarts"] == "2", "systemd starts it again", 2 * RECOVERY_S)
    until(lambda: status(board).get("version") == 1, "it serves again", RECOVERY_S)
    text = board.shell.run(f"journalctl --unit {unit_of(board)} --output cat --no-pager")
    assert "Watchdog timeout" in text


def test_the_next_version_under_load(
    studio: Studio, board: SystemdBoard, bundles: list[Bundle]
) -> None:
    before = shown(board)["MainPID"]
    with load_on(board) as load:
        load.more(50)
        told = deploy(studio, bundles[1], *ON_BOARD)
        load.more(50)
    assert load.failures == []
    assert told["version"] == 2
    assert status(board)["version"] == 2
    assert shown(board)["MainPID"] == before


def test_a_release_that_cannot_be_served_leaves_the_old_unit(
    studio: Studio, board: SystemdBoard, bundles: list[Bundle]
) -> None:
    unit = f"/etc/systemd/system/{unit_of(board)}"
    before = board.shell.run(f"cat {unit}")
    refused = studio.run("deploy", *ON_BOARD, "--bundle", bundles[2].folder, "--port", "22")
    assert refused.code == 1
    assert "port 22" in refused.err
    until(lambda: status(board).get("version") == 2, "the old one serves", RECOVERY_S)
    assert board.shell.run(f"cat {unit}") == before
    assert shown(board)["ActiveState"] == "active"


def test_after_a_restart_of_the_board_it_serves_without_the_studio(board: SystemdBoard) -> None:
    board.restart()
    until(lambda: status(board).get("version") == 2, "it serves again", RECOVERY_S)
    assert shown(board)["ActiveState"] == "active"


def test_the_studio_finds_it_again_and_goes_back(studio: Studio, board: SystemdBoard) -> None:
    seen = studio.ok("monitor", *ON_BOARD)
    assert (seen["health"], seen["kept_by"]) == ("healthy", "systemd")
    before = shown(board)["MainPID"]
    with load_on(board) as load:
        load.more(20)
        told = studio.ok("rollback", *ON_BOARD)
        load.more(20)
    assert load.failures == []
    assert (told["from"], told["to"]) == (2, 1)
    assert shown(board)["MainPID"] == before


def test_another_address_is_another_command(
    studio: Studio, board: SystemdBoard, bundles: list[Bundle]
) -> None:
    deploy(studio, bundles[2], *ON_BOARD, "--port", "80")
    assert status(board, 80)["version"] == 3
    assert shown(board)["CapabilityBoundingSet"] == "cap_net_bind_service"
    board.restart()
    until(lambda: status(board, 80).get("version") == 3, "it serves there again", RECOVERY_S)


def test_undeploy_leaves_nothing(studio: Studio, board: SystemdBoard) -> None:
    unit = unit_of(board)
    studio.ok("undeploy", *ON_BOARD, "--purge")
    assert status(board, 80) == {}
    assert board.shell.run("find /etc/systemd -name '*edgewright*'") == ""
    assert board.shell.attempt(f"systemctl cat {unit}").returncode != 0
    assert unit not in board.shell.run("systemctl --all --no-legend list-units")
    assert "edgewright" not in board.shell.run("ps -eo args")


def test_a_first_release_that_cannot_be_served_leaves_nothing(
    studio: Studio, board: SystemdBoard, bundles: list[Bundle]
) -> None:
    bundle = bundles[2].folder
    assert studio.run("deploy", *ON_BOARD, "--bundle", bundle, "--port", "22").code == 1
    assert board.shell.run("find /etc/systemd -name '*edgewright*'") == ""
    assert "edgewright" not in board.shell.run("ps -eo args")


def test_a_user_whose_systemd_is_started_at_boot(
    studio: Studio, board: SystemdBoard, bundles: list[Bundle]
) -> None:
    facts = add(studio, board, "edge", "edge")
    assert "systemd-user" in facts["services"]
    deploy(studio, bundles[0], "--target", "edge")
    found = shown(board, "edge")
    assert (found["ActiveState"], found["UnitFileState"]) == ("active", "enabled")
    assert found["NoNewPrivileges"] == "yes"
    board.restart()
    until(lambda: status(board).get("version") == 1, "it serves again", RECOVERY_S)
    assert studio.ok("monitor", "--target", "edge")["health"] == "healthy"
    studio.ok("undeploy", "--target", "edge", "--purge")
    assert board.shell.run("find /home/edge -name 'edgewright-*'") == ""


def test_a_user_whose_systemd_ends_with_the_login_gets_a_process(
    studio: Studio, board: SystemdBoard, bundles: list[Bundle]
) -> None:
    facts = add(studio, board, "guest", "guest")
    assert "systemd-user" not in facts["services"]
    deploy(studio, bundles[0], "--target", "guest")
    assert status(board)["version"] == 1
    assert studio.ok("monitor", "--target", "guest")["kept_by"] == "process"
    assert board.shell.run("find /home/guest -name 'edgewright-*'") == ""
    studio.ok("undeploy", "--target", "guest", "--purge")


def test_endpoints_beside_each_other_come_back_after_kills_and_restarts(
    studio: Studio, board: SystemdBoard, bundles: list[Bundle], tmp_path: Path
) -> None:
    doors = make_bundle(tmp_path / "doors", 5, model=reference_of(tmp_path / "doors", "doors"))
    deploy(studio, bundles[0], *ON_BOARD)
    refused = studio.run("deploy", *ON_BOARD, "--bundle", doors.folder, "--allow-unauthenticated")
    assert refused.code == 4
    assert "not doors" in refused.err
    deploy(studio, doors, *ON_BOARD, "--endpoint", "door")
    places = {name: PORT + number for number, name in enumerate(("board", "board/door"))}

    def served() -> dict[str, str]:
        return {name: status(board, port).get("name", "") for name, port in places.items()}

    def told() -> dict[str, tuple[str, str]]:
        rows = studio.ok("target", "status", *places)["targets"]
        return {row["target"]: (row["state"], row["endpoint"]) for row in rows}

    urls = {name: f"http://{board.address}:{port}" for name, port in places.items()}
    both = {"board": "cnn", "board/door": "doors"}
    assert served() == both
    assert told() == {name: ("serving", url) for name, url in urls.items()}
    board.shell.run("pkill -KILL -f edgewright/endpoints/door/runtime")
    until(lambda: served() == both, "both serve after a kill", RECOVERY_S)
    board.restart()
    until(lambda: served() == both, "both serve after a restart", RECOVERY_S)
    assert told() == {name: ("serving", url) for name, url in urls.items()}

    stopped = studio.ok("stop", "--target", "board/door")
    assert (stopped["state"], stopped["target"]) == ("stopped", "board/door")
    board.restart()
    until(lambda: served()["board"] == "cnn", "the other one serves", RECOVERY_S)
    assert told()["board/door"][0] == "stopped", "who stops it wants that"
    started = studio.ok("start", "--target", "board/door")
    assert (started["state"], started["endpoint"]) == ("serving", urls["board/door"])
    assert served() == both
    studio.ok("undeploy", "--target", "board/door", "--purge")
    studio.ok("undeploy", *ON_BOARD, "--purge")
    assert board.shell.run("find /etc/systemd -name '*edgewright*'") == ""


def reference_of(folder: Path, name: str) -> dict[str, Any]:
    """A small model of another name."""
    folder.mkdir()
    return reference(make_cnn(folder / f"{name}.onnx", seed=9), name)


def test_a_login_that_will_do_gets_a_unit_until_its_logout(
    studio: Studio, board: SystemdBoard, bundles: list[Bundle]
) -> None:
    """As the local target does it on a desktop, asked for by the variable."""
    add(studio, board, "guest", "guest")
    deploy(studio, bundles[0], "--target", "guest")
    runtime = board.shell.run("ls /home/guest/.edgewright/runtime", user="guest").split()[0]
    command = f"python3 ~/.edgewright/runtime/{runtime} release start --root ~/.edgewright"
    request = """echo '{"anew": true}' | EDGEWRIGHT_SERVICE=login """
    told = json.loads(board.shell.run(request + command, user="guest").splitlines()[-1])
    assert told["service"]["manager"] == "systemd-user"
    assert (told["service"]["enabled"], told["service"]["boot"]) == (True, False)
    studio.ok("undeploy", "--target", "guest", "--purge")
