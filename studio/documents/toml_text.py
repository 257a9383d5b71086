"""TOML texts with the places of what they say, so that an error can name line and column."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from studio.api import UsageError
from studio.lazy_dataclass import dataclass

Path = tuple[str | int, ...]
"""Keys and positions (from 0) that lead to a value: ``("steps", 2, "model")``."""

ENTRY = re.compile(r"""^\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)(?:\s*\.\s*[\w"'-]+)*)\s*=\s*""")
TABLE = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]")
_TABLES = re.compile(r"^\s*\[\[\s*([^\[\]]+?)\s*\]\]")
_PLACE = re.compile(r"(.*?)\s*\(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_FEW, _GLANCE = 4, 16
_KEY = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+""")


@dataclass(frozen=True, slots=True)
class TomlText:
    """A TOML text with its parsed values.

    Attributes:
        name: How messages call it (a file's name).
        values: The parsed content.
    """

    name: str
    text: str
    values: Mapping[str, Any]

    @classmethod
    def read(cls, text: str, name: str) -> TomlText:
        """Parse a text.

        Raises:
            UsageError: with line and column, when it is not TOML.
        """
        return cls(name, text, parse(text, name))

    def wrong(self, reason: str, *path: str | int, hint: str = "") -> UsageError:
        """Return the error for what is at a path; ``reason`` is the sentence behind the place."""
        return UsageError(f"{self.where(*path)}: {reason}", hint=hint)

    def unknown(self, known: Iterable[str], *path: str | int, what: str = "key") -> UsageError:
        """Return the error for an unknown key (the path's end), with the nearest known one."""
        reason, hint = no_such(str(path[-1]), known, what)
        return self.wrong(reason, *path, hint=hint)

    def where(self, *path: str | int) -> str:
        """Return the place as the beginning of a sentence: ``pipeline.toml, line 3, column 1``."""
        line, column = self.place(*path)
        place = f", line {line}, column {column}" if line else ""
        return f"{sentence_start(self.name)}{place}"

    def place(self, *path: str | int) -> tuple[int, int]:
        """Return line and column, from 1, of a path or of the nearest table around it."""
        places = locate(self.text)
        for end in range(len(path), 0, -1):
            if path[:end] in places:
                return places[path[:end]]
        return 0, 0


def loads(text: str) -> dict[str, Any]:
    """As ``tomllib.loads``, which lets numbers of too many digits and deep nesting through.

    Raises:
        tomllib.TOMLDecodeError: when it is not TOML, or no TOML that can be read.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError("it is nested too deeply") from None
    except ValueError:
        raise tomllib.TOMLDecodeError("a number has too many digits") from None


def parse(text: str, name: str) -> dict[str, Any]:
    """Return the values of a text.

    Raises:
        UsageError: with line and column, when it is not TOML.
    """
    try:
        return loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.match(str(error))
        reason = (found.group(1) if found else str(error)).rstrip(".")
        place = found.groups()[1:] if found and found.group(2) else _end(text)
        raise UsageError(
            f"{sentence_start(name)}, line {place[0]}, column {place[1]}: this is not TOML: "
            f"{reason[:1].lower()}{reason[1:]}."
        ) from None


def locate(text: str) -> dict[Path, tuple[int, int]]:
    """Return line and column of each table and key that begins a line. The text must be TOML."""
    places: dict[Path, tuple[int, int]] = {}
    counts: dict[Path, int] = {}
    current: Path = ()
    quotes = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quotes:  # within a text of several lines nothing is a key
            quotes = _open_quotes(line, quotes)
            continue
        many, one, entry = _TABLES.match(line), TABLE.match(line), ENTRY.match(line)
        head = many or one
        if head:
            current = _with_positions(keys_of(head.group(1)), counts, new=many is not None)
            places.setdefault(current, (number, head.start(1) + 1))
        elif entry:
            path = (*current, *keys_of(entry.group(1)))
            places.setdefault(path, (number, entry.start(1) + 1))
            quotes = _open_quotes(line[entry.end() :], "")
    return places


def no_such(key: str, known: Iterable[str], what: str = "key") -> tuple[str, str]:
    """The sentence that a key is unknown, with the nearest, and the hint with what there is.

    The hint has all names where they can be read at a glance, and else those that are alike.
    """
    known = sorted(known)
    near = difflib.get_close_matches(key, known, _FEW)
    nearest = f"; the nearest is {near[0]!r}" if near else ""
    hint = f"Known: {', '.join(known)}." if known else ""
    if len(known) > _GLANCE and near:
        hint = f"Alike are: {', '.join(near[1:])}." if near[1:] else ""
    return f"unknown {what} {key!r}{nearest}.", hint


def keys_of(dotted: str) -> tuple[str, ...]:
    """Return the keys of a dotted one, without their quotes."""
    return tuple(bare(key) for key in _KEY.findall(dotted))


def bare(key: str) -> str:
    """Return a key without its quotes."""
    if key.startswith('"'):
        try:
            return str(json.loads(key))
        except ValueError:
            return key.strip('"')
    return key.strip("'")


def literal(value: Any) -> str:
    """Return one value as TOML spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(item) for item in value)}]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key_text(str(k))} = {literal(v)}" for k, v in value.items())
        return f"{{ {inner} }}"
    return json.dumps(str(value), ensure_ascii=False)


def key_text(key: str) -> str:
    """Return a key as TOML spells it."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def sentence_start(text: str) -> str:
    """Return the text as the beginning of a sentence; a file's name stays as it is."""
    return text if "." in text else text[:1].upper() + text[1:]


def _with_positions(keys: tuple[str, ...], counts: dict[Path, int], *, new: bool) -> Path:
    """Return the path of a header: below an array of tables it means the last of them."""
    path: Path = ()
    for depth, key in enumerate(keys, 1):
        path = (*path, key)
        if new and depth == len(keys):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _open_quotes(line: str, quotes: str) -> str:
    """Return the three quotes of a text that continues on the next line, or nothing."""
    position = 0
    while True:
        if quotes:
            end = line.find(quotes, position)
            if end < 0:
                return quotes
            position, quotes = end + 3, ""
        found = [(line.find(mark, position), mark) for mark in ('"""', "'''")]
        found = [(at, mark) for at, mark in found if at >= 0]
        if not found:
            return ""
        at, quotes = min(found)
        position = at + 3


def _end(text: str) -> tuple[int, int]:
    lines = text.splitlines() or [""]
    return len(lines), len(lines[-1]) + 1
