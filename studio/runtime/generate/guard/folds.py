"""Characters as rules read them: without case, invisible ones, and other spellings of the same.

Each character is folded alone, so that a text in pieces is folded as the whole one.
"""

from __future__ import annotations

import unicodedata
from typing import Callable, Dict

_MOST_KEPT = 20_000
"""Characters whose fold is kept: a text may have a million different ones."""
_ACCENTS = (
    *((0x0300, 0x036F), (0x0483, 0x0487), (0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F)),
    *((0x0670, 0x0670), (0x06D6, 0x06ED), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF)),
    *((0x3099, 0x309A), (0xFE20, 0xFE2F)),
)
"""Marks on letters without which a word is still read."""
_INVISIBLE = (
    *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF)),
)
_UNSPACED = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x31F0, 0x31FF)),
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
)
"""Thai, Lao, Myanmar, Khmer, kana and Han, which are written without spaces between words."""


class Folds(Dict[int, str]):
    """Folds by the number of a character, for ``str.translate``."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        super().__init__()
        self._fold = fold

    def __missing__(self, code: int) -> str:
        found = self._fold(chr(code))
        if len(self) < _MOST_KEPT:
            self[code] = found
        return found


def _within(char: str, table: object) -> bool:
    code = ord(char)
    return any(first <= code <= last for first, last in table)  # type: ignore[attr-defined]


def is_invisible(char: str) -> bool:
    """Return whether a character has no picture: joiners, selectors, controls, surrogates."""
    kind = unicodedata.category(char)
    if kind in ("Cf", "Cs") or _within(char, _INVISIBLE):
        return True
    return kind == "Cc" and not char.isspace()


def word_fold(char: str) -> str:
    """Return a character as deny lists read it: letters and digits, a space for what parts words.

    Case, accents and width are left out (NFKD, case fold). Each character of a script that has no
    spaces is a word of its own.
    """
    if is_invisible(char):
        return ""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    return "".join(map(_word_part, text))


def _word_part(char: str) -> str:
    if is_invisible(char) or _within(char, _ACCENTS):
        return ""
    if _within(char, _UNSPACED):
        return " {} ".format(char) if char.isalnum() else char
    return char if char.isalnum() or unicodedata.category(char) in ("Mn", "Mc") else " "


def pattern_fold(char: str) -> str:
    """Return a character as patterns read it: visible, and in its usual width (NFKC)."""
    if is_invisible(char):
        return ""
    return unicodedata.normalize("NFKC", char)


def caseless_fold(char: str) -> str:
    """Return the same without case."""
    return pattern_fold(char).casefold()


WORDS, PATTERNS, CASELESS = Folds(word_fold), Folds(pattern_fold), Folds(caseless_fold)
