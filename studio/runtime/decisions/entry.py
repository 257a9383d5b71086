"""Entries of the record of decisions, each chained to the one before by hashes.

The hash of an entry covers its number, event, time, predecessor and the SHA-256 of its content, but
not the content. So a content can be deleted later, and the chain is still whole. The content has a
random salt, so a person with the input cannot show from the hash alone that it was there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from typing import Dict, List, Mapping, NamedTuple, Optional

START = "0" * 64
DECISION, OVERRIDE, GAP = "decision", "override", "gap"
BEGUN, ENDED = "begun", "ended"
DELETED, FORGOTTEN = "deleted", "forgotten"

REQUEST = re.compile(r"[0-9a-f]{1,16}-[0-9a-f]{12}-[0-9a-f]{1,16}")
"""Id of a request: milliseconds since the epoch, a random part of the server, and a number."""

LONGEST_LINE = 1 << 16
"""Bytes of a line; no entry comes near it."""
_HEX = frozenset("0123456789abcdef")
_SALT_BYTES = 16
_LONGEST_TEXT = 64


class ChainEntry(NamedTuple):
    """One line of the record.

    Attributes:
        number: Its place among all that there ever were, from 1.
        at: When it was written or, of a decision, answered: ISO 8601 in UTC, in milliseconds.
        previous: Hash of the entry before.
        content: SHA-256 of what is kept.
        hash: SHA-256 of the fields above.
        kept: The content; None once it was forgotten.
    """

    number: int
    event: str
    at: str
    previous: str
    content: str
    hash: str
    kept: Optional[Dict[str, object]]

    def line(self) -> bytes:
        """Return it as a line of JSON; a newline in a text cannot end it."""
        document = {key: value for key, value in self._asdict().items() if value is not None}
        return canonical(document) + b"\n"

    @property
    def fault(self) -> str:
        """Contradiction inside the entry; empty for a whole one."""
        if self.hash != _hash(self.number, self.event, self.at, self.previous, self.content):
            return "the entry was altered"
        if self.kept is not None and self.content != digest(self.kept):
            return "the content of the entry was altered"
        return ""


def canonical(document: object) -> bytes:
    """Return JSON of which each document has one spelling, in ASCII and without line breaks."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def digest(document: object) -> str:
    """Return the SHA-256 of a document's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(document)).hexdigest()


def _hash(number: int, event: str, at: str, previous: str, content: str) -> str:
    return digest([number, event, at, previous, content])


def made(
    number: int, event: str, at: str, previous: str, facts: Mapping[str, object]
) -> ChainEntry:
    """Return an entry with its hashes.

    Args:
        facts: Its content, as plain data; a salt is added.
    """
    kept = dict(facts, salt=os.urandom(_SALT_BYTES).hex())
    content = digest(kept)
    return ChainEntry(
        number, event, at, previous, content, _hash(number, event, at, previous, content), kept
    )


def read_entry(line: bytes) -> Optional[ChainEntry]:
    """Return the entry in a line of a record; None for any other line."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        found = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not set(found) <= set(ChainEntry._fields):
        return None
    kept, number = found.get("kept"), found.get("number")
    event, at, previous, content, own = map(
        found.get, ("event", "at", "previous", "content", "hash")
    )
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        return None
    for text in (event, at, previous, content, own):
        if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
            return None
    if "kept" in found and not isinstance(kept, dict):
        return None
    return ChainEntry(number, str(event), str(at), str(previous), str(content), str(own), kept)


def moment(seconds: Optional[float] = None) -> str:
    """Return a time as an entry has it.

    Args:
        seconds: Since the epoch; now by default.
    """
    thousandths = int(1000 * (time.time() if seconds is None else seconds))
    whole, rest = divmod(max(thousandths, 0), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + ".{:03d}Z".format(rest)


def is_digest(text: object) -> bool:
    """Return whether this is a SHA-256 in lower-case hexadecimal."""
    return isinstance(text, str) and len(text) == 64 and _HEX.issuperset(text)


def forgotten_in(entry: ChainEntry) -> Dict[int, str]:
    """Return the hashes of the contents that were deleted by an entry, by their numbers."""
    kept = entry.kept or {}
    numbers, contents = kept.get("numbers"), kept.get("contents")
    if entry.event != FORGOTTEN or not isinstance(numbers, list) or not isinstance(contents, list):
        return {}
    pairs = zip(numbers, contents)
    return {number: text for number, text in pairs if isinstance(number, int) and is_digest(text)}


def deleted_in(entry: ChainEntry) -> List[Mapping[str, object]]:
    """Return the segments that were deleted by an entry, as plain data."""
    segments = (entry.kept or {}).get("segments")
    if entry.event != DELETED or not isinstance(segments, list):
        return []
    return [one for one in segments if isinstance(one, dict)]
