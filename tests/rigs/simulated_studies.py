"""Simulated studies over boards: busy machines, each with its own drift, bias and true ratio."""

from __future__ import annotations

from collections.abc import Mapping

import numpy

from studio.profiling.boards.results import OverallVerdict, StudyRow
from studio.profiling.boards.verdicts import overall, with_verdicts
from studio.profiling.results import Comparison, ProfileResult, TwinControl
from studio.runtime.bench.statistics.verdicts import compare, margin_of
from tests.benchmarks.bench_verdicts import simulate

ROUNDS = 40


def board(
    name: str, chance: numpy.random.Generator, effects: Mapping[str, float], rounds: int = ROUNDS
) -> StudyRow:
    """One board with its own profile; the first effect is the baseline's."""
    times = simulate(chance, {"a": 1.0, "twin": 1.0, **effects}, rounds)
    found, twin = compare("a", times, "twin", seed=int(chance.integers(1 << 30)))
    verdicts = tuple(Comparison(**vars(one), text=one.text) for one in found)
    control = TwinControl(**vars(twin), margin=margin_of(twin)) if twin else None
    profile = ProfileResult(
        reference="a", rounds=rounds, rounds_kept=rounds, verdicts=verdicts, twin=control
    )
    return StudyRow(name, "measured", profile=profile)


def study(
    seed: int, effect: float, boards: int = 8, spread: float = 0.0, rounds: int = ROUNDS
) -> tuple[list[StudyRow], OverallVerdict]:
    """One study of b against a.

    Args:
        effect: True ratio of the mean board.
        spread: Standard deviation of its logarithm between boards.
    """
    chance = numpy.random.default_rng(seed)
    rows = [
        board(
            f"cam-{number}", chance, {"b": effect * float(numpy.exp(chance.normal(0, spread)))},
            rounds,
        )
        for number in range(1, boards + 1)
    ]  # fmt: skip
    judged = with_verdicts(rows)
    [verdict] = overall(judged)
    return judged, verdict
