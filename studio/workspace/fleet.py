"""The fleet as a page shows it: each endpoint with its last minutes, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from studio.workspace.sample_ring import SamplePoint, SampleRing

GOOD, WARNING, BAD, UNKNOWN = "good", "warning", "bad", ""
_RANK = {BAD: 0, WARNING: 1, UNKNOWN: 2, GOOD: 3}


@dataclass(slots=True)
class FleetRow:
    """One endpoint.

    Attributes:
        alerts: Names of what is wrong now.
        text: The first of these, in a sentence.
        reasons: A sentence for each.
    """

    name: str
    tone: str = UNKNOWN
    health: str = "not checked"
    version: str = ""
    model: str = ""
    alerts: tuple[str, ...] = ()
    text: str = ""
    reasons: tuple[str, ...] = ()
    drifting: tuple[str, ...] = ()
    moments: SampleRing = field(default_factory=SampleRing)

    @property
    def last(self) -> SamplePoint | None:
        """The newest sample."""
        return self.moments[-1] if self.moments else None

    def matches(self, words: Iterable[str]) -> bool:
        """Whether each word is somewhere in its name, model, version, health or alerts."""
        text = " ".join((self.name, self.model, "v" + self.version, self.health, *self.alerts))
        return all(word in text.lower() for word in words)


class Fleet:
    """Rows by the target's name."""

    def __init__(self) -> None:
        self._rows: dict[str, FleetRow] = {}

    def take(self, samples: Iterable[Mapping[str, Any]]) -> None:
        """Hear of some endpoints; one that a sample says less of (an older runtime) stays known."""
        for sample in samples:
            name = str(sample.get("target") or "")
            row = self._rows.get(name)
            if row is None:
                row = self._rows[name] = FleetRow(name)
            _update(row, sample)

    def row(self, name: str) -> FleetRow | None:
        """One endpoint."""
        return self._rows.get(name)

    def shown(self, wanted: str = "", only_bad: bool = False) -> list[FleetRow]:
        """The rows of a filter: the worst first, and by name where they are alike."""
        words = wanted.lower().split()
        found = [
            row
            for row in self._rows.values()
            if (not words or row.matches(words)) and not (only_bad and row.tone == GOOD)
        ]
        found.sort(key=lambda row: (_RANK[row.tone], -len(row.alerts), row.name))
        return found

    def counts(self) -> dict[str, int]:
        """How many are of each tone."""
        found = dict.fromkeys((BAD, WARNING, GOOD), 0)
        for row in self._rows.values():
            if row.tone in found:
                found[row.tone] += 1
        return found

    def clear(self) -> None:
        """Forget all."""
        self._rows.clear()


def _update(row: FleetRow, sample: Mapping[str, Any]) -> None:
    alerts = [one for one in sample.get("alerts") or () if isinstance(one, Mapping)]
    latency = sample.get("latency_ms")
    latency = latency if isinstance(latency, Mapping) else {}
    row.health = str(sample.get("health") or "unknown")
    row.version = str(sample.get("version") or "")
    row.model = str(sample.get("model") or "")
    row.alerts = tuple(str(one.get("name")) for one in alerts)
    row.reasons = tuple(str(one.get("text") or one.get("name")) for one in alerts)
    more = f" (and {', '.join(row.alerts[1:])})" if len(alerts) > 1 else ""
    row.text = row.reasons[0] + more if alerts else ""
    row.drifting = tuple(str(name) for name in sample.get("drifting") or ())
    row.tone = _tone(row.health, alerts)
    # A server that nobody asked lately says 0, which is no latency.
    p99, throughput = _number(latency.get("p99")) or None, _number(sample.get("throughput"))
    row.moments.append(
        SamplePoint(row.tone, throughput, p99, row.version, _seconds(sample.get("at")))
    )


def _tone(health: str, alerts: list[Mapping[str, Any]]) -> str:
    if health in ("unreachable", "degraded") or any(a.get("level") == "critical" for a in alerts):
        return BAD
    if alerts or health == "not ready":
        return WARNING
    return GOOD if health == "healthy" else UNKNOWN


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _seconds(at: object) -> float:
    try:
        return datetime.fromisoformat(str(at)).timestamp()
    except ValueError:
        return 0.0
