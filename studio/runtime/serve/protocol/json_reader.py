"""Reader of large JSON documents in pieces, so that other threads get their turn.

Python's own reader blocks all threads until it has read all, which takes seconds for the largest
body that a request may have. Here it reads some ten kilobytes at a time: as many whole elements of
a list as lie between two commas. What is around them (objects, and what is too long for a piece)
is read step by step.
"""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, Dict, List, Set, Tuple, Union

import numpy as np

_PIECE = 64 * 1024
_PLAIN = re.compile(r'[^"{]{0,%d}' % _PIECE)
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMERIC = re.compile(r"[-+0-9.eE,\[\] \t\n\r]*")
_FRACTION = re.compile(r"[.eE]")
_OPEN, _CLOSE, _COMMA = b"[],"
MOST_OBJECTS = 10_000
"""In one list: a request has as many as its model has inputs."""


JsonObject = Dict[str, Any]
JsonList = List[Any]
"""Parts of a document from outside; their readers check the content."""


class Numbers:
    """A list of numbers, or of lists of them, as arrays: a tenth of what a list takes.

    Attributes:
        pieces: int64 or float64, one behind the other; each has the axes of the list.
        kinds: The types of Python that the list would have.
    """

    def __init__(self) -> None:
        self.pieces: List[np.ndarray] = []
        self.kinds: Set[type] = set()

    def add(self, values: JsonList, text: str) -> bool:
        """Add values if they fit: rows of one length with numbers of usual size do.

        Args:
            text: That they were read from.
        """
        if _NUMERIC.fullmatch(text) is None:
            return False
        kind = float if _FRACTION.search(text) else int
        try:
            piece = np.array(values, np.float64 if kind is float else np.int64)
        except (OverflowError, ValueError):
            return False
        return self._append(piece, {kind})

    def add_row(self, row: Numbers) -> bool:
        """Add a long row."""
        return all(self._append(piece[None], row.kinds) for piece in row.pieces)

    def _append(self, piece: np.ndarray, kinds: Set[type]) -> bool:
        if self.pieces and piece.ndim != self.pieces[0].ndim:
            return False
        self.pieces.append(piece)
        self.kinds |= kinds
        return True

    def listed(self) -> JsonList:
        """The same as a list."""
        found: JsonList = []
        for piece in self.pieces:
            found += piece.tolist()
        return found


Values = Union[JsonList, Numbers]


class PieceReader:
    """Incremental reader of one JSON document."""

    def __init__(self, text: str, decoder: json.JSONDecoder, tensors: str = "") -> None:
        """Begin.

        Args:
            tensors: The key whose long lists of numbers become ``Numbers``; empty for none. Lists
                of objects are then limited, too.
        """
        self._text = text
        self._decoder = decoder
        self._tensors = tensors

    def read(self) -> Any:
        """Return the document.

        Raises:
            ValueError: when it is no JSON.
            RecursionError: when it is nested too deeply.
        """
        value, end = self._value(self._skip(0), False)
        if self._skip(end) != len(self._text):
            raise ValueError("there is more behind the end of the document")
        return value

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        assert match is not None
        return match.end()

    def _value(self, at: int, compact: bool) -> Tuple[Any, int]:
        first = self._text[at : at + 1]
        if first == "{":
            return self._object(at + 1)
        if first == "[":
            return self._list(at + 1, compact)
        try:
            found: Tuple[Any, int] = self._decoder.raw_decode(self._text, at)
        except IndexError:  # of a Python that looks beyond the end
            raise ValueError("the document ends too early") from None
        return found

    def _object(self, at: int) -> Tuple[JsonObject, int]:
        found: JsonObject = {}
        at = self._skip(at)
        if self._text[at : at + 1] == "}":
            return found, at + 1
        while True:
            self._expect('"', at)
            key, at = scanstring(self._text, at + 1, True)
            at = self._skip(at)
            self._expect(":", at)
            compact = bool(self._tensors) and key == self._tensors
            found[key], at = self._value(self._skip(at + 1), compact)
            at = self._skip(at)
            if self._text[at : at + 1] == "}":
                return found, at + 1
            self._expect(",", at)
            at = self._skip(at + 1)

    def _expect(self, character: str, at: int) -> None:
        if self._text[at : at + 1] != character:
            raise ValueError("{!r} is missing at character {}".format(character, at))

    def _list(self, at: int, compact: bool) -> Tuple[Values, int]:
        found: Values = Numbers() if compact else []
        at = self._skip(at)
        if self._text[at : at + 1] == "]":
            return [], at + 1
        objects = 0
        while True:
            end = self._end_of_piece(at)
            if end > at:
                found = self._with_piece(found, at, end)
            else:
                objects += self._text[at : at + 1] == "{"
                if self._tensors and objects > MOST_OBJECTS:
                    raise ValueError("a list has more than {} objects".format(MOST_OBJECTS))
                value, end = self._value(at, compact)
                found = _with_value(found, value)
            at = self._skip(end)
            if self._text[at : at + 1] == "]":
                return found, at + 1
            self._expect(",", at)
            at = self._skip(at + 1)

    def _with_piece(self, found: Values, at: int, end: int) -> Values:
        """Return a list, and the values between two places."""
        text = self._text[at:end]
        piece = self._decoder.decode("[{}]".format(text))
        if not piece:
            raise ValueError("a value is missing at character {}".format(at))
        if isinstance(found, Numbers):
            if found.add(piece, text):
                return found
            found = found.listed()
        found += piece
        return found

    def _end_of_piece(self, at: int) -> int:
        """Return the end of as many whole elements as make a piece; ``at`` when there are none."""
        match = _PLAIN.match(self._text, at)
        assert match is not None
        plain = self._text[at : match.end()].encode("ascii", "replace")
        signs = np.frombuffer(plain, np.uint8)
        depth = np.cumsum((signs == _OPEN).astype(np.int32) - (signs == _CLOSE))
        beyond = np.flatnonzero(depth < 0)
        if len(beyond):  # the list ends in this piece
            return at + int(beyond[0])
        commas = np.flatnonzero((signs == _COMMA) & (depth == 0))
        return at + int(commas[-1]) if len(commas) else at


def _with_value(found: Values, value: object) -> Values:
    """Return a list, and one more value that was too long for a piece."""
    if isinstance(found, Numbers):
        if isinstance(value, Numbers) and found.add_row(value):
            return found
        found = found.listed()
    found.append(value.listed() if isinstance(value, Numbers) else value)
    return found
