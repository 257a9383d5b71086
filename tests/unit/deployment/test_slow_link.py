"""What the user is told while files crawl to a board: how far, how fast, how long still."""

from __future__ import annotations

import hashlib
import random
import re
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import Silent
from studio.deployment.machine.release_client import ReleaseClient
from studio.deployment.machine.upload import Outgoing, Upload
from studio.packages import build_runtime
from studio_ssh.target import SshTarget
from tests.rigs.boards import Board, network
from tests.rigs.bundles import QuietJob
from tests.rigs.delay import long_way

pytestmark = [pytest.mark.rig, pytest.mark.slow]

MBIT, SIZE = 8.0, 4_000_000
SAID = re.compile(r"Sending: ([\d.]+) of 4\.0 MB, ([\d.]+) MB/s, (\d+) s left")


class Listening(QuietJob):
    """Keeps what it is told."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.texts: list[str] = []

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.texts.append(text)


def test_a_slow_link_tells_its_rate_and_the_time_that_is_left(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(SIZE)
    (tmp_path / "weights").write_bytes(content)
    file = Outgoing("weights", tmp_path / "weights", hashlib.sha256(content).hexdigest(), SIZE)
    runtime, job = build_runtime(tmp_path), Listening(tmp_path / "job")
    with ExitStack() as stack:
        board = stack.enter_context(Board(stack.enter_context(network()), tmp_path / "board"))
        far = stack.enter_context(long_way(board.pid, "198.18.251", 20, MBIT))
        spec = replace(board.spec(), url=f"ssh://root@{far}")
        channel = SshTarget().connect(spec, Silent())
        stack.callback(channel.close)
        place = board.home / "r" / "runtime"
        place.mkdir(parents=True)
        (place / f"{runtime.digest}.pyz").write_bytes(runtime.path.read_bytes())
        agent = ReleaseClient(channel, "/root/r", "python3", runtime, "ann@desk", "board")
        delivery = Upload([file], job)
        wanted = {"blobs": {file.digest: SIZE}}
        agent.call("transfer", wanted, watch=delivery.watch, frames=delivery.frames())
        assert (board.home / "r" / "blobs" / file.digest).read_bytes() == content
    found = [match for text in job.texts if (match := SAID.fullmatch(text))]
    assert len(found) >= 5, job.texts  # several a second, after the first
    assert job.texts[0] == "Sending: 0.0 of 4.0 MB"
    done = [float(one[1]) for one in found]
    rates, left = [float(one[2]) for one in found], [int(one[3]) for one in found]
    assert done == sorted(done)
    # No faster than the link, also in what is told; a busy machine may make it slower.
    assert max(rates) <= MBIT / 8 * 1.25, rates
    assert left[-1] <= 1
    assert left[0] >= 1
