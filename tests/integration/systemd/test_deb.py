"""A release's Debian package on a board with systemd: installed, served, changed, purged."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.packages import Bundle
from tests.e2e.conftest import Studio
from tests.integration.systemd import board as machine
from tests.integration.systemd import image
from tests.integration.systemd.board import SystemdBoard
from tests.integration.systemd.test_board import board, bundles, status
from tests.rigs.boards import until

pytestmark = [pytest.mark.rig, pytest.mark.needs(*image.PROGRAMS, *machine.PROGRAMS)]

__all__ = ["board", "bundles"]
PORT = 8499
LONG_S = 400.0
UNIT = "edgewright-cnn.service"


@pytest.fixture
def packages(studio: Studio, bundles: list[Bundle], tmp_path: Path) -> list[Path]:
    made = []
    for bundle in bundles[:2]:
        words = (bundle.folder, "--deb", tmp_path, "--board", "generic-x86_64")
        made.append(Path(studio.ok("package", *words, timeout=600)["deb"]))
    return made


def send(board: SystemdBoard, path: Path) -> str:
    """Put a package there; where."""
    place = f"/root/{path.name}"
    board.shell.put(path, place)
    return place


def served(board: SystemdBoard, digest: str) -> None:
    """Wait until it serves this release; its journal when it does not."""
    try:
        until(lambda: status(board, PORT).get("digest") == digest, "it is served", 120)
    except AssertionError:
        pytest.fail(board.shell.run(f"journalctl -u {UNIT} -n 40 --no-pager"))


def test_a_package_is_installed_served_upgraded_and_purged(
    board: SystemdBoard, packages: list[Path], bundles: list[Bundle]
) -> None:
    before = board.shell.run("find / -xdev -path /proc -prune -o -print | grep -i edgewright; true")
    first, second = (send(board, path) for path in packages)
    board.shell.run(f"dpkg -i {first}", LONG_S)
    settings = f"sed -i 's/^HOST=.*/HOST=0.0.0.0/; s/^PORT=.*/PORT={PORT}/'"
    board.shell.run(f"{settings} /etc/default/edgewright-cnn && systemctl restart {UNIT}")
    served(board, bundles[0].digest)
    assert board.shell.run(f"systemctl is-enabled {UNIT}").strip() == "enabled"
    owner = board.shell.run(f"ps -o user= -p $(systemctl show -P MainPID {UNIT})").strip()
    assert owner not in ("root", "")

    board.shell.run(f"dpkg -i {second}", LONG_S)
    served(board, bundles[1].digest)
    assert f"PORT={PORT}" in board.shell.run("cat /etc/default/edgewright-cnn")
    board.restart()
    served(board, bundles[1].digest)

    board.shell.run("dpkg --purge edgewright-cnn")
    assert not status(board, PORT)
    board.shell.run(f"rm {first} {second}")
    after = board.shell.run("find / -xdev -path /proc -prune -o -print | grep -i edgewright; true")
    assert after.splitlines() == before.splitlines()
