"""A recipe's text: TOML, read with the place of what is wrong in it, and written again."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.api import UsageError

LAYERS = "layers"
"""The table of what single layers are made of."""

_PLACE = re.compile(r"(.*?)\s*\(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_ENTRY = re.compile(r"""^\s*("(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)\s*=\s*""")
_TABLE = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]")


@dataclass(frozen=True, slots=True)
class RecipeText:
    """A text with what it says.

    Attributes:
        name: How messages call it (a file's name).
        values: The parsed content.
    """

    name: str
    text: str
    values: Mapping[str, Any]

    @classmethod
    def read(cls, text: str, name: str = "the recipe") -> RecipeText:
        """Parse a text.

        Raises:
            UsageError: with line and column, when it is not TOML.
        """
        try:
            return cls(name, text, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            found = _PLACE.match(str(error))
            reason = (found.group(1) if found else str(error)).rstrip(".")
            place = found.groups()[1:] if found and found.group(2) else _end(text)
            raise UsageError(
                f"{sentence_start(name)}, line {place[0]}, column {place[1]}: this is not TOML: "
                f"{reason[:1].lower()}{reason[1:]}."
            ) from None

    def wrong(self, reason: str, key: str, *, table: str = "", hint: str = "") -> UsageError:
        """The error for a key or its value, with its place."""
        line, column = self.place(key, table)
        place = f", line {line}, column {column}" if line else ""
        return UsageError(f"{sentence_start(self.name)}{place}: {reason}", hint=hint)

    def unknown(self, key: str, known: Iterable[str], *, table: str = "") -> UsageError:
        """The error for a key that nobody knows, with the nearest that somebody does."""
        known = sorted(known)
        near = difflib.get_close_matches(key, known, 1)
        nearest = f"; the nearest is {near[0]!r}" if near else ""
        hint = f"Known: {', '.join(known)}."
        return self.wrong(f"there is no key {key!r}{nearest}.", key, table=table, hint=hint)

    def place(self, key: str, table: str = "") -> tuple[int, int]:
        """Line and column, from 1, where a key stands; zeros where it does not."""
        current = ""
        for number, line in enumerate(self.text.splitlines(), 1):
            head = _TABLE.match(line)
            if head:
                current = _bare(head.group(1))
            entry = _ENTRY.match(line)
            if entry and current == table and _bare(entry.group(1)) == key:
                return number, entry.start(1) + 1
            if head and not table and current == key:
                return number, head.start(1) + 1
        return 0, 0

    def with_value(self, key: str, value: Any) -> str:
        """The text with another value of a top-level key, the rest as it was written.

        A value that goes over several lines makes the whole text be written anew.
        """
        lines = self.text.splitlines()
        written = f"{key} = {literal(value)}"
        number, _ = self.place(key)
        if number:
            entry = _ENTRY.match(lines[number - 1])
            if entry is None or not _whole(lines[number - 1]):
                return write({**self.values, key: value})
            lines[number - 1] = written
        else:
            lines.insert(_before_tables(lines), written)
        return "\n".join(lines) + "\n"


def write(values: Mapping[str, Any]) -> str:
    """A recipe as TOML; tables stand at the end."""
    lines = [f"{key} = {literal(v)}" for key, v in values.items() if not isinstance(v, Mapping)]
    for key, table in values.items():
        if isinstance(table, Mapping) and table:
            lines += ["", f"[{key}]", *(f"{literal(k)} = {literal(v)}" for k, v in table.items())]
    return "\n".join(lines) + "\n"


def literal(value: Any) -> str:
    """One value as TOML spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(item) for item in value)}]"
    return json.dumps(str(value), ensure_ascii=False)


def sentence_start(text: str) -> str:
    """The text as the beginning of a sentence; a file's name stays as it is."""
    return text if "." in text else text[:1].upper() + text[1:]


def _end(text: str) -> tuple[int, int]:
    lines = text.splitlines() or [""]
    return len(lines), len(lines[-1]) + 1


def _bare(key: str) -> str:
    if key.startswith('"'):
        try:
            return str(json.loads(key))
        except ValueError:
            return key.strip('"')
    return key.strip("'")


def _whole(line: str) -> bool:
    """Whether the line alone is TOML."""
    try:
        tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _before_tables(lines: list[str]) -> int:
    """Where a top-level key may be added: ahead of the first table and what is said of it."""
    end = next((i for i, line in enumerate(lines) if _TABLE.match(line)), len(lines))
    while end and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return end
