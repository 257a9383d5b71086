"""Disruption budgets of rollouts: limits for the targets of each value of a label."""

from __future__ import annotations

import pytest

from studio.api import UsageError
from studio.rollouts.disruption import DisruptionBudget, Disruptions

SITES = {"a": {"site": "x"}, "b": {"site": "x"}, "c": {"site": "y"}, "d": {}}


def disruptions(*budgets: str) -> Disruptions:
    return Disruptions([DisruptionBudget.parse(text) for text in budgets], SITES, SITES)


def test_each_value_has_a_limit_of_its_own() -> None:
    found = disruptions("site=1")
    found.begin("a")
    assert not found.admits("b")
    assert found.admits("c")
    assert found.admits("d")
    found.end("a")
    assert found.admits("b")


def test_one_that_does_not_come_back_keeps_its_place() -> None:
    found = disruptions("site=1")
    found.begin("a")
    found.end("c")  # never began
    assert not found.admits("b")


def test_a_share_is_of_the_targets_with_that_value_and_at_least_one() -> None:
    targets = {f"t{number}": {"site": "x"} for number in range(10)}
    found = Disruptions([DisruptionBudget.parse("site=25%")], targets, targets)
    found.begin("t0")
    assert found.admits("t1")
    found.begin("t1")
    assert not found.admits("t2")
    assert DisruptionBudget.parse("site=1%").limit(3) == 1


def test_all_budgets_count_and_none_limits_nothing() -> None:
    labels = {"a": {"site": "x", "line": "1"}, "b": {"site": "y", "line": "1"}}
    found = Disruptions(list(map(DisruptionBudget.parse, ("site=1", "line=1"))), labels, labels)
    found.begin("a")
    assert not found.admits("b")
    free = Disruptions([], labels, labels)
    free.begin("a")
    assert free.admits("b")


@pytest.mark.parametrize(
    "text",
    ["site", "site=", "site=0", "site=0%", "site=101%", "=1", "a b=1", "site=-1", "site=1.5"],
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        DisruptionBudget.parse(text)
