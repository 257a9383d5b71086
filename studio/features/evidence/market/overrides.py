"""Overrides of a model's answers by persons, counted from what records have of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

RecordedOverrides = Callable[[str], Iterable[int]]
"""A function that returns the numbers of overrides of a model, one for each record of them."""


def not_recorded(model: str) -> Iterable[int]:
    """Return no number: the events of apps, with their overrides, stay on their targets."""
    return ()


def override_count(counts: Iterable[int]) -> int | None:
    """Return the number of overrides in some records; None where nothing was recorded."""
    known = tuple(counts)
    return sum(known) if known else None
