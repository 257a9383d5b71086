"""What served when: the periods of each version on each target, from the registry's releases."""

from __future__ import annotations

from collections.abc import Sequence

from studio.features.evidence.dossier.statement import StatementTable
from studio.features.evidence.records.records import RecordedRelease

_ENDS = frozenset({"rolled back", "replaced", "removed"})
_FAILED = "failed"
_OPEN = "still serving at the last record"


def served_table(releases: Sequence[RecordedRelease]) -> StatementTable:
    """Return the periods in which the versions of a model served.

    Args:
        releases: Changes on all targets, the oldest first.
    """
    rows: list[list[str]] = []
    running: dict[str, list[str]] = {}
    for one in releases:
        if one.state == _FAILED:
            continue
        before = running.get(one.target)
        if before is not None and (one.state in _ENDS or before[1] != one.version):
            before[3] = one.at[:19]
            del running[one.target]
        if one.state not in _ENDS and one.target not in running:
            running[one.target] = [one.target, one.version, one.at[:19], _OPEN, one.digest[:12]]
            rows.append(running[one.target])
    head = ("target", "version", "from (UTC)", "until (UTC)", "digest")
    return StatementTable(head, tuple(map(tuple, rows)), "What served when")
