"""The work of the step that removes boards which are gone."""

from __future__ import annotations

import time
from difflib import get_close_matches

from studio.api import UsageError
from studio.jobs import Job
from studio.monitoring.boards.fleet_state import FleetState
from studio.monitoring.boards.forget_step import ForgetOptions, ForgetResult
from studio.monitoring.boards.work import opened

_READ_S = 0.5
_DAY_S = 86_400.0
_SHOWN = 20


def forget(options: ForgetOptions, job: Job) -> ForgetResult:
    """Remove boards. One that lives comes back with its next heartbeat, and counts from there.

    Raises:
        UsageError: when no board is named, or nothing was heard of one.
        TargetError: when the broker or the disk refuses.
    """
    if not options.board and options.silent_days is None:
        raise UsageError("Missing board.", hint="Pass --board NAME or --silent-days NUMBER.")
    began = time.monotonic()
    with opened(options.source, options.topic, options.login, job) as (feed, fleet):
        while not feed.caught_up and time.monotonic() - began < options.seconds:
            job.check()
            fleet.take(feed.read(_READ_S))
            job.progress(0, 0, f"{len(fleet.names)} boards")
        fleet.save()
        chosen = _chosen(options, fleet, time.time())
        for number, name in enumerate(() if options.dry_run else chosen):
            job.check()
            job.progress(number, len(chosen), name)
            feed.forget(name)
            if name in fleet.names:
                fleet.forget(name)
        return ForgetResult(options.source, chosen, not options.dry_run, len(fleet.names))


def _chosen(options: ForgetOptions, fleet: FleetState, now: float) -> tuple[str, ...]:
    known = fleet.names
    for name in options.board:
        if name not in known and name not in fleet.refused_boards:
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else ""
            raise UsageError(f"Nothing was heard of a board {name!r}.", hint=hint)
    silent: list[str] = []
    if options.silent_days is not None:
        limit = now - options.silent_days * _DAY_S
        silent = [name for name in known if fleet.record(name).heard < limit]
    return tuple(sorted({*options.board, *silent}))


def lines(result: ForgetResult) -> list[str]:
    """Return what was done."""
    count = len(result.boards)
    if not count:
        return [f"No board was silent that long. {result.known} are known."]
    verb = "Removed" if result.removed else "Would remove"
    shown = [*result.boards[:_SHOWN], *(["..."] if count > _SHOWN else [])]
    boards = "board" if count == 1 else "boards"
    return [f"{verb} {count} {boards}: {', '.join(shown)}", f"{result.known} are known."]
