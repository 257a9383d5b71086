"""JSON in lines, so that no single call of its reader holds the interpreter for long.

The first line is the document, in which each long list or object is replaced by the place of the
lines that hold its pieces.
"""

from __future__ import annotations

import json
from typing import Any

_LONG = 2_000
_MARK = "\0pieces"
"""Key of a long value's reference, [first line, lines]; no name in a model begins so."""


def dumps(data: Any) -> str:
    """Return the lines of a document; objects and lists within long ones stay whole."""
    lines: list[str] = []
    head = _text(_split(data, lines))
    return "\n".join([head, *lines])


def loads(content: bytes) -> Any:
    """Return the document of some lines; plain JSON is a document of one.

    Raises:
        ValueError, KeyError, IndexError: when it is damaged.
    """
    lines = _Lines(content)
    return _joined(json.loads(lines[0]), lines)


class _Lines:
    """Lines of a document, each sliced from it on access."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._starts = [0]
        at = content.find(b"\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = content.find(b"\n", at + 1)
        self._starts.append(len(content) + 1)

    def __getitem__(self, number: int) -> bytes:
        start, end = self._starts[number : number + 2]
        return self._content[start : end - 1]


def _text(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=True)


def _split(data: Any, lines: list[str]) -> Any:
    if isinstance(data, (list, tuple, dict)) and len(data) > _LONG:
        first = len(lines) + 1
        items = list(data.items()) if isinstance(data, dict) else list(data)
        for start in range(0, len(items), _LONG):
            part = items[start : start + _LONG]
            lines.append(_text(dict(part) if isinstance(data, dict) else part))
        return {_MARK: [first, len(lines) + 1 - first]}
    if isinstance(data, dict):
        return {key: _split(value, lines) for key, value in data.items()}
    return data


def _joined(data: Any, lines: _Lines) -> Any:
    if not isinstance(data, dict):
        return data
    place = data.get(_MARK)
    if place is None:
        return {key: _joined(value, lines) for key, value in data.items()}
    whole: Any = None
    for number in range(place[0], place[0] + place[1]):
        part = json.loads(lines[number])
        if whole is None:
            whole = part
        elif isinstance(whole, dict):
            whole.update(part)
        else:
            whole += part
    return whole
