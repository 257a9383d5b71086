"""Values that count once they have been the same for some time."""

from __future__ import annotations

from studio.runtime.apps.steps.stable_value import StableValue


def settled(values: str, for_s: float) -> list[tuple[int, str]]:
    one: StableValue[str] = StableValue()
    return [(at, value) for at, value in enumerate(values) if one.see(value, float(at), for_s)]


def test_a_value_settles_when_it_has_been_the_same_for_long_enough() -> None:
    assert settled("aaaabbbb", 2.0) == [(2, "a"), (6, "b")]


def test_what_passes_does_not_count() -> None:
    assert settled("aaabbaabaa", 2.0) == [(2, "a")]


def test_without_a_duration_each_change_counts() -> None:
    assert settled("aab", 0.0) == [(0, "a"), (2, "b")]


def test_another_value_begins_its_time_again() -> None:
    assert settled("aaabcbcccc", 2.0) == [(2, "a"), (8, "c")]
