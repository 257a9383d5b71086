"""The rule of rollouts, and the order of their waves."""

from __future__ import annotations

import pytest

from studio.api import UsageError
from studio.rollouts.results import RequestStats
from studio.rollouts.rule import RolloutRule, judge
from studio.rollouts.waves import waves

RULE = RolloutRule(max_error_rate=0.05, max_latency_ratio=1.5, least_requests=20)


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        (None, RequestStats(100, 0, 5.0), "keep"),
        (RequestStats(100, 0, 5.0), RequestStats(100, 0, 7.0), "keep"),
        (RequestStats(100, 0, 5.0), RequestStats(100, 0, 8.0), "take back"),
        (
            RequestStats(100, 0, 0.2),
            RequestStats(100, 0, 0.9),
            "keep",
        ),  # under a millisecond: noise
        (None, RequestStats(19, 0, 5.0), "wait"),
        (None, RequestStats(20, 1, 5.0), "wait"),  # 1 of 20 may be .2 % or 24 %
        (None, RequestStats(1000, 10, 5.0), "keep"),
        (None, RequestStats(20, 10, 5.0), "take back"),
        (None, RequestStats(20, 20), "take back"),
    ],
)
def test_verdicts(before: RequestStats | None, now: RequestStats, verdict: str) -> None:
    found = judge(before, now, RULE)
    assert found.verdict == verdict
    assert found.reason


def test_waves() -> None:
    names = ["a", "b", "c", "d", "e"]
    assert waves(names, "all", 1, 2) == [names]
    assert waves(names, "canary", 1, 2) == [["a"], ["b", "c", "d", "e"]]
    assert waves(names, "waves", 1, 2) == [["a"], ["b", "c"], ["d", "e"]]
    assert waves(["a"], "canary", 2, 2) == [["a"]]


@pytest.mark.parametrize(
    ("names", "sentence"), [([], "Missing targets."), (["a", "a"], "Duplicate target: a")]
)
def test_wrong_targets(names: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        waves(names, "all", 1, 1)
