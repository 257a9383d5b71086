"""A process that is killed, or a disk that fails, at every single change that a switch makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.packages import Bundle
from studio.runtime.release.files import remove
from studio.runtime.release.server import Server
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.release.machine import Machine, machine

pytestmark = [pytest.mark.slow, pytest.mark.needs("strace")]

CHANGES = "rename,symlink,unlink,link,fsync"
MOST = 60


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Versions 1 and 2."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(version), version, samples=1) for version in (1, 2)]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "root") as made:
        yield made


def inject(fault: str, number: int, log: Path) -> list[str]:
    """A tracer that makes the k-th change fail, in the release machine alone."""
    rule = f"inject={CHANGES}:{fault}:when={number}"
    return ["strace", "-qq", "-o", str(log), "-e", f"trace={CHANGES}", "-e", rule]


@pytest.mark.parametrize("fault", ["signal=KILL", "error=ENOSPC"])
def test_staging_survives_a_fault_at_every_change(
    board: Machine, bundles: list[Bundle], tmp_path: Path, fault: str
) -> None:
    two = bundles[1]
    outcomes = {"done": 0, "failed": 0}
    for number in range(1, MOST):
        board.begin(two.digest)
        board.send(two)
        board.under = inject(fault, number, tmp_path / "trace")
        try:
            finished = board.stage(two)["event"] == "result"
        except AssertionError:  # killed before it could say anything
            finished = False
        board.under = []
        outcomes["done" if finished else "failed"] += 1
        board.begin(two.digest)
        board.check_invariants()
        if not re.search(r"INJECTED|SIGKILL", (tmp_path / "trace").read_text()):
            break
        remove(board.layout.release(two.digest))
    else:
        pytest.fail(f"more than {MOST} changes")
    assert outcomes["failed"] >= 5, outcomes
    assert board.stage(two)["event"] == "result"


@pytest.mark.parametrize("fault", ["signal=KILL", "error=EIO"])
def test_a_switch_survives_a_fault_at_every_change(
    board: Machine, bundles: list[Bundle], tmp_path: Path, fault: str
) -> None:
    one, two = bundles
    board.deploy(one)
    server = Server(board.layout)
    outcomes = {"old": 0, "new": 0}
    for number in range(1, MOST):
        board.ready(two)
        board.under = inject(fault, number, tmp_path / "trace")
        try:
            board.call("switch", release=two.digest, soak_s=0)
        except AssertionError:  # killed before it could say anything
            pass
        board.under = []
        assert server.runs(), f"nothing is served after fault {number}"
        board.begin()
        board.check_invariants()
        now = board.state["current"]
        assert server.serves(now), f"state and server disagree after fault {number}"
        outcomes["new" if now == two.digest else "old"] += 1
        if not re.search(r"INJECTED|SIGKILL", (tmp_path / "trace").read_text()):
            break
        if now == two.digest:
            board.ok("rollback", to=one.digest, soak_s=0)
    else:
        pytest.fail(f"more than {MOST} changes")
    assert outcomes["old"] >= 3, outcomes
    assert outcomes["new"] >= 1, outcomes
