"""Fixed looks: where they stand, what they spend, and what they save."""

from __future__ import annotations

import pytest

from studio.runtime.bench.measures.latency import schedule


@pytest.mark.parametrize("rounds", [1, 9, 10, 19, 20, 40, 41, 400])
@pytest.mark.parametrize("looks", [1, 2, 3, 5])
def test_the_risk_of_all_looks_is_that_of_one(rounds, looks):
    made = schedule(rounds, looks, 0.05)
    assert sum(look.alpha for look in made) == pytest.approx(0.05)
    assert all(look.alpha > 0 for look in made)
    assert [look.rounds for look in made] == sorted({look.rounds for look in made})
    assert made[-1].rounds == rounds
    assert len(made) <= looks
    assert all(look.rounds >= 10 for look in made[:-1])


@pytest.mark.slow
def test_a_clear_difference_ends_the_study_early(measure, candidate):
    events, status = measure(
        candidate("a", work=2), candidate("b", work=40), rounds=40, seconds=8.0, looks=3, twin=True
    )
    assert status == 0
    looks = [each for each in events if each["event"] == "look"]
    planned = events[-1]["looks"]["planned"]
    assert planned == [look.rounds for look in schedule(planned[-1], 3, 0.05)]
    assert events[-1]["looks"]["used"] == len(looks)
    assert events[-1]["looks"]["stopped"]
    assert looks[-1]["decided"]
    assert events[-1]["rounds"] == looks[-1]["rounds"] < planned[-1]


@pytest.mark.slow
def test_without_looks_all_rounds_are_made(measure, candidate):
    events, _ = measure(candidate("a", work=2), candidate("b", work=4), rounds=12, seconds=4.0)
    assert events[-1]["rounds"] == 12
    assert events[-1]["looks"] is None
