"""The whole deployment on a real board: sshd in a network namespace, a python3 without numpy."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import Refused, Silent, TargetError, TargetSpec, UnknownHost
from studio.deployment.history import verify_log
from studio.deployment.liveness import server_info
from studio.deployment.options import DeployOptions, TargetOptions
from studio.deployment.step import (
    Anchor,
    LogsOptions,
    RegistryChain,
    RollbackOptions,
    UndeployOptions,
    VerifyLogOptions,
)
from studio.deployment.work import deploy, logs, probe_target, releases, rollback, undeploy
from studio.documents.dataclass_json import from_json, to_json
from studio.packages import Bundle
from studio.runtime.release.store.layout import ENDPOINTS, Layout
from studio.runtime.shared.chained_log import Journal
from studio.runtime.shared.log_segments import SEAL_BYTES
from studio.targets.connect import open_channel
from tests.rigs.boards import Board, Network, network
from tests.rigs.bundles import QuietJob, make_bundle
from tests.rigs.load import Load

pytestmark = [pytest.mark.rig, pytest.mark.slow]

ROOT = "/root/.edgewright"


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Versions 1 to 3."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(version), version) for version in range(1, 4)]


class Studio:
    """The deployment steps, as a worker runs them."""

    def __init__(self, folder: Path, target: TargetSpec) -> None:
        self._folder = folder
        self._jobs = 0
        self.target = target

    def job(self) -> QuietJob:
        self._jobs += 1
        return QuietJob(self._folder / str(self._jobs))

    def deploy(self, bundle: Bundle, job: QuietJob | None = None, **options: Any) -> dict[str, Any]:
        arguments = {"bundle": str(bundle.folder), "soak_s": 0.3, **options}
        given = from_json(DeployOptions, {**arguments, "target": asdict(self.target)})
        return dict(to_json(deploy(given, job or self.job())))

    def rollback(self, **options: Any) -> dict[str, Any]:
        return dict(to_json(rollback(RollbackOptions(target=self.target, **options), self.job())))

    def releases(self) -> dict[str, Any]:
        return dict(to_json(releases(TargetOptions(target=self.target), self.job())))


def rows(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in result["steps"]}


def test_deploy_serve_update_and_take_back(
    net: Network, bundles: list[Bundle], tmp_path: Path
) -> None:
    with Board(net, tmp_path / "b") as board:
        studio = Studio(tmp_path / "jobs", board.spec())
        facts = probe_target(TargetOptions(target=studio.target), studio.job())
        assert facts["runtimes"] == {}

        planned = studio.deploy(bundles[0], dry_run=True)
        assert planned["state"] == "planned"
        assert planned["bytes_to_send"] > 20_000_000
        assert not (board.home / ".edgewright").exists()

        first = studio.deploy(bundles[0])
        assert first["state"] == "serving"
        assert first["bytes_total"] == planned["bytes_to_send"]
        assert 0.9 < first["bytes_sent"] / first["bytes_total"] < 1.01  # wheels are packed already
        assert rows(first)["environment"]["text"].startswith("numpy ")
        assert (first["version"], first["port"]) == (1, 8477)

        channel = open_channel(studio.target, Silent())
        info = server_info(channel, ROOT)
        assert (info["running"], info["digest"]) == (True, bundles[0].digest)
        with channel.forward(first["port"]) as tunnel, Load(tunnel.port) as load:
            load.more(1000)
            second = studio.deploy(bundles[1])
            load.more(100)
            assert server_info(channel, ROOT)["digest"] == bundles[1].digest
            back = studio.rollback()
            load.more(100)
        assert load.failures == []
        assert load.answers >= 1200
        assert second["bytes_sent"] < 100_000
        assert rows(second)["environment"]["state"] == "skipped"
        assert (back["from"], back["to"]) == (2, 1)
        assert back["switch_seconds"] < 5
        assert server_info(channel, ROOT)["digest"] == bundles[0].digest

        again = studio.deploy(bundles[0])
        assert again["bytes_sent"] == 0
        assert rows(again)["switch"]["state"] == "skipped"
        listed = studio.releases()
        assert [(row["version"], row["state"]) for row in listed["releases"]] == [
            (1, "serving"),
            (2, "rolled back"),
            (2, "replaced"),
            (1, "replaced"),
        ]
        gone = undeploy(UndeployOptions(target=studio.target, purge=True), studio.job())
        assert gone.stopped is True
        assert server_info(channel, ROOT)["running"] is False
        assert studio.releases()["releases"][0]["state"] == "removed"
        channel.close()


def test_a_second_endpoint_takes_over_the_files_of_the_first(
    net: Network, bundles: list[Bundle], tmp_path: Path
) -> None:
    with Board(net, tmp_path / "b") as board:
        first = Studio(tmp_path / "jobs", board.spec())
        door = Studio(tmp_path / "door", replace(board.spec("board/door"), endpoint_name="door"))
        whole = first.deploy(bundles[0])["bytes_sent"]
        planned = door.deploy(bundles[1], dry_run=True)["bytes_to_send"]
        sent = door.deploy(bundles[1])["bytes_sent"]
        assert max(planned, sent) < 100_000 < 20_000_000 < whole

        undeploy(UndeployOptions(target=first.target, purge=True), first.job())
        door.deploy(bundles[2])  # its cleanup does not need the files of the purged endpoint
        channel = open_channel(door.target, Silent())
        assert server_info(channel, f"{ROOT}/{ENDPOINTS}/door")["digest"] == bundles[2].digest
        channel.close()

        # The second wheel is half written: it alone is sent again.
        wheels = (one for one in Layout(board.home / ".edgewright/endpoints/door").blobs.iterdir())
        large = max(wheels, key=lambda one: one.stat().st_size)
        size = large.stat().st_size
        large.chmod(0o644)
        os.truncate(large, size // 2)
        again = first.deploy(bundles[0])["bytes_sent"]
        assert 0.9 * size < again < size + 100_000


def test_open_to_the_network_when_asked(
    net: Network, bundles: list[Bundle], tmp_path: Path
) -> None:
    with Board(net, tmp_path / "b") as board:
        studio = Studio(tmp_path / "jobs", board.spec())
        with pytest.raises(Refused, match="The endpoint on board would accept"):
            studio.deploy(bundles[0], expose="network", port=9000)
        assert not (board.home / ".edgewright").exists()
        result = studio.deploy(bundles[0], expose="network", port=9000, allow_unauthenticated=True)
        assert result["endpoint"] == f"http://{board.address}:9000"
        link = http.client.HTTPConnection(board.address, 9000, timeout=10)
        link.request("GET", "/edgewright/status")
        assert json.loads(link.getresponse().read())["digest"] == bundles[0].digest
        link.close()


def test_a_deploy_that_was_cut_is_simply_repeated(
    net: Network, bundles: list[Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio_ssh.connection.DEAD_LINK_S", 2.0)
    monkeypatch.setattr("studio_ssh.watchdog.DEAD_LINK_S", 2.0)
    monkeypatch.setattr("studio_ssh.connection.CONNECT_S", 2.0)
    with Board(net, tmp_path / "b") as board:
        studio = Studio(tmp_path / "jobs", board.spec())

        class Cutting(QuietJob):
            def progress(self, done: float, total: float, text: str = "") -> None:
                if total > 20_000_000 and done > 0.75 * total:
                    board.cut()

        with pytest.raises(TargetError, match="lost"):
            studio.deploy(bundles[0], Cutting(tmp_path / "cutting"))
        board.mend()
        assert studio.releases()["releases"] == []
        result = studio.deploy(bundles[0])
        assert result["state"] == "serving"
        # The files that had arrived whole, numpy among them, were not sent again.
        assert result["bytes_sent"] < 0.75 * result["bytes_total"]
        left = board.run("find", f"{ROOT}/incoming", "-type", "f")
        assert left == ""


def test_a_board_without_python(net: Network, bundles: list[Bundle], tmp_path: Path) -> None:
    with Board(net, tmp_path / "b", python=False) as board:
        studio = Studio(tmp_path / "jobs", board.spec())
        with pytest.raises(TargetError, match="This target has no release"):
            studio.rollback()
        (board.home / ".edgewright" / "releases" / bundles[0].digest).mkdir(parents=True)
        for attempt in (lambda: studio.deploy(bundles[0]), studio.rollback):
            with pytest.raises(TargetError) as caught:
                attempt()
            assert caught.value.message == "board has no python3."
            assert "apt install python3" in caught.value.hint


def test_a_board_with_a_full_disk(net: Network, bundles: list[Bundle], tmp_path: Path) -> None:
    with Board(net, tmp_path / "b", disk_mb=30) as board:
        studio = Studio(tmp_path / "jobs", board.spec())
        with pytest.raises(TargetError, match=r"needs [\d,]+ MB, and 3\d MB is free in /root"):
            studio.deploy(bundles[0])
        assert board.run("ls", "/root") == ""


def test_a_disk_that_fills_up_on_the_way(
    net: Network, bundles: list[Bundle], tmp_path: Path
) -> None:
    """The room that the plan found is gone when the environment is unpacked."""
    with Board(net, tmp_path / "b", disk_mb=300) as board:
        studio = Studio(tmp_path / "jobs", board.spec())

        class Filling(QuietJob):
            def event(self, name: str, **values: Any) -> None:
                if values["steps"][-1]["name"] == "environment":
                    board.run("sh", "-c", "head -c 180M /dev/zero > /root/filler; true")

        with pytest.raises(
            TargetError, match=r"disk space on this target: the release needs|is full"
        ):
            studio.deploy(bundles[0], Filling(tmp_path / "filling"))
        board.run("rm", "-f", "/root/filler")
        assert studio.deploy(bundles[0])["state"] == "serving"


def test_a_board_that_was_never_met(net: Network, bundles: list[Bundle], tmp_path: Path) -> None:
    with Board(net, tmp_path / "b") as board:
        studio = Studio(tmp_path / "jobs", board.spec(host_key=""))
        with pytest.raises(UnknownHost) as caught:
            studio.deploy(bundles[0])
        assert caught.value.key == board.host_key
        assert not (board.home / ".edgewright").exists()


def test_a_record_in_parts_a_log_that_rotated_and_a_way_back_over_ssh(
    net: Network, bundles: list[Bundle], tmp_path: Path
) -> None:
    with Board(net, tmp_path / "b") as board:
        studio = Studio(tmp_path / "jobs", board.spec())
        studio.deploy(bundles[1])
        layout = Layout(board.home / ".edgewright")
        record = Journal(layout.log, layout.sealed)
        done: dict[str, Any] | None = None
        for _ in range(2):  # years of deploys
            record.append("started", text="x" * SEAL_BYTES)
            done = studio.deploy(bundles[2]) if done is None else studio.rollback()
        assert done is not None
        known = VerifyLogOptions(
            target=studio.target, anchors=(Anchor(**done["log"]),), registry=RegistryChain(1)
        )
        found = verify_log(known, studio.job())
        assert (found.whole, found.problem) == (True, "")
        assert len(list(layout.sealed.iterdir())) == 2
        (layout.sealed / "000001.jsonl").unlink()
        found = verify_log(known, studio.job())
        assert "of the history of board are missing." in found.problem
        (layout.run / "server.log.1").write_text("last night\n")
        lines = logs(LogsOptions(target=studio.target, lines=10_000), studio.job()).lines
        assert lines[0] == "last night"
        assert len(lines) > 1
        # Version 1 was never there: it is refused, and taken with a reason.
        with pytest.raises(
            Refused, match="Version 1 of cnn is older than the last release on board"
        ):
            studio.deploy(bundles[0])
        assert studio.deploy(bundles[0], downgrade="3 is wrong")["state"] == "serving"
        assert studio.releases()["releases"][0]["reason"] == "downgrade: 3 is wrong"
