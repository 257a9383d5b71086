"""Edits of ``app.toml`` that keep comments, order and all other bytes."""

from __future__ import annotations

import copy
import hashlib
import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from studio.api import InvalidData
from studio.documents.dataclass_json import JsonValue
from studio.documents.toml_text import keys_of, literal, loads
from studio.lazy_dataclass import dataclass
from studio.settings.files import write_atomically

Table = tuple[str, ...]

_STRING = re.compile(
    r'"""(?:\\.|(?!""").)*"{3,5}'
    r"|'''(?:(?!''').)*'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)+")
_HINT = "Change the file in a text editor."


@dataclass(frozen=True, slots=True)
class _Entry:
    """One key of a table with the place of its value in the text."""

    table: Table
    keys: Table
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """Places in a text.

    Attributes:
        ends: End of the last line of each table before its comments and blank lines.
    """

    entries: tuple[_Entry, ...]
    ends: Mapping[Table, int]


def digest_of(content: bytes) -> str:
    """Return the fingerprint by which a changed file is noticed."""
    return hashlib.sha256(content).hexdigest()


def save_settings(file: Path, digest: str, step: str, values: Mapping[str, JsonValue]) -> str:
    """Write settings of one step into ``app.toml``; all else stays byte for byte.

    Args:
        digest: Fingerprint of the content that the user has seen (see ``digest_of``).
        values: New values by the names of the settings.

    Returns:
        The fingerprint of the new content.

    Raises:
        InvalidData: in one sentence, when the file has changed since, or cannot be edited.
    """
    file = file.resolve()  # a link stays one
    try:
        content = file.read_bytes()
        if digest_of(content) != digest:
            raise InvalidData(
                f"{file.name} has changed on disk since it was checked.",
                hint="Check the app again, then repeat the change.",
            )
        new = with_settings(content.decode("utf-8"), ("steps", step), values).encode("utf-8")
        write_atomically(file, new, stat.S_IMODE(file.stat().st_mode))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidData(f"{file.name} cannot be written: {reason}.") from None
    return digest_of(new)


def with_settings(text: str, table: Table, values: Mapping[str, JsonValue]) -> str:
    """Return a TOML text with other values of some keys in one table.

    A key that the table does not have is added below its last one.

    Raises:
        InvalidData: in one sentence, when the table or key is written in a form that cannot be
            edited, such as an inline table.
    """
    try:
        before = loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidData(f"app.toml is not TOML: {error}.", hint=_HINT) from None
    changed = text
    for key, value in values.items():
        changed = _with_value(changed, table, key, value)
    if not _is_as_intended(before, changed, table, values):
        raise _refusal(table)
    return changed


def _with_value(text: str, table: Table, key: str, value: JsonValue) -> str:
    layout = _layout(text)
    if table not in layout.ends:
        raise _refusal(table)
    for entry in layout.entries:
        if entry.table == table and entry.keys == (key,):
            return text[: entry.start] + literal(value) + text[entry.end :]
    at = layout.ends[table]
    newline = "\r\n" if "\r\n" in text else "\n"
    return f"{text[:at]}{newline}{key} = {literal(value)}{text[at:]}"


def _is_as_intended(
    before: dict[str, JsonValue], text: str, table: Table, values: Mapping[str, JsonValue]
) -> bool:
    """Return whether an edited text differs from the earlier values in the new ones alone."""
    intended = copy.deepcopy(before)
    node: JsonValue = intended
    for key in table:
        node = node[key] if isinstance(node, dict) else None
    if not isinstance(node, dict):
        return False
    node.update(values)
    try:
        return loads(text) == intended
    except tomllib.TOMLDecodeError:
        return False


def _refusal(table: Sequence[str]) -> InvalidData:
    name = ".".join(table)
    return InvalidData(f"app.toml has no table [{name}] that can be edited here.", hint=_HINT)


def _layout(text: str) -> _Layout:
    """Return the places of the tables and keys of a valid TOML text."""
    entries: list[_Entry] = []
    table: Table = ()
    ends: dict[Table, int] = {}
    at = _skip(text, 0)
    while at < len(text):
        if text[at] == "[":
            many = text.startswith("[[", at)
            end = _find(text, at + 1 + many, "]")
            name = keys_of(text[at + 1 + many : end])
            # A name that no key can have, as arrays of tables are not edited.
            table = (*name, "[]") if many else name
            at = end + 1 + many
        else:
            equals = _find(text, at, "=")
            keys = keys_of(text[at:equals])
            start = equals + 1 + len(text[equals + 1 :]) - len(text[equals + 1 :].lstrip(" \t"))
            at = _value_end(text, start)
            entries.append(_Entry(table, keys, start, at))
        ends[table] = _line_end(text, at)
        at = _skip(text, at)
    return _Layout(tuple(entries), ends)


def _skip(text: str, at: int) -> int:
    """Return the next place that is no space and no comment."""
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _find(text: str, at: int, mark: str) -> int:
    """Return the place of a character outside quotes."""
    while text[at] != mark:
        quoted = _STRING.match(text, at)
        at = quoted.end() if quoted else at + 1
    return at


def _value_end(text: str, at: int) -> int:
    """Return the end of a value, without the spaces and the comment behind it."""
    depth, end = 0, at
    while at < len(text):
        sign = text[at]
        quoted = _STRING.match(text, at)
        if not depth and sign in "\n#":
            break
        if quoted:
            at = end = quoted.end()
            continue
        if sign == "#":
            at = _line_end(text, at)
            continue
        depth += (sign in "[{") - (sign in "]}")
        at += 1
        end = end if sign.isspace() else at
    return end


def _line_end(text: str, at: int) -> int:
    """Return the end of the line, before its line break."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if end > at and text[end - 1] == "\r" else end
