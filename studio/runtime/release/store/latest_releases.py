"""Line of each model on a target: its last committed release, the floor against downgrades."""

from __future__ import annotations

import hashlib
from typing import Mapping, NamedTuple, Tuple

from ...shared.errors import ReleaseError
from ...shared.manifest import canonical
from ...shared.records import read


class LastRelease(NamedTuple):
    """Last committed release of a model: its counter and its digest.

    Attributes:
        orders: SHA-256 of each order to go back that was obeyed; none is obeyed again.
    """

    counter: int = 0
    release: str = ""
    orders: Tuple[str, ...] = ()


Lines = Mapping[str, LastRelease]
"""The last release of each model, by its name."""


class _Recorded(NamedTuple):
    """Lines in the form of the state file."""

    lines: Mapping[str, Mapping[str, object]] | None = None
    history: Tuple[Mapping[str, object], ...] = ()


class _Entry(NamedTuple):
    """Entry of the history."""

    state: str = ""
    name: str = ""
    order: str = ""


LONGEST_REASON = 500


def lines_of(raw: Mapping[str, object]) -> Lines:
    """Return the lines in a state file.

    A state that was written by an earlier runtime has none: they follow from its history.
    """
    recorded = read(_Recorded, raw)
    if recorded.lines is not None:
        return {str(name): read(LastRelease, last) for name, last in recorded.lines.items()}
    lines: Lines = {}
    for entry in recorded.history:
        known = read(_Entry, entry)
        if known.state == "active":
            lines = advanced(lines, known.name, entry)
    return lines


def advanced(lines: Lines, name: str, last: Mapping[str, object]) -> Lines:
    """Return the same with another last release of a model."""
    order, obeyed = read(_Entry, last).order, lines.get(name, LastRelease()).orders
    orders = (*obeyed, order) if order else obeyed
    return {**lines, name: read(LastRelease, last)._replace(orders=orders)}


def is_older(lines: Lines, name: str, counter: int, digest: str) -> bool:
    """Return whether a release precedes its model's last one, or shares its number with another."""
    last = lines.get(name)
    if last is None or last.release == digest:
        return False
    return counter <= last.counter


def reason_of(given: object) -> str:
    """Return the reason for an older release, in one line; empty without one.

    Raises:
        ReleaseError: when a history cannot contain it.
    """
    text = " ".join(str(given or "").split())
    if len(text) > LONGEST_REASON or not text.isprintable():
        raise ReleaseError(
            "bad-reason", "A reason has up to {} printable letters.".format(LONGEST_REASON)
        )
    return text


def order_of(lines: Lines, name: str, digest: str, reason: str) -> bytes:
    """Return the text to sign for a downgrade: it is valid for this one step back, once."""
    last = lines.get(name, LastRelease()).release
    return canonical({"downgrade": digest, "from": last, "reason": reason})


def order_digest(order: bytes) -> str:
    """Return the digest by which an order that was obeyed is known."""
    return hashlib.sha256(order).hexdigest()


def check_unused(lines: Lines, name: str, order: bytes) -> None:
    """Raise ReleaseError for an order that was obeyed before.

    Its signature stays valid: a server could go back again after the board has gone on.
    """
    if order_digest(order) in lines.get(name, LastRelease()).orders:
        raise ReleaseError(
            "order-used",
            "This signed downgrade of {} was obeyed before.".format(name),
            'Sign a new one with another reason: --downgrade "REASON".',
        )


def to_json(lines: Lines) -> dict[str, dict[str, object]]:
    """Return the lines as the state file and answers have them."""
    return {
        name: {key: value for key, value in last._asdict().items() if value != ()}
        for name, last in lines.items()
    }
