"""Fuzzy matching of what was typed against what can be done."""

from __future__ import annotations

PREFIX, WORD, INSIDE, SCATTERED = 0, 1, 2, 3
"""Kinds of match, the best first."""


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
    span = _scattered(typed, text)
    return (SCATTERED, span, len(text)) if span is not None else None


def _scattered(typed: str, text: str) -> int | None:
    """Return the length of the text from the first character to the last; None without all."""
    first = last = -1
    for char in typed.replace(" ", ""):
        last = text.find(char, last + 1)
        if last < 0:
            return None
        first = last if first < 0 else first
    return last + 1 - first
