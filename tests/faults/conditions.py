"""What is wrong with the board itself: a full disk, no memory, a wrong clock, foreign programs."""

from __future__ import annotations

import os
import shutil
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from tests.faults.board import FaultBoard, Stock
from tests.faults.points import DEPLOY, REPEAT
from tests.faults.tally import Tally, require
from tests.rigs.disks import fill, small_disk

YEARS = (-30, -1, 1, 30)
FREE_BYTES = (0, 20_000, 60_000, 120_000, 200_000, 400_000, 4_300_000)
"""Left on the disk as the deploy begins."""

_DISK_MB = 24
_LITTLE_MEMORY_KB = 60_000
_AARCH64 = 183

_SHIFTED = """\
import runpy, sys, time
shift = float(sys.argv[1])
real = time.time
time.time = lambda: real() + shift
sys.argv = sys.argv[2:]
sys.path.insert(0, sys.argv[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""

Condition = Callable[[Stock, Path], str]


def conditions() -> list[tuple[str, Condition]]:
    """All of them by name."""
    return [
        *((f"disk with {free:,} bytes free", _full(free)) for free in FREE_BYTES),
        *((f"disk full at {verb}", _full_at(verb)) for verb in DEPLOY),
        *((f"disk full before {verb}", _way_back(verb)) for verb in ("rollback", "remove")),
        *((f"clock {years:+} years off", _clock(years)) for years in YEARS),
        ("probe out of memory", _no_memory),
        ("probe killed for its memory", _probe_killed),
        ("interpreter of another architecture", _foreign_interpreter),
        ("interpreter that is gone", _no_interpreter),
        ("read-only file system", _read_only),
    ]


def run_condition(name: str, condition: Condition, stock: Stock, folder: Path) -> Tally:
    """One of them."""
    tally = Tally("conditions", names=[name])
    folder.mkdir(parents=True)
    try:
        with tally.judged(name):
            outcome = condition(stock, folder)
            tally.points[name.partition(" ")[0]] += 1
            tally.outcomes[outcome] += 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tally


@contextmanager
def _serving(stock: Stock, root: Path) -> Iterator[FaultBoard]:
    board = FaultBoard(root, stock)
    try:
        board.put(stock.numbered(1), REPEAT)
        yield board
    finally:
        board.end()


def _disk(folder: Path) -> AbstractContextManager[Path]:
    return small_disk(folder / "disk", _DISK_MB)


def _tried(board: FaultBoard, verbs: Sequence[str]) -> str:
    """Deploy the next version as far as it goes; the sentence with which it ends, if it does."""
    bundle = board.stock.numbered(2)
    for verb in verbs:
        try:
            frames, request = board.request(verb, bundle)
            answer = board.call(verb, frames, **request)
        except AssertionError as error:
            return _checked(str(error))
        if answer["event"] == "error":
            return _checked(str(answer))
        if verb == "begin":
            board.token = str(answer["token"])
    return ""


def _checked(text: str) -> str:
    require("internal" not in text and "Traceback" not in text, f"it is not explained: {text}")
    return text


def _afterwards(board: FaultBoard, refusal: str) -> str:
    """All is well again: the same deploy is simply repeated."""
    board.check_now(serves=True)
    board.token = ""
    board.put(board.stock.numbered(2), REPEAT)
    require(board.served() == board.stock.numbered(2).digest, "the repetition is not served")
    board.check_now(serves=True)
    return "refused, then done" if refusal else "done at once"


def _full(free: int) -> Condition:
    def condition(stock: Stock, folder: Path) -> str:
        with _disk(folder) as place, _serving(stock, place / "root") as board:
            filler = fill(place, free)
            refusal = _tried(board, DEPLOY)
            board.check_now(serves=True)
            if refusal:
                require("disk" in refusal.lower(), f"it does not speak of the disk: {refusal}")
            filler.unlink()
            return _afterwards(board, refusal)

    return condition


def _full_at(verb: str) -> Condition:
    def condition(stock: Stock, folder: Path) -> str:
        with _disk(folder) as place, _serving(stock, place / "root") as board:
            board.put(stock.numbered(2), DEPLOY[: DEPLOY.index(verb)])
            filler = fill(place, 0)
            refusal = _tried(board, [verb])
            board.check_now(serves=True)
            filler.unlink()
            return _afterwards(board, refusal)

    return condition


def _way_back(verb: str) -> Condition:
    """A full disk keeps nobody from serving the release before, or none."""

    def condition(stock: Stock, folder: Path) -> str:
        with _disk(folder) as place, _serving(stock, place / "root") as board:
            board.put(stock.numbered(2), REPEAT)
            filler = fill(place, 0)
            answer = board.call(verb, b"", soak_s=0, seconds=5)
            require(answer["event"] == "result", f"{verb} on a full disk: {answer}")
            wanted = stock.numbered(1).digest if verb == "rollback" else ""
            require(board.served() == wanted, "another one is served")
            filler.unlink()
            board.put(stock.numbered(3), REPEAT)
            require(board.layout.reserve.stat().st_size > 0, "the reserve was not made again")
        return "done at once"

    return condition


def _clock(years: int) -> Condition:
    def condition(stock: Stock, folder: Path) -> str:
        with _serving(stock, folder / "root") as board:
            bundle = stock.numbered(2)
            under = [sys.executable, "-c", _SHIFTED, str(years * 31_557_600.0)]
            for verb in DEPLOY:
                frames, request = board.request(verb, bundle)
                # In place of the interpreter alone: the rest of the command line follows.
                answer = _as_program(board, under, verb, frames, request)
                require(answer["event"] == "result", f"{verb}: {answer}")
                if verb == "begin":
                    board.token = str(answer["token"])
            require(board.served() == bundle.digest, "it is not served")
            # The clock is set right: a claim from another time may keep nobody out.
            board.token, board.owner = "", "bob@den"
            board.put(stock.numbered(3), REPEAT)
            board.check_now(serves=True)
        return "done at once"

    return condition


def _as_program(
    board: FaultBoard, under: list[str], verb: str, frames: bytes, request: dict[str, Any]
) -> dict[str, Any]:
    class Shifted(FaultBoard):
        @property
        def command(self) -> list[str]:
            return [str(self.runtime), "release"]

    kind, board.__class__ = board.__class__, Shifted
    try:
        answer = board.attempt(verb, frames, under, **request)
    finally:
        board.__class__ = kind
    require(answer is not None, f"{verb} said nothing")
    assert answer is not None
    return answer


def _no_memory(stock: Stock, folder: Path) -> str:
    with _serving(stock, folder / "root") as board:
        bundle = stock.numbered(2)
        board.put(bundle, DEPLOY[: DEPLOY.index("probe")])
        limit = ["sh", "-c", f'ulimit -v {_LITTLE_MEMORY_KB}; exec "$@"', "sh"]
        answer = board.attempt("probe", b"", limit, release=bundle.digest)
        require(answer and answer["event"] == "error", f"the probe did not fail: {answer}")
        return _afterwards(board, _checked(str(answer)))


def _probe_killed(stock: Stock, folder: Path) -> str:
    with _serving(stock, folder / "root") as board:
        bundle = stock.numbered(2)
        board.put(bundle, DEPLOY[: DEPLOY.index("probe")])
        shot = folder / "python"
        shot.write_text("#!/bin/sh\nkill -9 $$\n")
        shot.chmod(0o755)
        answer = _with_interpreter(board, str(shot))
        require("SIGKILL" in str(answer), f"it does not say how it ended: {answer}")
        return _afterwards(board, _checked(str(answer)))


def _foreign_interpreter(stock: Stock, folder: Path) -> str:
    with _serving(stock, folder / "root") as board:
        board.put(stock.numbered(2), DEPLOY[: DEPLOY.index("probe")])
        foreign = folder / "python"
        content = bytearray(Path(os.path.realpath(sys.executable)).read_bytes())
        struct.pack_into("<H", content, 18, _AARCH64)
        foreign.write_bytes(content)
        foreign.chmod(0o755)
        return _afterwards(board, _refused(_with_interpreter(board, str(foreign))))


def _no_interpreter(stock: Stock, folder: Path) -> str:
    with _serving(stock, folder / "root") as board:
        board.put(stock.numbered(2), DEPLOY[: DEPLOY.index("probe")])
        return _afterwards(board, _refused(_with_interpreter(board, str(folder / "gone"))))


def _with_interpreter(board: FaultBoard, python: str) -> dict[str, Any]:
    """Stage the next version for an interpreter, and try it with that."""
    bundle = board.stock.numbered(2)
    board.ok("stage", manifest=bundle.text, runtime=board.runtime.stem, python=python)
    return board.call("probe", release=bundle.digest)


def _refused(answer: dict[str, Any]) -> str:
    require(answer["event"] == "error", f"it was not refused: {answer}")
    require("cannot be run" in answer["message"], f"it does not say why: {answer}")
    return _checked(str(answer))


def _read_only(stock: Stock, folder: Path) -> str:
    with _disk(folder) as place, _serving(stock, place / "root") as board:
        # The server writes there, too, so the disk is shown to the verbs read-only.
        view = 'mount -o remount,ro,bind "$0" && exec "$@"'
        bind = f'mount --bind "{place}" "{place}" && cd / && '
        under = ["unshare", "--mount", "sh", "-c", bind + view, str(place)]
        answer = board.attempt("begin", b"", under, release="")
        require(answer and answer["event"] == "error", f"it was not refused: {answer}")
        text = _checked(str(answer))
        require("cannot be written" in text, f"it does not say why: {text}")
        return _afterwards(board, text)
