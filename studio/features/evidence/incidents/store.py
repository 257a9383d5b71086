"""A model's incidents in their file: entries are added and chained, and none is ever changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from studio.api import StudioError, UsageError
from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.documents.plain import plain
from studio.features.evidence.incidents.clock import is_moment
from studio.features.evidence.incidents.results import (
    CLOSE,
    CLOSED,
    NOTE,
    OPEN,
    REPORT,
    Incident,
    IncidentEntry,
)
from studio.lazy_dataclass import dataclass
from studio.projects.append_only import locked, read_regular
from studio.settings.files import write_atomically

SCHEMA = 1
MOST_BYTES = 8 * 1024 * 1024
MOST_ENTRIES = 10_000
MOST_TEXT = 20_000
MOST_NAME = 200
MOST_SERVED = 1000
_KIND = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*|")


@dataclass(frozen=True, slots=True)
class _IncidentDocument:
    """The content of the file."""

    schema: int
    entries: tuple[IncidentEntry, ...]


def read_incidents(file: Path) -> tuple[Incident, ...]:
    """Return the incidents of a file, by number; none when it does not exist.

    Raises:
        StudioError: when the file is a link, too large, no list of incidents, or was altered.
    """
    content = read_regular(file, MOST_BYTES)
    if content is None:
        return ()
    if len(content) > MOST_BYTES:
        raise _damaged(file, f"It is larger than {MOST_BYTES // 1024**2} MB.")
    try:
        document = from_json(_IncidentDocument, json.loads(content))
    except (ValueError, RecursionError) as error:
        detail = str(error) if isinstance(error, InvalidDocument) else ""
        raise _damaged(file, detail) from None
    if document.schema != SCHEMA:
        raise StudioError(
            f"{file} was written by another version of Edgewright.",
            hint="Update Edgewright, or move the file away.",
        )
    return _checked(file, document.entries)


def _checked(file: Path, entries: tuple[IncidentEntry, ...]) -> tuple[Incident, ...]:
    """Return the incidents of entries whose chains hold."""
    if len(entries) > MOST_ENTRIES:
        raise _damaged(file, f"It has more than {MOST_ENTRIES:,} entries.")
    found: dict[int, list[IncidentEntry]] = {}
    for place, one in enumerate(entries, 1):
        before = found.get(one.incident, [])
        if not _is_valid(one) or (one.what == OPEN) == bool(before):
            raise _damaged(file, f"Entry {place} is not valid.")
        if one.what == OPEN and one.incident != len(found) + 1:
            raise _altered(file, f"An incident before entry {place} is gone.")
        if one.hash != chained(one, before[-1].hash if before else ""):
            raise _altered(file, f"Entry {place}, of incident {one.incident}, was altered.")
        found.setdefault(one.incident, []).append(one)
    return tuple(Incident(tuple(those)) for those in found.values())


def add_entry(file: Path, entry: IncidentEntry) -> Incident:
    """Add an entry to a file, and return its incident.

    One process at a time adds. The file is replaced whole, after it was flushed to the disk.

    Args:
        entry: With the number of its incident; 0 opens a new one.

    Raises:
        UsageError: when the entry is not valid, its incident is unknown or closed, or the file is
            full.
        StudioError: when the file is damaged, or cannot be written.
    """
    check_texts(entry)
    try:
        with locked(file.parent):
            incidents = read_incidents(file)
            added = _placed(entry, incidents)
            entries = sorted(
                (*(one for each in incidents for one in each.entries), added),
                key=lambda one: one.at,
            )
            content = json.dumps(to_json(_IncidentDocument(SCHEMA, tuple(entries))), indent=1)
            if len(entries) > MOST_ENTRIES or len(content.encode()) >= MOST_BYTES:
                raise UsageError("The file of incidents of this model is full.", hint=_FULL_HINT)
            write_atomically(file, (content + "\n").encode())
    except OSError as error:
        raise StudioError(f"{file} cannot be written: {error.strerror or error}.") from None
    return next(one for one in read_incidents(file) if one.number == added.incident)


_FULL_HINT = f"It has up to {MOST_ENTRIES:,} entries and {MOST_BYTES // 1024**2} MB."


def find_incident(incidents: tuple[Incident, ...], number: int) -> Incident:
    """Return an incident by its number.

    Raises:
        UsageError: when there is no such incident.
    """
    if not 0 < number <= len(incidents):
        known = f"It has incidents 1 to {len(incidents)}." if incidents else "It has no incidents."
        raise UsageError(f"The model has no incident {number}.", hint=known)
    return incidents[number - 1]


def chained(entry: IncidentEntry, before: str) -> str:
    """Return the hash of an entry after the hash of the one before; SHA-256, hexadecimal."""
    content = json.dumps(to_json(replace(entry, hash="")), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{content}".encode()).hexdigest()


def unbroken(incidents: Iterable[Iterable[IncidentEntry]]) -> int:
    """Return the number of entries before the first one whose hash does not follow."""
    count = 0
    for entries in incidents:
        before = ""
        for one in entries:
            if one.hash != chained(one, before):
                return count
            before, count = one.hash, count + 1
    return count


def _placed(entry: IncidentEntry, incidents: tuple[Incident, ...]) -> IncidentEntry:
    """Return an entry with its number, its hash, and a time after those of all others."""
    last = max((one.entries[-1].at for one in incidents), default="")
    entry = replace(entry, at=max(entry.at, last))
    if entry.what == OPEN:
        entry = replace(entry, incident=len(incidents) + 1)
        return replace(entry, hash=chained(entry, ""))
    known = find_incident(incidents, entry.incident)
    if known.state == CLOSED and entry.what == CLOSE:
        raise UsageError(f"Incident {known.number} is closed already.")
    return replace(entry, hash=chained(entry, known.head))


def check_texts(entry: IncidentEntry) -> None:
    """Refuse texts that the file could not hold.

    Raises:
        UsageError: with the reason.
    """
    if not entry.text.strip():
        raise UsageError("The text is empty.", hint="Write it with --text.")
    if len(entry.text) > MOST_TEXT:
        raise UsageError(f"The text is longer than {MOST_TEXT:,} characters.")
    if plain(entry.text) != entry.text:
        raise UsageError("The text has control characters or hidden marks.")
    names = {"--by": entry.by}
    names |= {"--title": entry.title} if entry.what == OPEN else {}
    names |= {"--to": entry.authority} if entry.what == REPORT else {}
    for option, text in names.items():
        if not _is_name(text):
            raise UsageError(f"{option} must be one line of up to {MOST_NAME} characters.")
    if entry.reference and not _is_name(entry.reference):
        raise UsageError(f"--reference must be one line of up to {MOST_NAME} characters.")


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MOST_NAME and text.isprintable()


def _is_valid(entry: IncidentEntry) -> bool:
    """Whether an entry of a file is within the bounds of those that are written."""
    lines = (entry.title, entry.authority, entry.reference, entry.at, entry.by)
    days = (entry.happened, entry.aware) if entry.what == OPEN else ()
    days = (*days, entry.reported) if entry.what == REPORT else days
    try:
        check_texts(entry)
    except UsageError:
        return False
    return (
        entry.what in (OPEN, NOTE, REPORT, CLOSE)
        and entry.incident > 0
        and all(len(line) <= MOST_NAME and (not line or line.isprintable()) for line in lines)
        and is_moment(entry.at)
        and all(map(is_moment, days))
        and _KIND.fullmatch(entry.kind) is not None
        and len(entry.kind) <= MOST_NAME
        and len(entry.served) <= MOST_SERVED
    )


def _damaged(file: Path, detail: str) -> StudioError:
    return StudioError(
        f"{file} is not a file of incidents.",
        hint="Restore the file from a backup, or move it away to begin a new one.",
        detail=detail,
    )


def _altered(file: Path, place: str) -> StudioError:
    return StudioError(
        f"{file} was altered: {place}",
        hint="Restore the file from a backup. It is read and written by nothing until then.",
    )
