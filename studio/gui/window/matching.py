"""Fuzzy matching of what was typed against what can be done."""

from __future__ import annotations

import functools
import re

PREFIX, WORD, INSIDE, SCATTERED = 0, 1, 2, 3
"""Kinds of match, the best first."""


@functools.lru_cache(maxsize=32)
def _scattered(text: str) -> re.Pattern[str]:
    return re.compile("".join(f"{re.escape(char)}.*?" for char in text if char != " "))


def match(typed: str, text: str) -> tuple[int, int, int] | None:
    """How well a text fits, smaller is better; None when it does not.

    A text fits when it contains what was typed, or all its characters in this order. Beginnings
    of words come first, then short spans, then short texts.
    """
    typed, text = typed.strip().lower(), text.lower()
    if not typed:
        return PREFIX, 0, 0
    place = text.find(typed)
    if place == 0:
        return PREFIX, 0, len(text)
    if place > 0:
        kind = INSIDE if text[place - 1].isalnum() else WORD
        return kind, place, len(text)
    found = _scattered(typed).search(text)
    if found is None:
        return None
    return SCATTERED, found.end() - found.start(), len(text)
