"""The work of steps whose only effect is their record."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class NoWork:
    """An empty result of a step whose only effect is its record."""


def do_nothing(options: object, job: object) -> NoWork:
    """Do nothing, as the step's only effect is its record."""
    return NoWork()
