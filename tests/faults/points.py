"""A fault at every single change that the board's side of a release makes.

strace makes one call of one kind fail, or kills the release machine as it makes it; then the next,
until the command comes through untouched. Calls of each kind are counted apart: a rule for several
kinds at once would stop at whichever is reached first, and never come to the others.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.packages import Bundle
from studio.runtime.shared.chained_log import Journal
from studio.runtime.shared.log_segments import SEAL_BYTES
from tests.faults.board import FaultBoard, Stock
from tests.faults.tally import Tally, require

FAULTS = {"SIGKILL": "signal=KILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
CALLS = (
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "chmod", "fchmod", "fchmodat"),
    *("fsync", "fdatasync", "sync", "truncate", "ftruncate", "write", "pwrite64", "sendfile"),
)
"""Calls that change a file system (and what a command says)."""

MOST = 200
DEPLOY = ("begin", "missing", "receive", "stage", "probe", "switch", "gc", "end")
REPEAT = ("begin", "missing", "receive", "stage", "switch", "gc", "end")


@dataclass(frozen=True)
class Unit:
    """One verb of one story under one kind of fault.

    Attributes:
        story: ``first``, ``next``, ``rollback``, ``undeploy``, ``purge``, ``gc``, and ``seal``: the
            next deploy whose record is full, so that the verb seals a part and drops the oldest.
    """

    story: str
    verb: str
    fault: str


def which_one(current: str, old: str) -> str:
    """What is current after a fault: nothing where a first release did not come through."""
    return "nothing" if not current else "old" if current == old else "new"


def units() -> Iterator[Unit]:
    """All of them, the longest first."""
    for story in ("first", "next"):
        for verb in ("switch", "stage", "receive", "gc", "begin", "end", "missing", "probe"):
            for fault in FAULTS:
                yield Unit(story, verb, fault)
    for story, verb in (
        ("undeploy", "remove"),
        ("purge", "remove"),
        ("rollback", "rollback"),
        ("gc", "gc"),
        ("seal", "switch"),
    ):
        for fault in FAULTS:
            yield Unit(story, verb, fault)


def run_unit(
    unit: Unit,
    stock: Stock,
    folder: Path,
    *,
    quick: bool = True,
    most: int = MOST,
    enough: int = MOST,
    only: tuple[str, ...] = CALLS,
) -> Tally:
    """Every point of a unit.

    Args:
        quick: False for a mutant of the application: all verbs run from its file.
        most: So many points of each call at most, for a sample.
        enough: After so many violations the rest is left out.
        only: These calls alone.
    """
    tally = Tally("points")
    story = Story(unit, stock, folder, quick)
    try:
        for call in [call for call in story.calls() if call in only]:
            for number in range(1, most + 1):
                what = f"{unit.story}/{unit.verb}: {unit.fault} at {call} {number}"
                fired = False
                before = len(tally.violations)
                with tally.judged(what):
                    fired, outcome = story.point(call, number)
                    if fired:
                        tally.points[f"{unit.story} {unit.fault}"] += 1
                        tally.outcomes[f"{unit.story}: {outcome}"] += 1
                if len(tally.violations) >= enough:
                    return tally
                if len(tally.violations) > before:
                    tally.points[f"{unit.story} {unit.fault}"] += 1
                    story.fresh()
                elif not fired:
                    break
            else:
                if most == MOST:
                    tally.violations.append(f"{unit}: more than {MOST} calls of {call}")
    finally:
        story.board.end()
    return tally


class Story:
    """A board that is brought to the verb again and again; each time the verb meets a fault."""

    def __init__(self, unit: Unit, stock: Stock, folder: Path, quick: bool) -> None:
        self._unit = unit
        self._stock = stock
        self._folder = folder
        self._quick = quick
        self._boards = 0
        self._number = 0
        self._trace = folder / "trace"
        folder.mkdir(parents=True, exist_ok=True)
        self.board = self._new()

    def fresh(self) -> None:
        """Go on with another board: something is wrong with this one."""
        self.board.end()
        shutil.rmtree(self.board.layout.root, ignore_errors=True)
        self.board = self._new()

    def calls(self) -> list[str]:
        """The kinds of calls that the verb makes."""
        found = self._once(["strace", "-qq", "-o", str(self._trace), "-e", _traced(CALLS)])
        require(found[0], "the verb does not come through without a fault")
        names = re.findall(r"^(\w+)\(", self._trace.read_text(), re.MULTILINE)
        return [call for call in CALLS if call in names]

    def point(self, call: str, number: int) -> tuple[bool, str]:
        """Whether the fault took effect, and what was found.

        Raises:
            Violation: when something does not hold that must.
        """
        rule = f"inject={call}:{FAULTS[self._unit.fault]}:when={number}"
        under = ["strace", "-qq", "-o", str(self._trace), "-e", _traced((call,)), "-e", rule]
        came_through, outcome = self._once(under)
        fired = bool(re.search(r"INJECTED|killed by SIGKILL", self._trace.read_text()))
        require(fired or came_through, "it failed although nothing was done to it")
        return fired, outcome

    def _once(self, under: list[str]) -> tuple[bool, str]:
        """The verb under a tracer, the look, the repetition; whether it came through."""
        bundle = self._prepare()
        board, unit = self.board, self._unit
        old = board.layout.linked()
        serves = unit.story not in ("first", "undeploy", "purge")
        counter, noted = self._counter(), self._noted()
        if unit.verb in ("rollback", "remove"):
            frames, request = b"", {"soak_s": 0, "purge": unit.story == "purge", "seconds": 5}
        else:
            frames, request = board.request(unit.verb, bundle)
        answer = board.attempt(unit.verb, frames, under, **request)
        board.check_now(serves=serves)
        board.token = ""
        board.step("begin", bundle)
        current = board.check_recovered(serves=serves)
        if unit.story == "purge":
            require(self._counter() in (0, counter), "the release counter went back")
        elif unit.story != "rollback":
            require(self._counter() >= counter, "the release counter went back")
        require(self._noted() >= noted, "entries of the record are lost")
        self._repeat(bundle)
        said = "unheard" if answer is None else "failed" if answer["event"] == "error" else "done"
        result = answer is not None and answer["event"] == "result"
        return result, f"{which_one(current, old)} after {said}"

    def _prepare(self) -> Bundle:
        unit = self._unit
        if unit.story == "first":
            self.fresh()
        elif unit.story in ("undeploy", "purge") and not self.board.layout.linked():
            self._deploy()
        self._number += 1
        bundle = self._stock.numbered(self._number)
        if unit.story in ("first", "next", "seal"):
            self.board.put(bundle, DEPLOY[: DEPLOY.index(unit.verb)])
            if unit.story == "seal":
                self._journal().append("filler", text="x" * SEAL_BYTES)
        elif unit.story == "gc":
            self.board.put(bundle, REPEAT[: REPEAT.index("gc")])
            (self.board.layout.incoming / ".left.part").write_bytes(b"left")
            (self.board.layout.releases / ("f" * 64 + ".tmp")).mkdir(exist_ok=True)
        elif unit.story == "rollback":
            self._number -= 1
            bundle = self._deploy()
        return bundle

    def _repeat(self, bundle: Bundle) -> None:
        """What was interrupted is simply done again, and must succeed."""
        board, story = self.board, self._unit.story
        if story in ("undeploy", "purge"):
            board.token = ""
            board.ok("remove", purge=story == "purge", seconds=5)
            require(not board.served(), "it is served although it was taken away")
            require(not board.layout.linked(), "the link is there although it was taken away")
            if story == "purge":
                left = sorted(path.name for path in board.layout.blobs.iterdir())
                require(not left, f"blobs are left: {left}")
                self.board.runtime.write_bytes(self._stock.runtime.read_bytes())
            return
        if story == "rollback":
            if board.layout.linked() == bundle.digest:
                board.ok("rollback", soak_s=0)
            require(board.layout.linked() != bundle.digest, "it was not taken back")
            board.step("end", bundle)
        else:
            board.put(bundle, REPEAT)
            require(board.served() == bundle.digest, "the repeated deploy is not served")
        board.check_now(serves=True)

    def _deploy(self) -> Bundle:
        self._number += 1
        bundle = self._stock.numbered(self._number)
        self.board.put(bundle, REPEAT)
        return bundle

    def _journal(self) -> Journal:
        return Journal(self.board.layout.log, self.board.layout.sealed)

    def _noted(self) -> int:
        """How many entries the record had in all."""
        return int(self._journal().stand()["entries"])

    def _counter(self) -> int:
        return int(self.board.state["counter"]) if self.board.layout.state.exists() else 0

    def _new(self) -> FaultBoard:
        self._boards += 1
        root = self._folder / f"board-{self._boards}"
        self.board = FaultBoard(root, self._stock, quick=self._quick)
        if self._unit.story != "first":
            self._deploy()
            self._deploy()
        return self.board


def _traced(calls: tuple[str, ...]) -> str:
    """A rule of strace; not every processor's kernel has every call."""
    return "trace=" + ",".join(f"?{call}" for call in calls)


def traces() -> bool:
    """Whether strace works here."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0
