"""The pull client as a unit of systemd on a board, through goosebit itself.

The tests continue one another, in order.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from studio.packages import Bundle
from tests.e2e.conftest import Studio
from tests.integration.systemd import board as machine
from tests.integration.systemd import image
from tests.integration.systemd.board import SystemdBoard
from tests.rigs.boards import Network, until
from tests.rigs.bundles import make_bundle
from tests.rigs.pull.goosebit import PASSWORD, USER, Goosebit

pytestmark = [pytest.mark.rig, pytest.mark.needs(*image.PROGRAMS, *machine.PROGRAMS)]

NAME, ROOT, PATIENCE_S = "roof", "/var/lib/edgewright", 240.0


@dataclass
class PullingRoof:
    """A board whose client is a unit, and the server that it polls."""

    studio: Studio
    server: Goosebit
    board: SystemdBoard
    bundles: list[Bundle]
    unit: str = ""

    def state(self) -> dict[str, Any]:
        """State of its release machine."""
        found: dict[str, Any] = json.loads(self.board.shell.run(f"cat {ROOT}/state.json"))
        return found

    def shown(self, name: str) -> str:
        """A property of the unit."""
        return self.board.shell.run(f"systemctl show -P {name} {self.unit}").strip()

    def publish(self, bundle: Bundle) -> None:
        """Deploy to the fleet, without waiting for the board."""
        self.studio.ok(
            "deploy", "--bundle", bundle.folder, "--target", "fleet", "--set", "wait_s=0"
        )

    def await_release(self, bundle: Bundle) -> None:
        """Wait until a release is committed, and its outcome reported."""
        until(lambda: self.state()["current"] == bundle.digest, "it serves", PATIENCE_S)
        until(lambda: self.reported() == "Finished", "it has reported", PATIENCE_S)

    def reported(self) -> str:
        """How the server sees the board."""
        return str(self.server.devices().get(NAME, {}).get("last_state"))


@pytest.fixture(scope="module")
def roof(
    studio: Studio, rigs: Path, python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PullingRoof]:
    if os.geteuid() != 0:
        pytest.skip("only root can start a machine")
    folder = tmp_path_factory.mktemp("roof")
    signer = folder / "ann"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann@desk", "-f", str(signer)]
    subprocess.run(words, check=True)
    bundles = [make_bundle(folder / str(v), v, samples=v + 1) for v in (1, 2, 3)]
    for one in bundles:
        studio.ok("sign", one.folder, "--key", signer)
    login = folder / "login"
    login.write_text(f"{USER}:{PASSWORD}")
    login.chmod(0o600)
    picture = image.image(rigs, "swupdate", ",swupdate")
    with Network() as network:
        host = f"{network.prefix}.1"
        with (
            Goosebit(python, folder / "goosebit", host=host) as server,
            SystemdBoard(network, picture, folder, PATIENCE_S) as board,
        ):
            url = f"goosebit://{host}:{server.port}/DEFAULT/default"
            studio.ok(
                "target", "add", "fleet", url, "--set", f"login={login}", "--set", "plain=yes"
            )
            key = ("--key-file", board.shell.key_file, "--accept-host-key", board.shell.fingerprint)
            studio.ok("target", "add", NAME, board.url(), "--root", ROOT, *key)
            studio.ok("trust", "--target", NAME, "--signers", signer.with_suffix(".pub"))
            yield PullingRoof(studio, server, board, bundles)


def test_it_is_a_unit_that_is_enabled_and_runs(roof: PullingRoof) -> None:
    place = ("--bundle", roof.bundles[0].folder, "--target", NAME, "--host", "0.0.0.0")
    roof.studio.ok("deploy", *place, "--allow-unauthenticated", timeout=600)
    words = ("--target", NAME, "--server", roof.server.url, "--plain", "--poll-s", "5")
    done = roof.studio.ok("target", "pull", *words, "--soak-s", "1")
    roof.unit = str(done["service"])
    assert roof.unit.startswith("edgewright-pull")
    assert roof.shown("ActiveState") == "active"
    assert roof.shown("UnitFileState") == "enabled"
    until(lambda: NAME in roof.server.devices(), "it has registered", PATIENCE_S)


def test_a_release_is_pulled_by_the_unit(roof: PullingRoof) -> None:
    roof.publish(roof.bundles[1])
    roof.await_release(roof.bundles[1])
    assert f"(release {roof.bundles[1].digest[:12]})" in roof.server.device_log(NAME)


def test_a_killed_client_is_started_again(roof: PullingRoof) -> None:
    before = roof.shown("MainPID")
    roof.board.shell.run(f"kill -9 {before}")
    until(lambda: roof.shown("MainPID") not in ("0", before), "it is back", PATIENCE_S)
    assert roof.state()["current"] == roof.bundles[1].digest


def test_after_a_restart_of_the_board_it_polls(roof: PullingRoof) -> None:
    roof.board.restart()
    roof.publish(roof.bundles[2])
    roof.await_release(roof.bundles[2])
    assert roof.shown("ActiveState") == "active"
    assert roof.studio.ok("verify-log", "--target", NAME)["whole"] is True


def test_removal_leaves_no_unit(roof: PullingRoof) -> None:
    roof.studio.ok("target", "pull", "--target", NAME, "--remove")
    assert roof.shown("LoadState") == "not-found"
    assert roof.state()["current"] == roof.bundles[2].digest
