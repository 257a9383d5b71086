"""Deliberately broken release machines: a campaign that finds nothing wrong with them is blind."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.faults import durability
from tests.faults.board import FaultBoard, Stock
from tests.faults.points import DEPLOY, REPEAT, Unit, run_unit
from tests.faults.tally import Tally


@dataclass(frozen=True)
class Mutant:
    """A change of one module.

    Attributes:
        search: Looks for violations with the broken application; returns them.
    """

    name: str
    module: str
    old: str
    new: str
    search: Callable[[Stock, Path], list[str]]


def flushes(stock: Stock, folder: Path) -> list[str]:
    """What a power cut could undo in any verb of a second deploy."""
    board = FaultBoard(folder / "board", stock, quick=False)
    found = []
    try:
        board.put(stock.numbered(1), REPEAT)
        bundle = stock.numbered(2)
        for verb in DEPLOY:
            log = folder / f"{verb}.trace"
            frames, request = board.request(verb, bundle)
            answer = board.attempt(verb, frames, durability.command(log), **request)
            assert answer is not None, f"{verb} said nothing under the tracer"
            assert answer["event"] == "result", answer
            if verb == "begin":
                board.token = str(answer["token"])
            trace = log.read_text(errors="replace")
            found += [
                f"{verb}: {one}"
                for one in durability.undone_by_a_power_cut(trace, board.layout.root)
            ]
        board.token = ""
    finally:
        board.end()
    return found


def kills(*calls: str) -> Callable[[Stock, Path], list[str]]:
    """Killed at these calls of the next deploy's switch."""

    def search(stock: Stock, folder: Path) -> list[str]:
        unit, bounds = Unit("next", "switch", "SIGKILL"), {"most": 8, "enough": 1}
        return run_unit(unit, stock, folder / "kills", quick=False, only=calls, **bounds).violations

    return search


MUTANTS = (
    Mutant(
        "the release is switched to before the state says so",
        "release/switch.py",
        "    board.save(board.state.at(state.SWITCH, what.digest))\n    try:\n",
        "    link(board, what.digest)\n"
        "    board.save(board.state.at(state.SWITCH, what.digest))\n    try:\n",
        kills("rename"),
    ),
    Mutant(
        "the state is written in place",
        "release/store/state.py",
        "    write_atomically(layout.state, text.encode())\n",
        "    with open(str(layout.state), 'w') as file:\n        file.write(text)\n",
        kills("write"),
    ),
    Mutant(
        "what was interrupted is not taken back",
        "release/switch.py",
        "        _restore(board, Server(board.layout), now.current)\n    elif",
        "        pass\n    elif",
        kills("rename"),
    ),
    Mutant(
        "content is not flushed before the rename",
        "shared/files.py",
        "            file.flush()\n            os.fsync(file.fileno())\n",
        "            file.flush()\n",
        flushes,
    ),
    Mutant(
        "the folder is not flushed after the rename",
        "shared/files.py",
        "        remove(aside)\n        raise\n    sync(path.parent)\n",
        "        remove(aside)\n        raise\n",
        flushes,
    ),
)


def run_mutant(mutant: Mutant, stock: Stock, folder: Path) -> Tally:
    """A mutant that is not caught is a violation."""
    tally = Tally("mutants", names=[mutant.name])
    folder.mkdir(parents=True)
    try:
        broken = replace(stock, runtime=_broken(mutant, stock.runtime, folder))
        found = mutant.search(broken, folder)
        tally.points["mutants"] += 1
        tally.outcomes["caught" if found else "not caught"] += 1
        if not found:
            tally.violations.append(f"a mutant was not caught: {mutant.name}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tally


def run_flushes(stock: Stock, folder: Path) -> Tally:
    """The machine itself under the same eye."""
    tally = Tally("power")
    folder.mkdir(parents=True)
    found = flushes(stock, folder)
    tally.points["verbs traced"] += len(DEPLOY)
    tally.outcomes["nothing can be undone" if not found else "undone"] += 1
    tally.violations += found
    shutil.rmtree(folder, ignore_errors=True)
    return tally


def _broken(mutant: Mutant, application: Path, folder: Path) -> Path:
    path, changed = folder / "mutant.pyz", 0
    with zipfile.ZipFile(application) as whole, zipfile.ZipFile(path, "w") as made:
        for member in whole.infolist():
            content = whole.read(member)
            if member.filename.endswith("/" + mutant.module):
                text = content.decode()
                changed += text.count(mutant.old)
                content = text.replace(mutant.old, mutant.new).encode()
            made.writestr(member, content)
    assert changed == 1, f"the place to break is there {changed} times: {mutant.name}"
    return path
