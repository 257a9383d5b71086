"""Edits of an alert file's text that keep its comments and order."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from studio.api import UsageError
from studio.documents.toml_text import key_text, literal, loads, locate, parse

RULES, CHANNELS = "rules", "channels"


def set_table(text: str, kind: str, place: int, table: Mapping[str, Any]) -> str:
    """Return the text with one table changed, or appended.

    Args:
        kind: ``rules`` or ``channels``.
        place: Index of the table; the number of tables appends one.

    Raises:
        UsageError: when the tables are not written as ``[[rules]]``.
    """
    tables = _tables(text, kind)
    lines = text.splitlines()
    if place >= len(tables):
        block = [f"[[{kind}]]", *(_entry(key, value) for key, value in table.items())]
        return "\n".join([*_padded(lines), *block]) + "\n"
    first, last = _block(text, kind, place)
    old = tables[place]
    changed = lines[first:last]
    for key in reversed(list(old)):  # from the end, so that earlier line numbers stay valid
        begin, end = _entry_lines(text, kind, place, key)
        if key not in table:
            del changed[begin - first : end - first]
        elif old[key] != table[key]:
            comment = _comment(lines[begin], key) if end == begin + 1 else ""
            changed[begin - first : end - first] = [_entry(key, table[key]) + comment]
    new = [_entry(key, value) for key, value in table.items() if key not in old]
    return "\n".join([*lines[:first], *changed, *new, *lines[last:]]) + "\n"


def remove(text: str, kind: str, place: int) -> str:
    """Return the text without one table, and without the comment right above it.

    Raises:
        UsageError: as in ``set_table``.
    """
    _tables(text, kind)
    lines = text.splitlines()
    first, last = _block(text, kind, place)
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    before, behind = lines[:first], lines[last:]
    while before and not before[-1].strip() and (not behind or not behind[0].strip()):
        before.pop()
    return "\n".join([*before, *behind]).strip("\n") + "\n" if before or behind else ""


def _tables(text: str, kind: str) -> list[dict[str, Any]]:
    values = parse(text, "the alert file").get(kind, [])
    known = locate(text)
    if not isinstance(values, list) or any((kind, n) not in known for n in range(len(values))):
        raise UsageError(
            f"The file writes its {kind} otherwise than as [[{kind}]].",
            hint="Such a file is changed in a text editor.",
        )
    return values


def _block(text: str, kind: str, place: int) -> tuple[int, int]:
    """Return the first line of a table, and the line after its last entry (from 0)."""
    places = locate(text)
    first = places[kind, place][0] - 1
    heads = [line - 1 for path, (line, _) in places.items() if path[:2] != (kind, place)]
    end = min((line for line in heads if line > first), default=len(text.splitlines()))
    lines = text.splitlines()
    while end > first + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip()[0] == "#"):
        end -= 1  # comments above the next table belong to it
    return first, end


def _entry_lines(text: str, kind: str, place: int, key: str) -> tuple[int, int]:
    """Return the lines of an entry: as few as form valid TOML."""
    lines, places = text.splitlines(), locate(text)
    if (kind, place, key) not in places:
        raise UsageError(
            f"{key} is written as a table of its own.",
            hint="Such a file is changed in a text editor.",
        )
    begin = places[kind, place, key][0] - 1
    for end in range(begin + 1, len(lines) + 1):
        try:
            loads("\n".join(lines[begin:end]))
        except tomllib.TOMLDecodeError:
            continue
        return begin, end
    raise UsageError(f"{key} is written in a way that cannot be changed here.")


def _comment(line: str, key: str) -> str:
    """Return the comment after an entry of one line, with the blanks before it."""
    for at, sign in enumerate(line):
        if sign != "#":
            continue
        try:
            loads(line[:at])
        except tomllib.TOMLDecodeError:
            continue  # inside a text
        head = line[:at].rstrip()
        return line[len(head) :]
    return ""


def _entry(key: str, value: Any) -> str:
    return f"{key_text(key)} = {literal(value)}"


def _padded(lines: list[str]) -> list[str]:
    return [*lines, ""] if lines and lines[-1].strip() else lines
