"""What came of the faults: counts of outcomes, and every violation in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from studio.api import StudioError


class Violation(Exception):
    """Something that must hold did not."""


@dataclass
class Tally:
    """Counts of one part of the campaign.

    Attributes:
        points: Faults that took effect, by what was done when they did.
        outcomes: What was found afterwards.
        names: Of the cases, where they have names.
        violations: Sentences.
    """

    part: str
    points: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    names: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take in what another process has counted."""
        self.points += other.points
        self.outcomes += other.outcomes
        self.names += other.names
        self.violations += other.violations

    @contextmanager
    def judged(self, what: str) -> Iterator[None]:
        """Note a violation instead of letting it end the campaign."""
        try:
            yield
        except (Violation, AssertionError, StudioError) as error:
            self.violations.append(f"{what}: {error}"[:2000])

    @property
    def total(self) -> int:
        """Faults that took effect."""
        return sum(self.points.values())

    def to_json(self) -> Mapping[str, Any]:
        """For machines."""
        return {
            "points": self.total,
            "by": dict(sorted(self.points.items())),
            "outcomes": dict(sorted(self.outcomes.items())),
            "cases": len(self.names),
            "violations": self.violations,
        }


def require(holds: object, sentence: str) -> None:
    """Raise Violation unless something holds."""
    if not holds:
        raise Violation(sentence)
