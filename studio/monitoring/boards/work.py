"""The work of the steps on many boards: a feed read, merged, stored, and asked."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from studio.api import Extension, StateFeed, StateSource, UsageError
from studio.documents.dataclass_json import to_json
from studio.jobs import Job
from studio.monitoring.boards.changes import MESSAGE, pieces
from studio.monitoring.boards.fleet_state import FleetState
from studio.monitoring.boards.login import read_login
from studio.monitoring.boards.results import BoardRow, BoardsResult
from studio.monitoring.boards.step import BoardsOptions, WatchBoardsOptions
from studio.monitoring.boards.table import STATES, BoardFilter, latency_percentiles
from studio.plugin_host import PluginHost
from studio.settings import Paths

_READ_S = 0.5
_SAVE_S = 1.0


def status(options: BoardsOptions, job: Job) -> BoardsResult:
    """Read what the broker has stored, and return the state of the boards."""
    began = time.monotonic()
    wanted = filter_of(options)
    with _opened(options, job) as (feed, fleet):
        while not feed.caught_up and time.monotonic() - began < options.seconds:
            job.check()
            fleet.take(feed.read(_READ_S))
            job.progress(0, 0, f"{len(fleet.table)} boards")
        fleet.save()
        return result_of(options, wanted, fleet, feed, began)


def watch(options: WatchBoardsOptions, job: Job) -> BoardsResult:
    """Merge what comes until the end of the time, or until the user stops it."""
    began = time.monotonic()
    wanted = filter_of(options)
    with _opened(options, job) as (feed, fleet):
        shown = saved = began
        if options.changes:
            _send(fleet, fleet.table.names, job)
        while not options.seconds or time.monotonic() - began < options.seconds:
            job.check()
            fleet.take(feed.read(_READ_S))
            now = time.monotonic()
            if now - saved >= _SAVE_S:
                fleet.save()
                saved = now
            if now - shown >= options.interval:
                shown = now
                if options.changes:
                    _send(fleet, fleet.table.take_changes(), job)
                result = result_of(options, wanted, fleet, feed, began)
                job.event("boards", **to_json(result))
                job.progress(0, 0, summary(result))
        fleet.save()
        return result_of(options, wanted, fleet, feed, began)


def _send(fleet: FleetState, names: Iterable[str], job: Job) -> None:
    """Send the boards that have changed to the process that shows them."""
    for rows in pieces(fleet, names):
        job.event(MESSAGE, rows=rows)


def summary(result: BoardsResult) -> str:
    """Return one line about all boards."""
    states = ", ".join(f"{count} {name}" for name, count in result.selected.states.items())
    return f"{result.selected.boards} boards: {states or 'nothing heard'}"


def _opened(
    options: BoardsOptions, job: Job
) -> AbstractContextManager[tuple[StateFeed, FleetState]]:
    return opened(options.source, options.topic, options.login, job, create=options.create)


@contextmanager
def opened(
    address: str, topic: str, login: Path | None, job: Job, *, create: bool = False
) -> Iterator[tuple[StateFeed, FleetState]]:
    """Open the broker and the file of its boards, and close both at the end."""
    source = source_of(address)
    with (
        closing(source.open(address, topic, read_login(login), job, create=create)) as feed,
        closing(FleetState(file_of(address, topic))) as fleet,
    ):
        yield feed, fleet


def source_of(address: str, collectors: Sequence[str] = ()) -> StateSource:
    """Return the plugin's source for an address.

    Args:
        collectors: Beginnings of addresses that the caller takes without a plugin, such as
            ``http://``; the hint names them, too.

    Raises:
        UsageError: when no plugin knows its scheme.
        Unavailable: when the plugin lacks a package, with the install command.
    """
    scheme, sign, _ = address.partition("://")
    host = PluginHost.discover()
    known = {name: one for one in host.all(Extension.STATE) for name in one.schemes}
    if not sign or scheme not in known:
        begins = sorted([*(f"{name}://" for name in known), *collectors])
        kinds = "a broker or a collector" if collectors else "a broker"
        raise UsageError(
            f"{address!r} is not the address of {kinds}.",
            hint=f"It begins with one of: {', '.join(begins)}.",
        )
    source: StateSource = host.get(Extension.STATE, known[scheme].id)
    return source


def file_of(address: str, topic: str) -> Path:
    """Return the file of the boards of a broker and a topic."""
    digest = hashlib.sha256(f"{address.rstrip('/')} {topic}".encode()).hexdigest()
    return Paths.of().data / "fleet" / f"{digest[:16]}.sqlite"


def filter_of(options: BoardsOptions) -> BoardFilter:
    """Return the filter that the options describe.

    Raises:
        UsageError: for a label or a state that cannot be one.
    """
    labels = labels_of(options.label)
    states = tuple(one.replace("-", " ") for one in options.state)
    unknown = [one for one in states if one not in STATES]
    if unknown:
        known = ", ".join(one.replace(" ", "-") for one in STATES)
        raise UsageError(f"Unknown state {unknown[0]!r}.", hint=f"Known: {known}.")
    release, model = options.release or "", options.model or ""
    return BoardFilter(labels, release, model, states, options.alert or "", options.name or "")


def labels_of(pairs: Iterable[str]) -> dict[str, str]:
    """Return labels by their names.

    Raises:
        UsageError: for a pair that cannot be one.
    """
    labels = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise UsageError(f"A label is NAME=VALUE, not {pair!r}.")
        labels[name] = value
    return labels


def result_of(
    options: BoardsOptions, wanted: BoardFilter, fleet: FleetState, feed: StateFeed, began: float
) -> BoardsResult:
    """Return the state of the boards now."""
    now, table = time.time(), fleet.table
    mask = table.select(wanted, now)
    return BoardsResult(
        source=options.source,
        known=len(table),
        selected=table.figures(mask, now),
        groups=tuple(table.groups(options.group, mask, now)),
        boards=tuple(row_of(fleet, one, now) for one in table.boards(mask, most=options.boards)),
        messages=fleet.messages,
        refused=dict(fleet.refused),
        refused_boards=dict(fleet.refused_boards),
        interruptions=feed.interruptions,
        caught_up=feed.caught_up,
        seconds=round(time.monotonic() - began, 3),
    )


def row_of(fleet: FleetState, name: str, now: float) -> BoardRow:
    """Return one board."""
    import numpy as np

    from studio.monitoring.boards.message import BUCKETS

    record = fleet.record(name)
    last = record.last
    assert last is not None
    requests, errors, rejected = record.totals
    counts = np.zeros(BUCKETS, np.int64)
    for bucket, count in record.latency(last.release).items():
        counts[bucket] = count
    return BoardRow(
        name=name,
        state=fleet.table.state_of(name, now),
        heard=datetime.fromtimestamp(record.heard, UTC).isoformat(timespec="seconds"),
        clock_s=round(last.at - record.heard, 1),
        model=last.model,
        version=last.version,
        release=last.release,
        counter=last.counter,
        labels=last.labels,
        drift=last.drift,
        alerts=last.alerts,
        requests=requests,
        errors=errors,
        rejected=rejected,
        error_rate=errors / requests if requests else None,
        latency_ms=latency_percentiles(counts),
        facts=last.facts,
    )
