"""The choice of tokens: greedy, drawn, limited, reported."""

from __future__ import annotations

import numpy
import pytest

from studio.runtime.generate.sampler import Sampler, Sampling

SCORES = numpy.log(numpy.array([0.5, 0.3, 0.15, 0.05], numpy.float32))
DRAWS = 4000


def shares(settings: Sampling, scores: numpy.ndarray = SCORES) -> list[float]:
    """Return how often each token is chosen."""
    sampler = Sampler(settings._replace(seed=7))
    counts = numpy.zeros(len(scores))
    for _ in range(DRAWS):
        choice = sampler.choose(scores)
        assert choice is not None
        counts[choice.token] += 1
    return list(counts / DRAWS)


def test_greedy_takes_the_best() -> None:
    assert shares(Sampling(temperature=0)) == [1, 0, 0, 0]


def test_tokens_come_as_often_as_they_are_probable() -> None:
    assert shares(Sampling()) == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)


def test_temperature_sharpens() -> None:
    squared = numpy.array([0.5, 0.3, 0.15, 0.05]) ** 2
    expected = list(squared / squared.sum())
    assert shares(Sampling(temperature=0.5)) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        (Sampling(top_k=2), 2),
        (Sampling(top_p=0.5), 1),
        (Sampling(top_p=0.51), 2),
        (Sampling(top_p=0.96), 4),
        (Sampling(top_p=0.0), 1),
        (Sampling(min_p=0.2), 3),
    ],
)
def test_unlikely_tokens_are_left_out(settings: Sampling, allowed: int) -> None:
    found = shares(settings)
    whole = numpy.array([0.5, 0.3, 0.15, 0.05])[:allowed]
    expected = [*(whole / whole.sum()), *[0.0] * (4 - allowed)]
    assert found == pytest.approx(expected, abs=0.03)


def test_the_nucleus_of_many_tokens_is_that_of_all() -> None:
    chance = numpy.random.default_rng(3)
    scores = chance.normal(0, 0.3, 5000).astype(numpy.float32)
    weights = numpy.exp(scores.astype(numpy.float64))
    weights /= weights.sum()
    order = numpy.argsort(-weights)
    count = int(numpy.searchsorted(numpy.cumsum(weights[order]), 0.9)) + 1
    sampler = Sampler(Sampling(top_p=0.9, seed=1))
    drawn = {sampler.choose(scores).token for _ in range(3000)}  # type: ignore[union-attr]
    assert drawn <= set(order[: count + 1].tolist())


def test_penalties_and_biases() -> None:
    sampler = Sampler(Sampling(temperature=0, presence=2.0, frequency=1.0))
    assert [sampler.choose(SCORES).token for _ in range(4)] == [0, 1, 2, 3]  # type: ignore[union-attr]
    biased = Sampler(Sampling(temperature=0, bias={3: 100.0, 99: 1.0}))
    assert biased.choose(SCORES).token == 3  # type: ignore[union-attr]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_only_admitted_tokens_are_chosen(temperature: float) -> None:
    sampler = Sampler(Sampling(temperature=temperature, seed=2))
    for _ in range(200):
        choice = sampler.choose(SCORES, lambda token: token in (2, 3))
        assert choice is not None
        assert choice.token in (2, 3)
    assert sampler.choose(SCORES, lambda token: False) is None


def test_admitted_tokens_keep_their_proportion() -> None:
    sampler = Sampler(Sampling(seed=5))
    counts = numpy.zeros(4)
    for _ in range(DRAWS):
        counts[sampler.choose(SCORES, lambda token: token > 1).token] += 1  # type: ignore[union-attr]
    assert list(counts / DRAWS) == pytest.approx([0, 0, 0.75, 0.25], abs=0.03)


def test_a_token_beyond_the_nucleus_is_taken_where_no_other_is_admitted() -> None:
    sampler = Sampler(Sampling(top_k=1, seed=5))
    choice = sampler.choose(SCORES, lambda token: token == 3)
    assert choice is not None
    assert choice.token == 3


def test_probabilities_are_reported() -> None:
    choice = Sampler(Sampling(temperature=0, alternatives=2)).choose(SCORES + 3)
    assert choice is not None
    assert choice.probability == pytest.approx(numpy.log(0.5))
    assert [token for token, _ in choice.alternatives] == [0, 1]
    assert choice.alternatives[1][1] == pytest.approx(numpy.log(0.3), abs=1e-6)
