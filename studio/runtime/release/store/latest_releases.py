"""The line of each model on a target: its last release there, behind which none may go."""

from __future__ import annotations

from typing import Any, Mapping

from ...shared.errors import ReleaseError
from ...shared.manifest import canonical

Lines = Mapping[str, Mapping[str, Any]]
"""Name of a model -> ``counter`` and ``release`` (digest) of the last release that was kept."""

LONGEST_REASON = 500


def lines_of(raw: Mapping[str, Any]) -> Lines:
    """The lines in a state file.

    A state that was written by an earlier runtime has none: its history tells them.
    """
    found: dict[str, Mapping[str, Any]] = {}
    if "lines" in raw:
        for name, last in raw["lines"].items():
            found[str(name)] = {"counter": int(last["counter"]), "release": str(last["release"])}
        return found
    for entry in raw.get("history") or ():
        if entry.get("state") == "active":
            found = dict(advanced(found, _text(entry, "name"), entry))
    return found


def advanced(lines: Lines, name: str, last: Mapping[str, Any]) -> Lines:
    """The same with another last release of a model."""
    counter = int(last.get("counter") or 0)
    return {**lines, name: {"counter": counter, "release": _text(last, "release")}}


def is_older(lines: Lines, name: str, counter: int, digest: str) -> bool:
    """Whether a release precedes the last one of its model, or is another with its number."""
    last = lines.get(name)
    if last is None or last["release"] == digest:
        return False
    return counter <= int(last["counter"])


def reason_of(given: object) -> str:
    """Return why an older release is wanted, in one line; empty where none is.

    Raises:
        ReleaseError: when it cannot stand in a history.
    """
    text = " ".join(str(given or "").split())
    if len(text) > LONGEST_REASON or not text.isprintable():
        raise ReleaseError(
            "bad-reason", "A reason has up to {} printable letters.".format(LONGEST_REASON)
        )
    return text


def order_of(lines: Lines, name: str, digest: str, reason: str) -> bytes:
    """What is signed to order a downgrade: it holds for this one step back, and for no other."""
    last = str((lines.get(name) or {}).get("release") or "")
    return canonical({"downgrade": digest, "from": last, "reason": reason})


def _text(entry: Mapping[str, Any], name: str) -> str:
    return str(entry.get(name) or "")
