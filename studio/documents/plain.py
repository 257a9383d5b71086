"""Texts of strangers (names in a model, a board's log, a server's error) as harmless text.

A terminal obeys escape sequences, a CI service obeys lines that begin with its signs, and a reader
believes what marks of direction have turned round. One table and one rule serve all that is
printed, logged or shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

_KEPT = "\n\t"
_MARKS = (*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C)
"""That turn the direction of what is written after them."""
_OTHERS = (0x2028, 0x2029, 0xFEFF, 0x200B, 0x2060, *range(0xE0000, 0xE0080))
"""Ends of lines that only some programs see, and what nobody sees."""


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


_TABLE = {
    code: _escaped(code)
    for code in (*range(0x20), *range(0x7F, 0xA0), *_MARKS, *_OTHERS, *range(0xD800, 0xE000))
    if chr(code) not in _KEPT
}
_ONE_LINE = {**_TABLE, ord("\n"): "\\n", ord("\t"): "\\t"}
_CI = re.compile(r"^(\s*:)(?=:)|(##\w*)(?=\[)", re.MULTILINE)
"""Commands of GitHub and Azure: ``::error`` at the beginning of a line, ``##[error]``, ``##vso[``.
What is matched ends before the last sign of a command, and a space comes between."""


def plain(text: str) -> str:
    """Return a text, lines kept, without commands to a terminal or a CI service."""
    return _CI.sub(r"\g<0> ", text.translate(_TABLE))


def one_line(text: str) -> str:
    """Return a text as one line without such commands; line ends are shown as escapes."""
    return _CI.sub(r"\g<0> ", text.translate(_ONE_LINE))


def shortened(text: str, most: int = 2000) -> str:
    """Return a text of a bounded length, with its beginning and its end."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]} ... {text[-half:]}"


def spreadsheet_cell(value: Any) -> Any:
    """Return a value for CSV that a spreadsheet will not take for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return "" if value is None else value


class PlainLines:
    """A filter that makes a stream of pieces plain; a line may span several of them."""

    def __init__(self) -> None:
        self._line = ""

    def add(self, text: str) -> str:
        """Return the safe text for the next piece."""
        return "".join(self._pieces(text.translate(_TABLE).split("\n")))

    def _pieces(self, parts: Iterable[str]) -> Iterator[str]:
        for number, part in enumerate(parts):
            if number:
                self._line = ""
                yield "\n"
            line = _CI.sub(r"\g<0> ", self._line + part)
            yield line[len(self._line) :]
            self._line = line
