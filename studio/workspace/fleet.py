"""The fleet as a page shows it: each endpoint with its last minutes, the worst first."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from studio.monitoring.endpoint.results import Latency
from studio.monitoring.results import FleetSample
from studio.workspace.endpoint_state import (
    BAD,
    BUSY,
    GOOD,
    RANK,
    UNKNOWN,
    WARNING,
    EndpointState,
    status_of,
)
from studio.workspace.sample_ring import SamplePoint, SampleRing

__all__ = ["BAD", "BUSY", "GOOD", "UNKNOWN", "WARNING", "Fleet", "FleetRow"]


@dataclass(slots=True)
class FleetRow:
    """One endpoint of the fleet.

    Attributes:
        state: The state as everywhere in the window.
        alerts: Names of what is wrong now.
        text: The deciding one of these, in a sentence.
        reasons: A sentence for each.
        writes_text: It serves a language model: its samples have tokens a second, and the time to
            the first token.
    """

    name: str
    tone: str = UNKNOWN
    state: EndpointState = EndpointState.NOT_CHECKED
    version: str = ""
    model: str = ""
    alerts: tuple[str, ...] = ()
    text: str = ""
    reasons: tuple[str, ...] = ()
    drifting: tuple[str, ...] = ()
    writes_text: bool = False
    moments: SampleRing = field(default_factory=SampleRing)

    @property
    def health(self) -> str:
        """The state as people read it."""
        return self.state.value

    @property
    def last(self) -> SamplePoint | None:
        """The newest sample."""
        return self.moments[-1] if self.moments else None

    def matches(self, words: Iterable[str]) -> bool:
        """Return whether each word is somewhere in its name, model, version, health or alerts."""
        text = " ".join((self.name, self.model, "v" + self.version, self.health, *self.alerts))
        return all(word in text.lower() for word in words)


class Fleet:
    """The endpoints of the fleet by the target's name."""

    def __init__(self) -> None:
        self._rows: dict[str, FleetRow] = {}

    def ingest(self, samples: Iterable[FleetSample], busy: Container[str] = ()) -> None:
        """Apply samples of endpoints; a value that an older runtime does not report stays.

        Args:
            busy: Targets whose release is being changed.
        """
        for sample in samples:
            row = self._rows.get(sample.target)
            if row is None:
                row = self._rows[sample.target] = FleetRow(sample.target)
            _update(row, sample, sample.target in busy)

    def row(self, name: str) -> FleetRow | None:
        """Return one endpoint."""
        return self._rows.get(name)

    def shown(self, wanted: str = "", only_bad: bool = False) -> list[FleetRow]:
        """Return the rows of a filter: the worst first, and by name where they are alike."""
        words = wanted.lower().split()
        found = [
            row
            for row in self._rows.values()
            if (not words or row.matches(words)) and not (only_bad and row.tone == GOOD)
        ]
        found.sort(key=lambda row: (RANK[row.state], -len(row.alerts), row.name))
        return found

    def counts(self) -> dict[str, int]:
        """Return how many are of each tone."""
        found = dict.fromkeys((BAD, WARNING, GOOD), 0)
        for row in self._rows.values():
            if row.tone in found:
                found[row.tone] += 1
        return found

    def __len__(self) -> int:
        """Return how many endpoints there are, also those whose release is being changed."""
        return len(self._rows)

    def clear(self) -> None:
        """Forget all."""
        self._rows.clear()


def _update(row: FleetRow, sample: FleetSample, is_busy: bool) -> None:
    status = status_of(sample, deploying=is_busy)
    row.state, row.tone, row.reasons = status.state, status.tone, status.reasons
    row.version = str(sample.version or "")
    row.model = sample.model or ""
    row.alerts = tuple(alert.name for alert in sample.alerts)
    row.text = _first_reason(row.reasons, sample)
    row.drifting = sample.drifting
    if sample.language is not None and not row.writes_text:
        row.writes_text, row.moments = True, SampleRing()  # other figures than before
    rate, latency = _figures(sample)
    row.moments.append(SamplePoint(row.tone, rate, latency, row.version, _seconds(sample.at)))


def _figures(sample: FleetSample) -> tuple[float | None, float | None]:
    """Return what the charts show: requests and latency, or tokens and the first token."""
    if sample.language is not None:
        return sample.language.tokens_per_s, sample.language.first_token_ms.p50
    # A server without recent requests reports 0, which is no latency.
    return sample.throughput, (sample.latency_ms or Latency()).p99 or None


def _first_reason(reasons: tuple[str, ...], sample: FleetSample) -> str:
    """Return the deciding reason, with the names of the other alerts."""
    if not reasons:
        return ""
    others = [alert.name for alert in sample.alerts if alert.text != reasons[0]]
    return reasons[0] + (f" (and {', '.join(others)})" if others else "")


def _seconds(at: str) -> float:
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return 0.0
