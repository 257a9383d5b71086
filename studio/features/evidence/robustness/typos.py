"""Typing errors in texts."""

from __future__ import annotations

from numpy.random import Generator

_SHARE = (0.02, 0.05, 0.1, 0.15, 0.25)


def typos(text: str, level: int, random: Generator) -> str:
    """Return a text in which some characters are swapped, left out or doubled."""
    found: list[str] = []
    for char in text:
        chance = random.random()
        if chance >= _SHARE[level]:
            found.append(char)
        elif chance < _SHARE[level] / 3 and found:
            found.insert(len(found) - 1, char)
        elif chance < 2 * _SHARE[level] / 3:
            found += [char, char]
    return "".join(found)
