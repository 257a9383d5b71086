"""Events that are true of a composed recording, as a test of an app expects them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """Event that is true of a recording.

    Attributes:
        at_s: Second of the recording.
        label, direction: Of a crossing or a speed; empty for others.
        m_s: True speed in metres a second; None for other events.
    """

    kind: str
    step: str
    at_s: float
    label: str = ""
    direction: str = ""
    m_s: float | None = None

    def to_json(self) -> dict[str, str | float]:
        """Return it as a line of the file of expected events has it."""
        found: dict[str, str | float] = {
            "kind": self.kind,
            "step": self.step,
            "at_s": round(self.at_s, 3),
        }
        if self.label:
            found["label"] = self.label
        if self.direction:
            found["direction"] = self.direction
        if self.m_s is not None:
            found["m_s"] = round(self.m_s, 4)
        return found


def write_events(path: Path, events: Iterable[TrueEvent]) -> None:
    """Write events as lines of JSON."""
    path.write_text("".join(json.dumps(one.to_json()) + "\n" for one in events), encoding="utf-8")
