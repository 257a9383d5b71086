"""Records of decisions for the tests."""

from __future__ import annotations

import time
from pathlib import Path

from studio.runtime.decisions.chain import ChainCheck, ChainFault
from studio.runtime.decisions.entry import DECISION
from studio.runtime.decisions.log import DecisionLog, Draft, lines_of, segments_of


def decision(number: int, at: float | None = None, **facts: object) -> Draft:
    """The answer to one request."""
    kept = {"request": f"r{number}", "input": f"{number:064x}", "model": "m", **facts}
    return Draft(DECISION, time.time() if at is None else at, kept)


def filled(folder: Path, count: int = 12, segment_bytes: int = 1500) -> DecisionLog:
    """A record of several segments."""
    log = DecisionLog(folder, segment_bytes)
    for number in range(1, count + 1):
        log.append([decision(number)])
    return log


def fault_in(folder: Path) -> ChainFault | None:
    """The first fault of a record."""
    check = ChainCheck()
    for segment in segments_of(folder):
        for number, line in enumerate(lines_of(segment.path), 1):
            check.add(line, segment.name, number)
    return check.finish()


def whole_text(folder: Path) -> str:
    """All that is on the disk."""
    return "".join(one.path.read_text() for one in segments_of(folder))
