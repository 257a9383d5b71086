"""Verdicts: simulated studies on a busy machine, the margin, Holm, what has too few rounds."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.runtime.bench.statistics.bootstrap import Bootstrap, Interval
from studio.runtime.bench.statistics.verdicts import LEAST_MARGIN, compare, holm, margin_of

STUDIES = 200
ROUNDS = 40


def simulate(
    chance: numpy.random.Generator, effects: Mapping[str, float], rounds: int = ROUNDS
) -> dict[str, Any]:
    """Round medians on a busy machine.

    All candidates share a slow drift of the machine (AR(1)); each has noise of its own, a tenth
    of its rounds hit by something else that runs, and a constant bias of its process (where its
    memory happens to lie).
    """
    drift = numpy.zeros(rounds)
    for index in range(1, rounds):
        drift[index] = 0.8 * drift[index - 1] + chance.normal(0, 0.03)
    times = {}
    for name, effect in effects.items():
        noise = chance.normal(0, 0.02, rounds)
        hits = (chance.random(rounds) < 0.1) * chance.exponential(0.25, rounds)
        times[name] = effect * numpy.exp(drift + noise + hits + chance.normal(0, 0.004))
    return times


def verdicts(effect: float, seed: int) -> Counter[str]:
    chance = numpy.random.default_rng(seed)
    found: Counter[str] = Counter()
    for number in range(STUDIES):
        times = simulate(chance, {"a": 1.0, "twin": 1.0, "b": effect})
        [verdict], _ = compare("a", times, "twin", seed=number)
        found[verdict.verdict] += 1
    return found


@pytest.mark.slow
def test_a_model_against_itself_is_not_called_faster_or_slower():
    found = verdicts(1.0, seed=11)
    assert found["faster"] + found["slower"] <= 0.05 * STUDIES
    assert found["equal"] >= 0.5 * STUDIES


@pytest.mark.parametrize(("effect", "word"), [(0.9, "faster"), (1.1, "slower")])
def test_a_true_difference_of_ten_percent_is_found(effect, word):
    found = verdicts(effect, seed=12)
    assert found[word] >= 0.9 * STUDIES
    assert found[{"faster": "slower", "slower": "faster"}[word]] == 0


@pytest.mark.slow
def test_several_comparisons_share_the_risk():
    chance = numpy.random.default_rng(13)
    names = {"a": 1.0, "twin": 1.0, **{f"b{index}": 1.0 for index in range(3)}}
    wrong = 0
    for number in range(STUDIES):
        found, _ = compare("a", simulate(chance, names), "twin", seed=number)
        wrong += any(each.verdict in ("faster", "slower") for each in found)
    assert wrong <= 0.05 * STUDIES


def test_the_naive_comparison_would_be_wrong():
    """The simulation is hard enough: plain medians of sequential runs fail on it."""
    chance = numpy.random.default_rng(14)
    wrong = 0
    for _ in range(STUDIES):
        first = simulate(chance, {"a": 1.0})["a"]
        later = simulate(chance, {"a": 1.0})["a"]
        wrong += abs(math.log(numpy.median(later) / numpy.median(first))) > 0.03
    assert wrong > 0.2 * STUDIES


def test_intervals_cover_the_truth():
    chance = numpy.random.default_rng(15)
    inside = 0
    for number in range(STUDIES):
        low, high = Bootstrap(chance.normal(0.05, 0.1, 20), seed=number).interval(0.05)
        inside += low <= 0.05 <= high
    assert inside >= 0.93 * STUDIES


def test_noise_of_the_twin_widens_the_margin():
    assert margin_of(None) == LEAST_MARGIN
    assert margin_of(Interval(1.0, 0.99, 1.01, 0.95)) == LEAST_MARGIN
    assert margin_of(Interval(1.04, 1.02, 1.08, 0.95)) == pytest.approx(0.08)
    assert margin_of(Interval(0.9, 0.8, 1.0, 0.95)) == pytest.approx(0.25)


def test_a_machine_too_noisy_for_a_verdict_says_so():
    base = numpy.ones(40)
    times = {"a": base, "twin": base * 1.3, "b": base * 1.01}
    [verdict], noise = compare("a", times, "twin")
    assert noise is not None
    assert verdict.margin == pytest.approx(0.3)
    assert verdict.verdict == "undecided"


def test_undecided_says_how_many_rounds_it_would_take():
    chance = numpy.random.default_rng(16)
    base = numpy.exp(chance.normal(0, 0.3, 12))
    other = 1.15 * numpy.exp(chance.normal(0, 0.3, 12))
    [verdict], _ = compare("a", {"a": base, "b": other})
    assert verdict.verdict == "undecided"
    assert verdict.rounds_needed is not None
    assert verdict.rounds_needed > 12
    assert f"about {verdict.rounds_needed} rounds would decide" in verdict.text


def test_too_few_rounds_give_no_interval():
    [verdict], noise = compare("a", {"a": [1.0] * 5, "b": [2.0] * 5, "twin": [1.0] * 5}, "twin")
    assert noise is None
    assert verdict.verdict == "undecided"
    assert (verdict.ratio, verdict.low, verdict.high) == (2.0, None, None)
    assert "5 rounds are too few" in verdict.text
    json.dumps(vars(verdict), allow_nan=False)


def test_rounds_that_one_of_them_lacks_are_not_compared():
    nan = float("nan")
    times = {"a": [1.0] * 20, "b": [2.0] * 10 + [nan] * 10, "c": [nan] * 20}
    found, _ = compare("a", times)
    assert found[0].rounds == 10
    assert found[0].verdict == "slower"
    assert found[1].ratio is None
    assert found[1].verdict == "undecided"
    json.dumps([vars(each) for each in found], allow_nan=False)


def test_holm_steps_down_and_stops():
    levels = holm({"a": 0.001, "b": 0.03, "c": 0.02}, alpha=0.05)
    assert levels["a"] == (pytest.approx(0.05 / 3), True)
    assert levels["c"] == (pytest.approx(0.05 / 2), True)
    assert levels["b"] == (pytest.approx(0.05), True)
    stopped = holm({"a": 0.03, "b": 0.04}, alpha=0.05)
    assert not stopped["a"][1]
    assert not stopped["b"][1]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(0.5, 2.0), min_size=8, max_size=30),
    st.floats(0.5, 2.0),
)
def test_swapping_the_two_turns_the_ratio_over(base, factor):
    other = [value * factor for value in base]
    [forth], _ = compare("a", {"a": base, "b": other})
    [back], _ = compare("b", {"b": other, "a": base})
    assert forth.ratio == pytest.approx(factor)
    assert back.ratio == pytest.approx(1 / factor)
    turned = {"faster": "slower", "slower": "faster"}
    assert back.verdict == turned.get(forth.verdict, forth.verdict)
