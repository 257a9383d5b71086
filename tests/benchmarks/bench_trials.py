"""Error rates of trials of apps, by their own statistics on simulated events.

    python -m tests.benchmarks.bench_trials --trials 1000

Prints one JSON document. Both versions see the same crossings in two directions; one of them loses
some at random, or finds them a little later. What a trial on a board uses decides: the agreement of
events, the sequential test, and the rule for a trial whose time is over.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import product
from multiprocessing import Pool
from typing import NamedTuple

from studio.runtime.release.trial.decision import (
    KEEP,
    LONGEST,
    Counts,
    TrialDecision,
    TrialRule,
    decision,
)
from studio.runtime.release.trial.sequential import BAD, GOOD
from studio.runtime.serve.apps.shadow import EventAgreement

RULE = TrialRule(judge="agreement")
WITHIN_S = 1.0
GAPS_S = (3.0, 0.5, 0.1, 0.05)
"""Mean seconds between two events; the denser they are, the longer a simulated trial takes."""
LATE_S = (0.0, 0.1)
"""Greatest delay of an event of the new version."""
LOST = {"equal": 0.0, "2 % differ": 0.02, "10 % lost": 0.1}
PLENTY = 5_000
FEW = (20, 40, 60)
"""Events in the usual time of a trial that may end undecided."""


class Scene(NamedTuple):
    """What two versions see.

    Attributes:
        gap_s: Mean time between two events.
        late_s: Greatest delay of those of the new version.
        lost: Share that the new version loses.
    """

    gap_s: float
    late_s: float
    lost: float


def counts(scene: Scene, seed: int) -> Iterator[Counts]:
    """Yield what a board has counted after each event."""
    chance, seen, at = random.Random(seed), EventAgreement(WITHIN_S, ("direction",)), 0.0
    while True:
        at += chance.expovariate(1 / scene.gap_s)
        event = {"kind": "crossing", "at_s": at, "direction": chance.choice(["in", "out"])}
        found = {**event, "at_s": at + chance.random() * scene.late_s}
        seen.add([found] if chance.random() >= scene.lost else [], [event], at)
        yield Counts(seen.compared - seen.agreed, seen.compared)


def trial(scene: Scene, events: int, seed: int) -> tuple[str, int]:
    """Hold one trial; return its decision, and the number of events until then.

    Args:
        events: In the usual time.
    """
    judge = TrialDecision(RULE)
    for number, seen in enumerate(counts(scene, seed), 1):
        findings = judge.findings({"agreement": seen})
        found = decision(findings)
        if found in (GOOD, BAD):
            return ("kept" if found == GOOD else "rolled back"), number
        if number >= events:
            end = judge.when_over(findings, number >= LONGEST * events)
            if end == KEEP:
                return "kept undecided", number
            if end != "open":
                return "rolled back at the end", number
    raise AssertionError


def rates(scene: Scene, events: int, trials: int) -> dict[str, object]:
    """Return how many trials ended how, and how long they were."""
    ends = [trial(scene, events, seed) for seed in range(trials)]
    numbers = sorted(number for _, number in ends)
    return {
        "events_median": numbers[trials // 2],
        "events_p95": numbers[trials * 95 // 100],
        **Counter(end for end, _ in ends),
    }


def main() -> int:
    """Simulate all scenes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=1000, help="of each scene")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--gaps", type=float, nargs="*", default=GAPS_S, help="s between events")
    given = parser.parse_args()
    plenty = {
        f"{name}, one event in {gap} s, up to {late} s late": (Scene(gap, late, lost), PLENTY)
        for (name, lost), gap, late in product(LOST.items(), given.gaps, LATE_S)
    }
    few = {
        f"{name}, {events} events": (Scene(3.0, 0.0, lost), events)
        for (name, lost), events in product(LOST.items(), FEW)
    }
    jobs = [(*job, given.trials) for job in (*plenty.values(), *few.values())]
    with Pool(given.workers) as pool:
        found = pool.starmap(rates, jobs, chunksize=1)
    decided = dict(zip(plenty, found, strict=False))
    short = dict(zip(few, found[len(plenty) :], strict=True))
    rule = {key: getattr(RULE, key) for key in ("disagreement_ok", "disagreement", "alpha", "beta")}
    document = {
        "name": "trials", "rule": rule, "longest": LONGEST, "trials": given.trials,
        "decided by the test": decided, "time over": short,
    }  # fmt: skip
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
