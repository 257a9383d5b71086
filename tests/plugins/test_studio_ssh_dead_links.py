"""How long it takes until a dead link is noticed, with the patience that users have: ten seconds.

A transfer, a command that reads what is streamed to it, and a command that says nothing are under
way, each over a connection of its own, when the link dies.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from studio.api import Silent, TargetError
from studio_ssh.channel import SshChannel
from studio_ssh.target import SshTarget
from tests.plugins.test_studio_ssh_ways import Site
from tests.rigs.boards import Board, network
from tests.rigs.delay import carrier

pytestmark = [pytest.mark.rig, pytest.mark.slow]

WITHIN_S = 10.0
GRACE_S = 4.0
"""For a busy machine, which wakes nobody on time."""

Open = Callable[[], SshChannel]
_BYTES = 64 << 20


class Begun(Silent):
    """Says that a transfer is under way, and takes its time, so that it is when the link dies."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.dead = threading.Event()

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.event.set()
        time.sleep(0.01)


def put(channel: SshChannel, source: Path, begun: Begun) -> None:
    channel.put(source, "/root/target", begun)


def stream(channel: SshChannel, source: Path, begun: Begun) -> None:
    def pieces() -> Iterator[bytes]:
        with source.open("rb") as reader:
            while piece := reader.read(1 << 16):
                yield piece
                begun.progress(0, 0)

    channel.run(["sh", "-c", "cat >/dev/null"], stdin=pieces(), timeout=120)


def command(channel: SshChannel, source: Path, begun: Begun) -> None:
    channel.run(
        ["sh", "-c", "echo on; sleep 120"],
        timeout=120,
        on_line=lambda line: begun.event.set(),
    )


def between(channel: SshChannel, source: Path, begun: Begun) -> None:
    """The link dies between two commands."""
    channel.run(["true"])
    begun.event.set()
    begun.dead.wait()
    channel.run(["true"])


WORK = (put, stream, command, between)


def noticed(open_channel: Open, kill: Callable[[], None], folder: Path) -> dict[str, float]:
    """Seconds from the death of a link until each kind of work has said so."""
    source = folder / "source"
    source.write_bytes(os.urandom(1 << 20) * (_BYTES >> 20))
    channels = [open_channel() for _ in WORK]
    begun = [Begun() for _ in WORK]
    ended: dict[str, float] = {}

    def one(number: int) -> None:
        with pytest.raises(TargetError, match="was lost") as caught:
            WORK[number](channels[number], source, begun[number])
        ended[WORK[number].__name__] = time.monotonic()
        assert "\n" not in caught.value.message

    with ThreadPoolExecutor(len(WORK)) as pool:
        jobs = [pool.submit(one, number) for number in range(len(WORK))]
        assert all(one.event.wait(20) for one in begun)
        time.sleep(0.5)
        assert not ended
        kill()
        killed = time.monotonic()
        for one in begun:
            one.dead.set()
        for job in jobs:
            job.result(120)
    for channel in channels:
        channel.close()
    found = {name: round(when - killed, 1) for name, when in sorted(ended.items())}
    print(json.dumps(found))
    return found


def judged(found: dict[str, float], record: Callable[[str, object], None]) -> None:
    record("noticed_s", json.dumps(found))
    assert max(found.values()) <= WITHIN_S + GRACE_S, found


def test_a_link_that_is_cut(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    with network() as net, Board(net, tmp_path / "board") as board:
        found = noticed(lambda: SshTarget().connect(board.spec(), Silent()), board.cut, tmp_path)
    judged(found, record_property)


def test_a_link_that_stalls(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    with ExitStack() as stack:
        net = stack.enter_context(network())
        board = stack.enter_context(Board(net, tmp_path / "board"))
        link = stack.enter_context(carrier(board.pid, "198.18.252", 5))
        spec = board.spec()
        spec = type(spec)(spec.name, f"ssh://root@{link.address}", spec.host_key, spec.settings)
        found = noticed(lambda: SshTarget().connect(spec, Silent()), link.stall, tmp_path)
    judged(found, record_property)


def test_a_link_behind_a_jump_host_that_is_cut(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with ExitStack() as stack:
        site = Site(tmp_path / "site", stack)
        found = noticed(site.open, site.board.cut, tmp_path)
    judged(found, record_property)
