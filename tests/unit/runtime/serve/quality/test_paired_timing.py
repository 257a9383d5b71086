"""Which of two sessions is slower, told beside disturbances that come, stay and go."""

from __future__ import annotations

import numpy as np
import pytest

from studio.runtime.release.trial.decision import Counts, TrialDecision, TrialRule, decision
from studio.runtime.release.trial.sequential import BAD, GOOD, OPEN
from studio.runtime.serve.quality.paired_timing import COLD, STRETCH_S, PairedTiming, pair

RULE = TrialRule(judge="latency")
BEAT_S = 0.02
"""From pair to pair: what a fifth of a core allows for a run of a fifth of a millisecond."""


class Machine:
    """A clock that runs are added to, with disturbances as they were seen on a shared machine.

    Now and then, for some 50 ms to some seconds, each run takes up to twice as long; and the
    session that no client uses is found cold in most turns, now and then for a while.
    """

    def __init__(self, seed: int, ratio: float) -> None:
        self._draws = np.random.default_rng(seed)
        self._ratio = ratio
        self._ends = [0.0, 0.0]
        self._slow = [1.0, 1.0]
        self.now = 0.0

    def _state(self, which: int, calm_s: float, bad_s: float, most: float) -> float:
        if self.now >= self._ends[which]:
            bad = self._slow[which] == 1.0
            self._slow[which] = float(self._draws.uniform(1.0, most)) if bad else 1.0
            self._ends[which] = self.now + float(self._draws.exponential(bad_s if bad else calm_s))
        return self._slow[which]

    def pair(self) -> tuple[float, float]:
        self.now += BEAT_S
        both = self._state(0, 0.5, 0.3, 2.0)
        cold = self._state(1, 2.0, 0.3, 1.5)
        noise = 1.0 + np.abs(self._draws.normal(0, 0.05, 2)) * (self._draws.random(2) < 0.3)
        new, old = noise * both * 1e-4
        return float(new * self._ratio), float(old * cold)


def decided(machine: Machine, race: PairedTiming) -> str:
    quality = TrialDecision(RULE)
    while machine.now < 60.0:
        race.add((), machine.pair())
        said = decision(quality.findings({"latency": Counts(race.slower, race.stretches)}))
        if said != OPEN:
            return said
    return OPEN


@pytest.mark.parametrize(
    ("ratio", "expected"), [(1.0, GOOD), (1.05, GOOD), (1.2, BAD), (1.34, BAD)]
)
def test_disturbances_do_not_decide(ratio: float, expected: str) -> None:
    found = []
    for seed in range(100):
        machine = Machine(seed, ratio)
        found.append(decided(machine, PairedTiming(RULE.beyond, lambda m=machine: m.now)))
    assert found.count(expected) >= 99, found


def test_a_stretch_counts_once_however_many_pairs_it_has() -> None:
    now = [0.0]
    race = PairedTiming(1.1, lambda: now[0])
    for _ in range(COLD):
        race.add((), (9.0, 1.0))
    for _ in range(100):
        now[0] += STRETCH_S / 99.0
        race.add((), (2.0, 1.0))
    assert (race.stretches, race.slower, race.ratio) == (1, 1, 2.0)


def test_each_pair_of_a_slow_model_is_a_stretch() -> None:
    now = [0.0]
    race = PairedTiming(1.1, lambda: now[0])
    for _ in range(COLD + 3):
        now[0] += 10.0
        race.add((), (1.0, 1.0))
    assert (race.stretches, race.slower) == (3, 0)


def test_inputs_of_other_shapes_are_not_mixed_up() -> None:
    """Of two lengths each comes alone to one of the sessions' quintiles, unless they are apart."""
    now = [0.0]
    race = PairedTiming(1.1, lambda: now[0])
    for number in range(COLD + 100):
        now[0] += STRETCH_S / 20
        size = 1.0 if number % 7 else 50.0
        race.add((1, size), (1.2 * size, size))
    assert race.ratio == pytest.approx(1.2)
    assert race.slower == race.stretches > 0


def test_a_clock_that_is_too_coarse_says_nothing() -> None:
    race = PairedTiming(1.1, lambda: 100.0)
    found = pair([lambda: None, lambda: None], lambda: 0.0)
    assert found == (0.0, 0.0)
    for _ in range(20):
        race.add((), found)
    assert race.stretches == 0
    assert race.ratio is None


def test_a_pair_takes_the_least_of_its_turns_in_changing_order() -> None:
    now, order = [0.0], []
    costs = {0: iter([5.0, 1.0, 5.0]), 1: iter([2.0, 9.0, 9.0])}

    def run(which: int) -> None:
        order.append(which)
        now[0] += next(costs[which]) * 1e-2

    found = pair([lambda: run(0), lambda: run(1)], lambda: now[0])
    assert found == pytest.approx((0.01, 0.02))
    assert order == [1, 0, 0, 1]
