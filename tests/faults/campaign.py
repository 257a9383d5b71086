"""All parts of the campaign as units of work, spread over the processors."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.faults import conditions, links, matrix, mutants, points, races, upkeep
from tests.faults.board import Stock
from tests.faults.tally import Tally

PARTS = ("mutants", "power", "points", "links", "matrix", "conditions", "races", "upkeep")
RACES = 50
_LINKS_EACH = 17
_CASES_EACH = 10

LEAST = {
    "points": 500,
    "matrix": 100,
    "links": 200,
    "races": RACES,
    "conditions": 20,
    "mutants": 2,
    "power": 1,
    "upkeep": upkeep.MOMENTS * len(upkeep.STORIES),
}
"""Faults that must have taken effect in a whole campaign."""

BOTH = {
    "next": ("old after", "new after"),
    "first": ("nothing after", "new after"),
    "rollback": ("old after", "new after"),
    "seal": ("old after", "new after"),
}
"""Outcomes of a story of which each must have been seen: else no fault ever struck in the midst."""


@dataclass(frozen=True)
class Work:
    """One unit, as it is sent to another process.

    Attributes:
        most: So many points of each call at most.
    """

    part: str
    what: Any
    seed: int
    most: int = points.MOST


@dataclass
class Campaign:
    """What was counted.

    Attributes:
        whole: Whether the least counts are to be met.
    """

    whole: bool
    tallies: dict[str, Tally] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, tally: Tally) -> None:
        """One more unit has ended."""
        self.tallies.setdefault(tally.part, Tally(tally.part)).add(tally)

    @property
    def violations(self) -> list[str]:
        """What did not hold; also that too little was tried."""
        found = [text for tally in self.tallies.values() for text in tally.violations]
        for part, tally in self.tallies.items() if self.whole else ():
            if tally.total < LEAST[part]:
                found.append(f"only {tally.total} faults of {part}, not {LEAST[part]}")
        if self.whole and "points" in self.tallies:
            seen = list(self.tallies["points"].outcomes)
            found += [
                f"{story}: {kind} a fault was never seen"
                for story, kinds in BOTH.items()
                for kind in kinds
                if not any(one.startswith(f"{story}: {kind}") for one in seen)
            ]
        return found

    def to_json(self) -> Mapping[str, Any]:
        """For machines."""
        return {
            "points": sum(tally.total for tally in self.tallies.values()),
            "violations": self.violations,
            "seconds": round(self.seconds, 1),
            "parts": {name: tally.to_json() for name, tally in sorted(self.tallies.items())},
        }


def works(parts: Sequence[str], seed: int) -> Iterator[Work]:
    """The units of some parts, the long ones first."""
    if "points" in parts:
        for unit in points.units():
            yield Work("points", unit, seed)
    if "upkeep" in parts:
        for story in upkeep.STORIES:
            yield Work("upkeep", story, seed, most=upkeep.MOMENTS)
    if "links" in parts:
        strikes = links.strikes(seed)
        for first in range(0, len(strikes), _LINKS_EACH):
            yield Work("links", strikes[first : first + _LINKS_EACH], seed)
    if "mutants" in parts:
        for mutant in mutants.MUTANTS:
            yield Work("mutants", mutant.name, seed)
    if "power" in parts:
        yield Work("power", None, seed)
    if "matrix" in parts:
        cases = matrix.cases()
        for first in range(0, len(cases), _CASES_EACH):
            yield Work("matrix", cases[first : first + _CASES_EACH], seed)
    if "conditions" in parts:
        for name, _ in conditions.conditions():
            yield Work("conditions", name, seed)
    if "races" in parts:
        for number in range(RACES):
            yield Work("races", number, seed)


def sample(seed: int) -> Iterator[Work]:
    """A little of each kind that needs no network, for every run of the tests."""
    yield Work("points", points.Unit("next", "switch", "SIGKILL"), seed, most=2)
    yield Work("points", points.Unit("next", "stage", "EIO"), seed, most=1)
    yield Work("points", points.Unit("seal", "switch", "SIGKILL"), seed, most=2)
    yield Work("points", points.Unit("rollback", "rollback", "ENOSPC"), seed, most=1)
    yield Work("matrix", matrix.cases()[7::37], seed)
    yield Work("power", None, seed)
    for mutant in mutants.MUTANTS[1:4:2]:
        yield Work("mutants", mutant.name, seed)
    disk = ("disk full at switch", "disk full before rollback")
    for name in (*disk, "interpreter of another architecture"):
        yield Work("conditions", name, seed)
    for number in range(2):
        yield Work("races", number, seed)


def run(
    chosen: Sequence[Work],
    folder: Path,
    *,
    whole: bool,
    processes: int = 0,
    tell: Callable[[str], None] = lambda text: None,
) -> Campaign:
    """Do the work.

    Args:
        processes: 0 for as many as there are processors.
        tell: Hears of each unit that has ended.
    """
    campaign, began = Campaign(whole), time.monotonic()
    stock = Stock.make(folder / "stock")
    pool = ProcessPoolExecutor(processes or len(os.sched_getaffinity(0)), get_context("spawn"))
    with pool:
        waiting = {
            pool.submit(_one, work, stock, folder / f"work-{number}"): work
            for number, work in enumerate(chosen)
        }
        for count, done in enumerate(as_completed(waiting), 1):
            tally = done.result()
            campaign.add(tally)
            text = f"{count}/{len(waiting)} {tally.part}: {tally.total} points"
            tell("\n".join([text, *(f"  VIOLATION {one}" for one in tally.violations)]))
    campaign.seconds = time.monotonic() - began
    return campaign


def _one(work: Work, stock: Stock, folder: Path) -> Tally:
    """One unit, in a process of the pool."""
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    sys.stdout.flush()
    try:
        return _done(work, stock, folder)
    except Exception as error:  # a campaign goes on, and says so in the end
        text = f"{work.part} {work.what}: {type(error).__name__}: {error}"
        return Tally(work.part, violations=[text[:2000]])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _done(work: Work, stock: Stock, folder: Path) -> Tally:
    if work.part == "points":
        return points.run_unit(work.what, stock, folder, most=work.most)
    if work.part == "links":
        return links.run_strikes(work.what, stock, folder)
    if work.part == "mutants":
        mutant = next(one for one in mutants.MUTANTS if one.name == work.what)
        return mutants.run_mutant(mutant, stock, folder)
    if work.part == "power":
        return mutants.run_flushes(stock, folder)
    if work.part == "conditions":
        condition = dict(conditions.conditions())[work.what]
        return conditions.run_condition(work.what, condition, stock, folder)
    if work.part == "upkeep":
        return upkeep.run_story(work.what, folder, work.most)
    if work.part == "races":
        return races.run_race(work.what, work.seed, stock, folder)
    tally = Tally("matrix")
    for state, fault in work.what:
        tally.add(matrix.run_case(state, fault, stock, folder / "case"))
    return tally
