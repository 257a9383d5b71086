"""Changed boards as text, from the process that merges them to the one that shows them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from studio.monitoring.boards.fleet_state import FleetState
from studio.monitoring.boards.message import Heartbeat, RunTotals
from studio.monitoring.boards.record import BoardRecord

MESSAGE = "board-changes"
"""Name of the message of a job; its value ``rows`` is a text of ``written``."""

PIECE = 200
"""Boards of one message, so that neither side works on one for long."""


def pieces(fleet: FleetState, names: Iterable[str]) -> Iterator[str]:
    """Yield the texts of some boards, by ``PIECE`` of them."""
    ordered = sorted(names)
    for first in range(0, len(ordered), PIECE):
        yield written([fleet.record(name) for name in ordered[first : first + PIECE]])


def written(records: Sequence[BoardRecord]) -> str:
    """Return what a table of boards needs of their records."""
    return json.dumps([_row(one) for one in records if one.last], separators=(",", ":"))


def _row(record: BoardRecord) -> list[Any]:
    last = record.last
    assert last is not None
    return [
        record.name,
        record.heard,
        [last.every_s, last.ready, last.drift, last.at],
        [last.model, last.version, last.release, last.counter],
        dict(last.labels),
        list(last.alerts),
        dict(last.facts),
        list(record.totals),
        sorted(record.latency(last.release).items()),
    ]


def read(text: str) -> list[BoardRecord]:
    """Return the records of a text, each with one run that has all counts.

    Raises:
        ValueError: when it is no text of ``written``.
    """
    try:
        return [_record(*row) for row in json.loads(text)]
    except (TypeError, IndexError) as error:
        raise ValueError(f"no rows of boards: {error}") from None


def _record(
    name: str,
    heard: float,
    state: Sequence[Any],
    release: Sequence[Any],
    labels: Mapping[str, str],
    alerts: Sequence[str],
    facts: Mapping[str, str | float],
    totals: Sequence[int],
    latency: Sequence[Sequence[int]],
) -> BoardRecord:
    record = BoardRecord(name)
    record.heard = heard
    model, version, digest, counter = release
    record.last = Heartbeat(
        board=name,
        series="",
        start=0,
        boot="",
        seq=0,
        at=state[3],
        every_s=state[0],
        uptime_s=0.0,
        labels=labels,
        ready=state[1],
        model=model,
        version=version,
        release=digest,
        counter=counter,
        facts=facts,
        drift=state[2],
        alerts=tuple(alerts),
        runs=(),
        dropped=0,
    )
    counts = tuple((bucket, count) for bucket, count in latency)
    requests, errors, rejected = totals
    record.runs[""] = RunTotals("", 0, model, version, digest, requests, errors, rejected, counts)
    return record
