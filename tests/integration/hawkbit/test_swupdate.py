"""SWUpdate itself as the client of ten boards with systemd, through goosebit itself.

One board trusts other signers than the fleet's, one sleeps, one lies. The tests go on from each
other, in order.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
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
from tests.rigs.load import Load, varied
from tests.rigs.pull.goosebit import PASSWORD, USER, Goosebit

pytestmark = [pytest.mark.rig, pytest.mark.needs(*image.PROGRAMS, *machine.PROGRAMS, "openssl")]

BOARDS = 10
NAMES = [f"board-{number}" for number in range(BOARDS)]
FIRST, FAILING, ASLEEP, LYING = NAMES[:3], NAMES[3], NAMES[4], NAMES[5]
HONEST = [one for one in NAMES if one not in (FAILING, ASLEEP, LYING)]
PATIENCE_S, AT_ONCE = 240.0, 4
ROOT, PORT = "/var/lib/edgewright", 8477


@dataclass
class Fleet:
    """Boards by their names, the server, and what is published to them."""

    studio: Studio
    server: Goosebit
    network: Network
    picture: image.Image
    folder: Path
    keys: dict[str, Path]
    bundles: list[Bundle]
    boards: dict[str, SystemdBoard] = field(default_factory=dict)

    def target(self, name: str, board: SystemdBoard) -> None:
        """Make a board a target over SSH."""
        key = ("--key-file", board.shell.key_file, "--accept-host-key", board.shell.fingerprint)
        self.studio.ok("target", "add", name, board.url(), "--root", ROOT, *key)

    def board(self, name: str) -> SystemdBoard:
        """A board that is not started yet, from what the first one was."""
        folder = self.folder / name
        folder.mkdir()
        return SystemdBoard(self.network, self.picture, folder, PATIENCE_S)

    def start(self, name: str) -> None:
        """Start a board."""
        self.boards[name].__enter__()

    def end(self) -> None:
        """End all boards that were started, and remove their file systems."""
        for board in self.boards.values():
            if board.started:
                board.__exit__()
        for tree in self.folder.glob("*/tree"):
            shutil.rmtree(tree, ignore_errors=True)

    def pulls(self, name: str, *more: str) -> None:
        """Let SWUpdate poll on a board."""
        place = ("--target", name, "--server", self.server.url, "--plain", "--poll-s", "5")
        certificate = ("--swupdate", self.keys["swupdate_certificate"], "--soak-s", "1")
        self.studio.ok("target", "pull", *place, *certificate, *more)

    def publish(
        self, group: str, bundle: Bundle, wait_s: int, keys: dict[str, Path] | None = None
    ) -> Any:
        """Deploy to a group for SWUpdate; return how the command ended."""
        wanted = {**(keys or self.keys), "format": "swupdate", "board_root": ROOT, "wait_s": wait_s}
        words = [word for name, found in wanted.items() for word in ("--set", f"{name}={found}")]
        place = ("--bundle", bundle.folder, "--target", group)
        return self.studio.run("deploy", *place, *words, "--json", timeout=wait_s + 120)

    def state(self, name: str) -> dict[str, Any]:
        """State of a board's release machine."""
        text = self.boards[name].shell.run(f"cat {ROOT}/state.json")
        found: dict[str, Any] = json.loads(text)
        return found

    def current(self, name: str) -> str:
        """The release that a board serves."""
        return str(self.state(name)["current"])

    def last_state(self, name: str) -> str:
        """How the server sees a board."""
        return str(self.server.devices().get(name, {}).get("last_state"))


def keys(folder: Path) -> dict[str, Path]:
    """A key and its certificate, as docs/pull.md makes them."""
    key, certificate = folder / "swupdate.key", folder / "swupdate.crt"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"]
    files = ["-subj", "/CN=fleet", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*words, *files], check=True, capture_output=True)
    return {"swupdate_key": key, "swupdate_certificate": certificate}


def signed(studio: Studio, folder: Path, key: Path) -> list[Bundle]:
    """Versions 1, 2 and 4 of one model, and as version 3 another one."""
    seeds = ((1, 1), (2, 1), (3, 7), (4, 1))
    made = [make_bundle(folder / str(v), v, seed, samples=v + 1) for v, seed in seeds]
    for one in made:
        studio.ok("sign", one.folder, "--key", key)
    return made


@pytest.fixture(scope="module")
def fleet(
    studio: Studio, rigs: Path, python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    if os.geteuid() != 0:
        pytest.skip("only root can start a machine")
    folder = tmp_path_factory.mktemp("fleet")
    signer = folder / "ann"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann@desk", "-f", str(signer)]
    subprocess.run(words, check=True)
    login = folder / "login"
    login.write_text(f"{USER}:{PASSWORD}")
    login.chmod(0o600)
    bundles = signed(studio, folder / "bundles", signer)
    picture = image.image(rigs, "swupdate", ",swupdate")
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        host = f"{network.prefix}.1"
        server = stack.enter_context(Goosebit(python, folder / "goosebit", host=host))
        one = Fleet(studio, server, network, picture, folder, keys(folder), bundles)
        for group in ("default", "first"):
            url = f"goosebit://{host}:{server.port}/DEFAULT/{group}"
            settings = ("--set", f"login={login}", "--set", "plain=yes")
            studio.ok("target", "add", group, url, *settings)
        _first_release(one, signer)
        one.boards = {name: one.board(name) for name in NAMES}
        stack.callback(one.end)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(one.start, (name for name in NAMES if name != ASLEEP)))
        for name in NAMES:
            if name != ASLEEP:
                one.target(name, one.boards[name])
        yield one


