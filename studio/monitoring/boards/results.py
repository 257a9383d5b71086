"""Results of the steps on the state of many boards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """Figures of a group of boards.

    Attributes:
        boards: Number by state, and in all.
        error_rate: Share of the requests that the server failed; None without requests.
        latency_ms: ``p50, p90, p99`` over the requests of the releases that serve now.
        of_boards: ``p50, p90, p99`` over the boards, of the memory and the temperature.
    """

    group: str
    boards: int
    states: Mapping[str, int]
    drifting: int
    requests: int
    errors: int
    rejected: int
    error_rate: float | None
    latency_ms: Mapping[str, float]
    of_boards: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One board.

    Attributes:
        state: ``good``, ``alerting``, ``not ready`` or ``silent``.
        heard: When its newest message arrived (ISO 8601, UTC), by the clock of this computer.
        clock_s: Difference of its own clock to that, in seconds; positive for a faster one.
        counter: Release counter.
        error_rate: Share of the requests that its server failed; None without requests.
        latency_ms: ``p50, p90, p99`` of the release that it serves now.
    """

    name: str
    state: str
    heard: str
    clock_s: float
    model: str
    version: str
    release: str
    counter: int
    labels: Mapping[str, str]
    drift: bool | None
    alerts: tuple[str, ...]
    requests: int
    errors: int
    rejected: int
    error_rate: float | None
    latency_ms: Mapping[str, float]
    facts: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BoardsResult:
    """The state of the boards at a broker.

    Attributes:
        known: Number of all boards that were ever heard.
        selected: Figures of those that pass the filters.
        groups: Figures of each group of them, the largest first.
        boards: Some of them, as many as were wanted.
        messages: Number that came during this command.
        refused: Number of refused messages by their reason, during this command.
        refused_boards: Some boards whose messages were refused, each with its last reason.
        interruptions: How often the connection was lost during this command.
        caught_up: Whether all that the broker had stored was read.
    """

    source: str
    known: int
    selected: GroupFigures
    groups: tuple[GroupFigures, ...]
    boards: tuple[BoardRow, ...]
    messages: int
    refused: Mapping[str, int]
    refused_boards: Mapping[str, str]
    interruptions: int
    caught_up: bool
    seconds: float
