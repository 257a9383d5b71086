"""A matrix: each state that a release can be left in, and each thing that can befall it there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.runtime.release.server.server_control import Server
from studio.runtime.release.store.lease import LEASE_S
from studio.runtime.shared.files import point, remove, write_atomically
from studio.runtime.shared.process_identity import started
from tests.faults.board import FaultBoard, Stock
from tests.faults.points import REPEAT
from tests.faults.tally import Tally, require
from tests.rigs.boards import until

OLD, NEW = 1, 2
"""Versions: the one that is served at first, and the one whose release is interrupted."""


class Case:
    """A board in a state: ``old`` was deployed, ``new`` is on its way."""

    def __init__(self, board: FaultBoard, state: str) -> None:
        self.board = board
        self.old = board.stock.numbered(OLD)
        self.new = board.stock.numbered(NEW)
        self.serves = state not in ("bare", "first received", "removed")
        self.state = state

    def write(self, **changes: Any) -> None:
        """Change the state file as a step that was begun and never ended would leave it."""
        path = self.board.layout.state
        write_atomically(path, json.dumps({**json.loads(path.read_bytes()), **changes}).encode())


# States: each leaves the board as if the operator had vanished at that moment.


def bare(case: Case) -> None:
    """Nothing was ever deployed."""


def first_received(case: Case) -> None:
    case.board.put(case.new, ("begin", "missing", "receive"))


def idle(case: Case) -> None:
    case.board.put(case.old, REPEAT)


def claimed(case: Case) -> None:
    idle(case)
    case.board.put(case.new, ("begin",))


def half_received(case: Case) -> None:
    claimed(case)
    frames, request = case.board.request("receive", case.new)
    case.board.refused("receive", frames[: len(frames) // 2], **request)


def received(case: Case) -> None:
    claimed(case)
    case.board.put(case.new, ("missing", "receive"))


def verifying(case: Case) -> None:
    received(case)
    case.write(phase="verify", pending=case.new.digest)


def staging(case: Case) -> None:
    received(case)
    case.write(phase="stage", pending=case.new.digest)
    half = case.board.layout.releases / (case.new.digest + ".tmp")
    half.mkdir()
    shutil.copy(case.new.files[0].path, half / "half")


def staged(case: Case) -> None:
    received(case)
    case.board.put(case.new, ("stage",))


def probing(case: Case) -> None:
    staged(case)
    case.write(phase="probe", pending=case.new.digest)


def before_the_switch(case: Case) -> None:
    staged(case)
    Server(case.board.layout).remember()
    case.write(phase="switch", pending=case.new.digest)


def switched(case: Case) -> None:
    before_the_switch(case)
    point(case.board.layout.current, "releases/" + case.new.digest)


def soaking(case: Case) -> None:
    switched(case)
    server = Server(case.board.layout)
    stamp = server.stamp()
    server.reload()
    server.wait_for(case.new.digest, stamp, 60)
    case.write(phase="soak", pending=case.new.digest)


def committed(case: Case) -> None:
    staged(case)
    case.board.put(case.new, ("switch",))


def rolled_back(case: Case) -> None:
    committed(case)
    case.board.put(case.new, ("gc", "end"))
    case.board.ok("rollback", soak_s=0)


def removed(case: Case) -> None:
    idle(case)
    case.board.ok("remove")


# What befalls it.


def nothing(case: Case) -> None:
    """The operator alone is gone."""


def supervisor_killed(case: Case) -> None:
    _kill(Server(case.board.layout).service().get("pid"))


def worker_killed(case: Case) -> None:
    _kill(Server(case.board.layout).report().get("worker"))
    until(lambda: bool(case.board.served()), "the worker was replaced", 60)


def state_torn(case: Case) -> None:
    path = case.board.layout.state
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def state_empty(case: Case) -> None:
    case.board.layout.state.write_bytes(b"")


def state_lost(case: Case) -> None:
    case.board.layout.state.unlink()


def link_lost(case: Case) -> None:
    remove(case.board.layout.current)


def link_dangling(case: Case) -> None:
    point(case.board.layout.current, "releases/" + "e" * 64)


def lease_of_another(case: Case) -> None:
    _lease(case, "bob@den", time.time() - 1)


def lease_from_the_future(case: Case) -> None:
    _lease(case, "bob@den", time.time() + 1000 * LEASE_S)


def log_torn(case: Case) -> None:
    with open(case.board.layout.log, "ab") as log:
        log.write(b'{"event":"release","na')


def blobs_damaged(case: Case) -> None:
    for path in case.board.layout.blobs.iterdir():
        if path.name not in {file.digest for file in case.old.files}:
            _flip(path)


def staged_damaged(case: Case) -> None:
    folder = case.board.layout.release(case.new.digest)
    for file in case.new.files[:1] if folder.is_dir() else ():
        _flip(folder / file.name)


def foreign_file(case: Case) -> None:
    folder = case.board.layout.release(case.new.digest)
    if folder.is_dir():
        (folder / "foreign").write_bytes(b"who put this here?")


def binding_lost(case: Case) -> None:
    remove(case.board.layout.binding(case.new.digest))


def rubbish_left(case: Case) -> None:
    layout = case.board.layout
    (layout.releases / ("d" * 64 + ".tmp")).mkdir()
    (layout.incoming / f".{case.new.digest}.x.part").write_bytes(b"noise")
    (layout.root / f".state.json.{'a' * 32}").write_bytes(b"{")


STATES: tuple[Callable[[Case], None], ...] = (
    *(bare, first_received, idle, claimed, half_received, received, verifying, staging, staged),
    *(probing, before_the_switch, switched, soaking, committed, rolled_back, removed),
)
FAULTS: tuple[Callable[[Case], None], ...] = (
    *(nothing, supervisor_killed, worker_killed, state_torn, state_empty, state_lost, link_lost),
    *(link_dangling, lease_of_another, lease_from_the_future, log_torn, blobs_damaged),
    *(staged_damaged, foreign_file, binding_lost, rubbish_left),
)
_SERVED = (supervisor_killed, worker_killed, link_lost, link_dangling)
_STAGED = (staged_damaged, foreign_file, binding_lost)
_WRITTEN = (state_torn, state_empty, state_lost, log_torn)


def cases() -> list[tuple[str, str]]:
    """The names of all that make sense: there is no file to damage before there is one."""
    found = []
    for state in STATES:
        for fault in FAULTS:
            if state in (bare, first_received, removed) and fault in _SERVED:
                continue
            if state is bare and fault in _WRITTEN:
                continue
            if fault in _STAGED and state not in (staged, probing, soaking, committed):
                continue
            if fault in _STAGED and state in (soaking, committed) and fault is not binding_lost:
                continue  # what is served and then altered is nobody's release any more
            found.append((_said(state), _said(fault)))
    return found


def run_case(state: str, fault: str, stock: Stock, root: Path) -> Tally:
    """One case: the state, the fault, the next operator, the same release once more."""
    tally = Tally("matrix", names=[f"{state} / {fault}"])
    board = FaultBoard(root, stock)
    try:
        with tally.judged(f"{state} / {fault}"):
            case = Case(board, state)
            _named(STATES, state)(case)
            _named(FAULTS, fault)(case)
            outcome = _judged(case, fault)
            tally.points[state] += 1
            tally.outcomes[outcome] += 1
    finally:
        board.end()
        shutil.rmtree(root, ignore_errors=True)
    return tally


def _judged(case: Case, fault: str) -> str:
    board = case.board
    board.token = ""
    counter = _highest(board)
    begun = board.ok("begin")
    board.token = str(begun["token"])
    current = begun["current"]
    allowed = {"", case.old.digest} if case.state != "committed" else {case.new.digest}
    require(current in allowed, f"{current[:8]} is current although it was never kept")
    require(current or not case.serves, "what was served is forgotten")
    if case.serves:
        # A server that was killed under no service manager is started by the next operator.
        board.ok("start")
        board.check_recovered(serves=True)
    require(begun["counter"] >= counter, "the release counter went back")
    board.put(case.new, REPEAT)
    require(board.check_recovered(serves=True) == case.new.digest, "the repetition is not served")
    return "new again" if current == case.new.digest else "old, then new" if current else "new"


def _highest(board: FaultBoard) -> int:
    try:
        return int(json.loads(board.layout.state.read_bytes())["counter"])
    except (OSError, ValueError):
        return 0


def _lease(case: Case, owner: str, expires: float) -> None:
    lease = {"owner": owner, "token": "0" * 32, "expires": expires}
    write_atomically(case.board.layout.lease, json.dumps(lease).encode())


def _kill(pid: int | None) -> None:
    if pid:
        os.kill(pid, signal.SIGKILL)
        until(lambda: started(pid) == "", "it is dead")


def _flip(path: Path) -> None:
    """Alter one byte, in a file of its own: the hard link elsewhere stays as it is."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)


def _said(function: Callable[[Case], None]) -> str:
    return function.__name__.replace("_", " ")


def _named(functions: tuple[Callable[[Case], None], ...], name: str) -> Callable[[Case], None]:
    return next(one for one in functions if _said(one) == name)
