"""The search for layers that stay in float, on made-up costs, and once on a real model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pytest

from studio.api import Sample, UsageError
from studio.quantization.search import Trial, by_harm, search
from studio.quantization.searching import halves


@dataclass(frozen=True)
class Cost:
    sqnr_db: float
    gain_us: float


COSTS = {"slow": Cost(60, -5), "bad": Cost(10, 20), "fair": Cost(30, 20), "good": Cost(50, 90)}
LOSS = {"slow": 0.001, "bad": 0.2, "fair": 0.02, "good": 0.001}


def attempt(kept: Collection[str]) -> Trial:
    """Loses what the quantized layers lose together; as fast as their gains."""
    quantized = [name for name in COSTS if name not in kept]
    ratio = 1 - sum(COSTS[name].gain_us for name in quantized) / 200
    return Trial(tuple(kept), sum(LOSS[name] for name in quantized), ratio, 0)


def test_slow_layers_stay_in_float_from_the_start() -> None:
    found = search(COSTS, attempt, 1.0)
    assert found.best is not None
    assert found.best.kept == ("slow",)
    assert len(found.trials) == 1


@pytest.mark.parametrize(
    ("limit", "kept"), [(0.1, {"slow", "bad"}), (0.01, {"slow", "bad", "fair"})]
)
def test_as_few_as_needed_follow(limit: float, kept: set[str]) -> None:
    found = search(COSTS, attempt, limit)
    assert found.best is not None
    assert set(found.best.kept) == kept


def test_a_limit_that_cannot_be_kept() -> None:
    assert search(COSTS, lambda kept: Trial(tuple(kept), 1.0, 0.5, 0), 0.1).best is None


def test_trials_are_few() -> None:
    costs = {f"l{k}": Cost(30 + k, 10) for k in range(60)}
    calls: list[int] = []

    def trial(kept: Collection[str]) -> Trial:
        calls.append(len(kept))
        return Trial(tuple(kept), 0.0 if len(kept) >= 37 else 1.0, len(kept) / 60, 0)

    search(costs, trial, 0.5)
    assert len(calls) <= 5


def test_the_front_holds_no_trial_that_another_beats() -> None:
    found = search(COSTS, attempt, 0.01)
    ratios = [trial.latency_ratio for trial in found.front()]
    drops = [trial.drop for trial in found.front()]
    assert ratios == sorted(ratios)
    assert drops == sorted(drops, reverse=True)


def test_harm_is_noise_for_the_time_saved() -> None:
    assert list(by_harm({k: v for k, v in COSTS.items() if k != "slow"})) == ["bad", "fair", "good"]


def test_halves_share_no_sample() -> None:
    samples = [Sample({}, name=str(number)) for number in range(7)]
    seen, unseen = halves(samples)
    assert [one.name for one in seen] == ["0", "2", "4", "6"]
    assert [one.name for one in unseen] == ["1", "3", "5"]
    assert (len(seen), len(unseen)) == (4, 3)


def test_one_sample_is_not_enough() -> None:
    with pytest.raises(UsageError, match="at least two labelled samples"):
        halves([Sample({})])
