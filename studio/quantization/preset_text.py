"""A preset's text: TOML, read with the place of what is wrong in it, and written again."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue
from studio.documents.toml_text import (
    ENTRY,
    TABLE,
    literal,
    loads,
    locate,
    no_such,
    parse,
    sentence_start,
)
from studio.lazy_dataclass import dataclass

OptionValue = JsonValue
"""A value of an option, as TOML and JSON have it."""

LAYERS = "layers"
"""The table of what single layers are made of."""


@dataclass(frozen=True, slots=True)
class PresetText:
    """Text of a preset with its parsed values.

    Attributes:
        name: How messages call it (a file's name).
        values: The parsed content.
    """

    name: str
    text: str
    values: Mapping[str, OptionValue]

    @classmethod
    def read(cls, text: str, name: str = "the preset") -> PresetText:
        """Parse a text.

        Raises:
            UsageError: with line and column, when it is not TOML.
        """
        return cls(name, text, parse(text, name))

    def wrong(self, reason: str, key: str, *, table: str = "", hint: str = "") -> UsageError:
        """Return the error for a key or its value, with its place."""
        line, column = self.place(key, table)
        place = f", line {line}, column {column}" if line else ""
        return UsageError(f"{sentence_start(self.name)}{place}: {reason}", hint=hint)

    def unknown(self, key: str, known: Iterable[str], *, table: str = "") -> UsageError:
        """Return the error for an unknown key, with the most similar known one."""
        reason, hint = no_such(key, known)
        return self.wrong(reason, key, table=table, hint=hint)

    def place(self, key: str, table: str = "") -> tuple[int, int]:
        """Return line and column, from 1, of a key; zeros if it is missing."""
        return locate(self.text).get((table, key) if table else (key,), (0, 0))

    def with_value(self, key: str, value: OptionValue) -> str:
        """Return the text with another value of a top-level key, the rest unchanged.

        A value over several lines causes the whole text to be rewritten.
        """
        lines = self.text.splitlines()
        written = f"{key} = {literal(value)}"
        number, _ = self.place(key)
        if number:
            entry = ENTRY.match(lines[number - 1])
            if entry is None or not _whole(lines[number - 1]):
                return write({**self.values, key: value})
            lines[number - 1] = written
        else:
            # A key behind a table's header would belong to that table.
            lines.insert(_before_tables(lines), written)
        return "\n".join(lines) + "\n"


def write(values: Mapping[str, OptionValue]) -> str:
    """Return a preset as TOML, with tables at the end."""
    lines = [f"{key} = {literal(v)}" for key, v in values.items() if not isinstance(v, Mapping)]
    for key, table in values.items():
        if isinstance(table, Mapping) and table:
            lines += ["", f"[{key}]", *(f"{literal(k)} = {literal(v)}" for k, v in table.items())]
    return "\n".join(lines) + "\n"


def _whole(line: str) -> bool:
    """Return whether the line alone is TOML."""
    try:
        loads(line)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _before_tables(lines: list[str]) -> int:
    """Return where a top-level key may be added: before the first table and its comments."""
    end = next((i for i, line in enumerate(lines) if TABLE.match(line)), len(lines))
    while end and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return end
