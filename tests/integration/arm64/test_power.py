"""Power loss of a whole machine in the midst of a release, at random moments, and a restart.

The emulator is killed: what the guest had not flushed is lost with its memory. Its disk is a file
that outlives it, with the emulator's cache written through.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.deployment.history import judged
from studio.deployment.machine.answers import LogAnswer
from studio.deployment.machine_verbs import agent_on
from studio.deployment.options import DeployOptions, TargetOptions
from studio.deployment.step import RegistryChain
from studio.deployment.work import deploy, releases
from studio.packages import Bundle
from studio.targets.connect import open_channel
from studio.targets.inventory import read
from tests.integration.arm64 import image, machine
from tests.integration.arm64.machine import Machine
from tests.rigs.boards import until
from tests.rigs.bundles import QuietJob, make_bundle

pytestmark = [pytest.mark.rig, pytest.mark.needs(*image.PROGRAMS, *machine.PROGRAMS)]

MOMENTS = int(os.environ.get("MOMENTS", "20"))
SEED = int(os.environ.get("SEED", "1"))


class Lasting(Machine):
    """A machine whose disk keeps what was flushed when the power goes."""

    def __init__(self, made: image.Image, folder: Path) -> None:
        disk = folder / "disk.img"
        shutil.copyfile(made.disk, disk)
        super().__init__(replace(made, disk=disk), folder)

    def _drive(self) -> str:
        return f"id=r,file={self._image.disk},format=raw,if=none,cache=writethrough"

    def power_loss(self) -> None:
        """From one moment to the next."""
        self._process.kill()
        self._process.wait()

    def power_on(self) -> None:
        """The same disk again."""
        self.__enter__()


@pytest.fixture(scope="module")
def board(rigs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lasting]:
    if os.geteuid() != 0:
        pytest.skip("only root can unpack an image")
    with Lasting(image.image(rigs), tmp_path_factory.mktemp("lasting")) as made:
        yield made


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(n), n, samples=1) for n in range(1, MOMENTS + 4)]


def arguments(board: Lasting, bundle: Bundle) -> DeployOptions:
    return DeployOptions(bundle=bundle.folder, target=board.spec(), soak_s=1.0)


def served(board: Lasting) -> str:
    """The digest of what answers on the board; empty when nothing does."""
    command = (
        "curl -s -m 10 http://127.0.0.1:8477/edgewright/status || "
        'python3 -c "import urllib.request as u; '
        "print(u.urlopen('http://127.0.0.1:8477/edgewright/status', timeout=10).read().decode())\""
        " 2>/dev/null || true"
    )
    said = board.run(command)
    return said.partition('"digest": "')[2][:64] or said.partition('"digest":"')[2][:64]


def serves_one_of(board: Lasting, good: set[str]) -> bool:
    return served(board) in good


def tried(board: Lasting, bundle: Bundle, folder: Path) -> bool:
    """Whether a deploy came to its end; what stopped it is one sentence."""
    try:
        deploy(arguments(board, bundle), QuietJob(folder))
    except StudioError as error:
        if "\n" in error.message:
            raise
        return False
    return True


def test_power_loss_at_random_moments(
    board: Lasting, bundles: list[Bundle], tmp_path: Path
) -> None:
    deploy(arguments(board, bundles[0]), QuietJob(tmp_path / "first"))
    begin = time.monotonic()
    deploy(arguments(board, bundles[1]), QuietJob(tmp_path / "second"))
    longest = time.monotonic() - begin  # on this emulated machine, as busy as it is today
    chance, outcomes = random.Random(SEED), {"old": 0, "new": 0, "ended before": 0}
    kept = bundles[1].digest
    for number, bundle in enumerate(bundles[2 : MOMENTS + 2]):
        moment = chance.uniform(0.5, longest)
        timer = threading.Timer(moment, board.power_loss)
        timer.start()
        outcomes["ended before"] += tried(board, bundle, tmp_path / f"cut-{number}")
        timer.join()
        board.power_on()
        # systemd serves some good release before anybody has looked.
        good = {kept, bundle.digest}
        until(partial(serves_one_of, board, good), f"served after {moment:.1f} s", 240)
        with closing(open_channel(board.spec(), QuietJob(tmp_path / f"look-{number}"))) as channel:
            agent = agent_on(board.spec(), channel, QuietJob(tmp_path / f"agent-{number}"))
            agent.install()
            found = read(channel, agent.root)
            entries = agent.request(LogAnswer, "log", {}).entries
            assert judged("board", entries, [], RegistryChain()).whole
            outcomes["new" if found.current == bundle.digest else "old"] += 1
        deploy(arguments(board, bundle), QuietJob(tmp_path / f"again-{number}"))
        assert served(board) == bundle.digest
        kept = bundle.digest
        print(f"{number}: power lost after {moment:.1f} of {longest:.1f} s; {outcomes}", flush=True)
    assert outcomes["old"] >= 1, outcomes


def test_a_restart_in_the_midst_of_a_release(
    board: Lasting, bundles: list[Bundle], tmp_path: Path
) -> None:
    bundle = bundles[MOMENTS + 2]
    timer = threading.Timer(15.0, board.restart)
    timer.start()
    tried(board, bundle, tmp_path / "cut")
    timer.join()
    until(lambda: served(board) != "", "something is served after the restart", 240)
    deploy(arguments(board, bundle), QuietJob(tmp_path / "again"))
    listed = releases(TargetOptions(target=board.spec()), QuietJob(tmp_path / "list"))
    assert listed.current == bundle.digest == served(board)