def _first_release(fleet: Fleet, signer: Path) -> None:
    """Deploy version 1 to a board over SSH, of which the others are copies."""
    with fleet.board("mother") as mother:
        fleet.target("mother", mother)
        fleet.studio.ok("trust", "--target", "mother", "--signers", signer.with_suffix(".pub"))
        words = ("--bundle", fleet.bundles[0].folder, "--target", "mother", "--host", "0.0.0.0")
        fleet.studio.ok("deploy", *words, "--allow-unauthenticated", timeout=600)
        mother.shell.attempt("systemctl poweroff", 30)
        until(lambda: mother.ended, "the first board is off", PATIENCE_S)
    fleet.picture = replace(fleet.picture, tree=mother.tree)


def test_swupdate_registers_its_boards(fleet: Fleet) -> None:
    awake = [one for one in NAMES if one not in (ASLEEP, LYING)]
    for number, name in enumerate(awake):
        fleet.pulls(name)
        if not number:  # goosebit notes hardware twice where two boards come first
            until(lambda: name in fleet.server.devices(), "a board has registered", PATIENCE_S)  # noqa: B023
    for name in awake:
        until(lambda: fleet.last_state(name) == "Registered", name, PATIENCE_S)  # noqa: B023
    version = fleet.server.devices()[HONEST[0]]["sw_version"]
    assert version.startswith("1.1.0+" + fleet.bundles[0].digest[:12])


def test_a_good_release_reaches_all_but_those_who_cannot(fleet: Fleet) -> None:
    other = fleet.folder / "other"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "eve@desk", "-f", str(other)]
    subprocess.run(words, check=True)
    fleet.studio.ok("trust", "--target", FAILING, "--signers", other.with_suffix(".pub"))
    two = fleet.bundles[1]
    _lie(fleet, two)
    done = fleet.publish("default", two, 240)
    assert done.code == 0, done.err
    facts = done.json["facts"]
    assert facts["serving"] == len(HONEST), facts
    assert facts["failed"] == 1
    assert "never reported its installation" in facts["why"][LYING]
    assert {fleet.current(one) for one in HONEST} == {two.digest}
    assert fleet.current(FAILING) == fleet.bundles[0].digest
    assert "signer" in fleet.server.device_log(FAILING)
    assert f"(release {two.digest[:12]})" in fleet.server.device_log(HONEST[0])


def test_a_worse_model_is_halted_in_the_first_group(fleet: Fleet) -> None:
    three = fleet.bundles[2]
    wish = {"devices": FIRST, "feed": "first"}
    fleet.server.call("PATCH", "/api/v1/devices", wish)
    for name in FIRST:
        fleet.pulls(name, "--trial", "--soak-s", "60")
    with ExitStack() as stack:
        for name in FIRST:
            stack.enter_context(_load(fleet.boards[name].address))
        done = fleet.publish("first", three, 240)
    assert done.code != 0
    assert "the rollout is paused" in done.err
    assert {fleet.current(one) for one in HONEST} == {fleet.bundles[1].digest}
    tried = [one for one in HONEST if three.digest in json.dumps(fleet.state(one))]
    assert set(tried) <= set(FIRST)
    assert "differ from the previous release" in fleet.server.device_log(tried[0])


def test_an_artefact_that_another_key_has_signed_is_refused(fleet: Fleet) -> None:
    place = fleet.folder / "stolen"
    place.mkdir()
    done = fleet.publish("first", fleet.bundles[3], 240, keys(place))
    assert done.code != 0
    assert "the rollout is paused" in done.err
    assert {fleet.current(one) for one in FIRST} == {fleet.bundles[1].digest}
    assert "ignature" in fleet.server.device_log(FIRST[0])


def test_a_board_that_slept_converges(fleet: Fleet) -> None:
    fleet.start(ASLEEP)
    fleet.target(ASLEEP, fleet.boards[ASLEEP])
    fleet.pulls(ASLEEP)
    two = fleet.bundles[1].digest
    until(lambda: fleet.current(ASLEEP) == two, "it serves the good release", PATIENCE_S)
    until(lambda: fleet.last_state(ASLEEP) == "Finished", "it has reported", PATIENCE_S)


def test_nothing_is_half_done(fleet: Fleet) -> None:
    for name in NAMES:
        assert fleet.state(name)["phase"] == "idle", name
        if name != LYING:
            left = fleet.boards[name].shell.run(f"ls {ROOT}/pull")
            assert "incoming" not in left
        assert fleet.studio.ok("verify-log", "--target", name)["whole"] is True


def _load(address: str) -> Load:
    return Load(
        PORT,
        clients=1,
        connect=lambda: http.client.HTTPConnection(address, PORT, timeout=30),
        bodies=varied(),
    )


def _lie(fleet: Fleet, bundle: Bundle) -> None:
    """Report a release that the board does not have."""
    facts = {"hw_boardname": "default", "sw_version": f"2.2.0+{bundle.digest[:12]}"}
    url = f"{fleet.server.url}/DEFAULT/controller/v1/{LYING}/configData"
    data = json.dumps({"mode": "merge", "data": facts}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method="PUT")
    with urllib.request.urlopen(request, timeout=30):
        pass
