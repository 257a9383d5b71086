"""Deletions from a record of decisions that leave a proof: old segments, and forgotten contents."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..shared.files import remove, sync, write_atomically
from .entry import DECISION, DELETED, FORGOTTEN, OVERRIDE, ChainEntry, read_entry
from .log import DecisionLog, Draft, Segment, lines_of, segments_of

_DAY_S = 86_400.0
_FIRST_RIGHT_CLOCK = 1_704_067_200.0
"""2024: a board without a battery starts in 1970, until it reaches a time server."""
_AT_ONCE = 400
"""Contents in one entry about forgotten ones: its line stays short."""
_SEGMENTS_AT_ONCE = 100


class SegmentFacts(NamedTuple):
    """Proof of a deleted segment: its ends, its length and its period."""

    name: str
    first: str
    last: str
    entries: int
    begin: str
    end: str


def facts_of(segment: Segment) -> SegmentFacts:
    """Return the facts of a segment; empty ones where no entry can be read."""
    first = last = None
    count = 0
    for line in lines_of(segment.path):
        entry = read_entry(line)
        if entry is not None:
            first, last, count = first or entry, entry, count + 1
    if first is None or last is None:
        return SegmentFacts(segment.name, "", "", 0, "", "")
    return SegmentFacts(segment.name, first.hash, last.hash, count, first.at, last.at)


def drop_old(log: DecisionLog, days: int, now: Optional[float] = None) -> List[SegmentFacts]:
    """Delete the segments whose last entry is older than a number of days; return their facts.

    The proof is written before a file goes. The segment that is written to today stays.

    Raises:
        OSError: when the proof cannot be written, or a file cannot be deleted.
    """
    clock = time.time() if now is None else now
    with log.alone():
        old = _older(segments_of(log.folder), clock - days * _DAY_S)
        if not old:
            return []
        found = list(map(facts_of, old))
        for at in range(0, len(found), _SEGMENTS_AT_ONCE):
            part = [one._asdict() for one in found[at : at + _SEGMENTS_AT_ONCE]]
            log.append_alone([Draft(DELETED, clock, {"segments": part, "days": days})])
        newest = segments_of(log.folder)[-1].path
        for segment in old:
            if segment.path != newest:
                remove(segment.path)
        sync(log.folder)
    return found


def _older(segments: Sequence[Segment], limit: float) -> List[Segment]:
    """Return those that ended before a moment; all of them are the oldest."""
    found: List[Segment] = []
    for place, segment in enumerate(segments):
        following = segments[place + 1].path if place + 1 < len(segments) else None
        if _end_of(segment, following) >= limit:
            break
        found.append(segment)
    return found


def _end_of(segment: Segment, following: Optional[Path]) -> float:
    """Return the time of the last entry, by the clock of the board."""
    written = segment.path.stat().st_mtime
    if written >= _FIRST_RIGHT_CLOCK:
        return written
    return time.time() if following is None else following.stat().st_mtime


class ForgetRequest(NamedTuple):
    """Request to delete the content of entries.

    Attributes:
        input: SHA-256 of an input; empty for none.
        request: Id of a request; empty for none.
        by: Who asks for it.
    """

    input: str = ""
    request: str = ""
    by: str = "unknown"

    def concerns(self, kept: Mapping[str, object]) -> bool:
        """Return whether a content is one of those."""
        if self.input:
            return kept.get("input") == self.input
        return bool(self.request) and kept.get("request") == self.request


def forget(log: DecisionLog, wanted: ForgetRequest) -> int:
    """Delete contents, and keep their hashes, who asked and when; return how many there were.

    The overrides of a forgotten decision are forgotten with it.

    Raises:
        OSError: when the disk cannot be written; what is proved then is not deleted everywhere,
            and asking again completes it.
    """
    with log.alone():
        found = _matching(log.folder, wanted)
        pairs = [(number, content) for one in found.values() for number, content in one.items()]
        drafts = [
            _proof(pairs[at : at + _AT_ONCE], wanted.by) for at in range(0, len(pairs), _AT_ONCE)
        ]
        if not drafts:
            return 0
        log.append_alone(drafts)
        for path, numbers in found.items():
            _rewrite(path, numbers)
    return len(pairs)


def _proof(pairs: Sequence[Tuple[int, str]], by: str) -> Draft:
    numbers, contents = [one for one, _ in pairs], [content for _, content in pairs]
    facts = {"numbers": numbers, "contents": contents, "by": by[:200]}
    return Draft(FORGOTTEN, time.time(), facts)


def _matching(folder: Path, wanted: ForgetRequest) -> Dict[Path, Dict[int, str]]:
    """Return numbers and hashes of the contents that a request concerns, by their segments."""
    requests = {wanted.request} if wanted.request else set()
    for _, _, kept in _contents(folder):
        if wanted.concerns(kept):
            requests.add(str(kept.get("request")))
    found: Dict[Path, Dict[int, str]] = {}
    for path, entry, kept in _contents(folder):
        if str(kept.get("request")) in requests:
            found.setdefault(path, {})[entry.number] = entry.content
    return found


def _contents(folder: Path) -> Iterator[Tuple[Path, ChainEntry, Mapping[str, object]]]:
    """Yield the decisions and overrides that still have their content, with their segments."""
    for segment in segments_of(folder):
        for line in lines_of(segment.path):
            entry = read_entry(line)
            if entry is None or entry.event not in (DECISION, OVERRIDE):
                continue
            if entry.kept is not None:
                yield segment.path, entry, entry.kept


def _rewrite(path: Path, numbers: Mapping[int, str]) -> None:
    """Write a segment without some contents; its time stays, as it is that of its last entry."""
    times = path.stat()
    lines: List[bytes] = []
    for line in lines_of(path):
        entry = read_entry(line)
        if entry is not None and entry.number in numbers:
            line = entry._replace(kept=None).line()[:-1]
        lines.append(line + b"\n")
    write_atomically(path, b"".join(lines), 0o600)
    os.utime(str(path), ns=(times.st_atime_ns, times.st_mtime_ns))
