"""Comparison of events with those that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.optimize import linear_sum_assignment

from studio.runtime.apps.event_match import match_events, match_nearest


def row(at_s: float, kind: str = "crossing", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "at_s": at_s, **more}


def test_events_that_are_close_match_once() -> None:
    match = match_events([row(1.0), row(2.0)], [row(1.2), row(1.3), row(9.0)], 0.5)
    assert match.pairs == ((0, 0),)
    assert (match.missing, match.extra) == ((1,), (1, 2))
    assert match.f1 == pytest.approx(2 / 5)


def test_details_are_compared_where_they_are_expected() -> None:
    expected = [row(1.0, direction="in"), row(1.0)]
    found = [row(1.0, direction="out"), row(1.0, direction="in")]
    match = match_events(expected, found, 0.1, ("direction", "label"))
    assert match.pairs == ((0, 1), (1, 0))


def test_an_event_with_details_gets_the_one_that_only_it_can_have() -> None:
    expected = [row(1.0), row(1.1, direction="in")]
    match = match_events(expected, [row(1.05, direction="in"), row(1.0)], 0.5, ("direction",))
    assert match.pairs == ((0, 1), (1, 0))


def test_sources_and_steps_count_where_they_are_given() -> None:
    assert not match_events([row(1.0, step="gate")], [row(1.0, step="door")], 0.1).pairs
    assert match_events([row(1.0)], [row(1.0, step="door", source="a")], 0.1).pairs


def test_nothing_expected_and_nothing_found_is_a_full_match() -> None:
    assert match_events([], [], 1.0).f1 == 1.0
    assert match_events([row(1.0)], [], 1.0).f1 == 0.0
    assert match_events([], [row(1.0)], 1.0).f1 == 0.0


times = some.lists(some.integers(0, 40), max_size=12)


@settings(deadline=None)
@given(times, times, some.integers(0, 5))
def test_no_other_choice_gives_more_pairs(one: list[int], two: list[int], within: int) -> None:
    match = match_events([row(at) for at in one], [row(at) for at in two], within)
    near = np.abs(np.subtract.outer(one, two)) <= within if one and two else np.zeros((0, 0))
    rows, columns = linear_sum_assignment(-near.astype(float)) if near.size else ([], [])
    assert len(match.pairs) == int(sum(near[r, c] for r, c in zip(rows, columns, strict=True)))
    assert len(match.pairs) + len(match.missing) == len(one)
    assert len(match.pairs) + len(match.extra) == len(two)
    assert all(abs(one[a] - two[b]) <= within for a, b in match.pairs)


def test_a_lost_event_stays_alone_among_dense_ones() -> None:
    before = [row(0.1 * number) for number in range(30)]
    match = match_nearest(before, [one for one in before if one is not before[7]], 1.0)
    assert (match.missing, match.extra) == ((7,), ())
    # As many pairs as possible would name another one.
    most = match_events(before, [one for one in before if one is not before[7]], 1.0)
    assert most.missing == (29,)


def test_the_closest_events_match_first() -> None:
    match = match_nearest([row(1.0), row(1.4)], [row(1.5), row(1.8)], 1.0)
    assert match.pairs == ((0, 1), (1, 0))


def test_simultaneous_events_match_one_by_one() -> None:
    match = match_nearest([row(1.0), row(1.0), row(1.0)], [row(1.0), row(1.0)], 1.0)
    assert match.pairs == ((0, 0), (1, 1))
    assert (match.missing, match.extra) == ((2,), ())


def test_what_is_too_far_or_unlike_does_not_match_the_nearest() -> None:
    match = match_nearest([row(1.0), row(5.0, "a")], [row(2.5), row(5.0, "b")], 1.0)
    assert match.pairs == ()
