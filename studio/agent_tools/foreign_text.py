"""Texts of strangers in results for agents: cleaned, bounded, and marked as data.

A model's name, a board's facts and an event's text may have been written to be obeyed by the
reader. Whatever they say, no tool carries out a change without an approved plan.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST = 200
"""Characters of a text."""

MOST_ITEMS = 200
"""Entries of a list or an object."""

DEEPEST = 12

_REMOVED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Unicode categories of controls, marks of direction, tags, surrogates and line separators."""


def clean(text: object, most: int = LONGEST) -> str:
    """Return a text without control characters and marks of direction, of a bounded length."""
    # Far more than is kept need not be read.
    begin = str(text)[: 8 * most]
    kept = "".join(
        " " if sign in "\n\r\t" else sign
        for sign in begin
        if sign in "\n\r\t" or unicodedata.category(sign) not in _REMOVED
    )
    return kept if len(kept) <= most else kept[: most - 3] + "..."


def untrusted(text: object, most: int = LONGEST) -> dict[str, str]:
    """Return a text of strangers as an object that names it as such."""
    return {"untrusted_text": clean(text, most)}


def bounded(value: Any, depth: int = 0) -> Any:
    """Return a document with all texts cleaned, and lists and objects of a bounded size."""
    if isinstance(value, str):
        return clean(value)
    if depth >= DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        items = list(value.items())[:MOST_ITEMS]
        return {clean(key, 100): bounded(one, depth + 1) for key, one in items}
    if isinstance(value, Sequence):
        return [bounded(one, depth + 1) for one in value[:MOST_ITEMS]]
    return value if value is None or isinstance(value, bool | int | float) else clean(value)
