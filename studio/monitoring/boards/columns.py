"""A column of texts as small numbers, for filters and groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_TEXTS = 20_000
"""Different texts of a column; a board that brings one more has ``(other)`` there."""

OTHER = "(other)"


class CodedColumn:
    """Texts of the rows, each stored once.

    Attributes:
        codes: Number of the text of each row.
        texts: By their numbers; the first is the empty one.
    """

    def __init__(self, rows: int = 0) -> None:
        self.codes: NDArray[np.int32] = np.zeros(rows, np.int32)
        self.texts = ["", OTHER]
        self._numbers = {"": 0, OTHER: 1}

    def make_room(self, rows: int) -> None:
        """Have at least that many rows."""
        if rows > len(self.codes):
            codes = np.zeros(rows, np.int32)
            codes[: len(self.codes)] = self.codes
            self.codes = codes

    def put(self, row: int, text: str) -> None:
        """Set the text of a row."""
        number = self._numbers.get(text)
        if number is None:
            if len(self.texts) >= MOST_TEXTS:
                number = self._numbers[OTHER]
            else:
                number = self._numbers[text] = len(self.texts)
                self.texts.append(text)
        self.codes[row] = number

    def equals(self, text: str, count: int) -> NDArray[np.bool_]:
        """Return which of the first rows have a text."""
        found: NDArray[np.bool_] = self.codes[:count] == self._numbers.get(text, -1)
        return found

    def begins(self, text: str, count: int) -> NDArray[np.bool_]:
        """Return which of the first rows have a text that begins so, such as a digest."""
        numbers = [n for n, one in enumerate(self.texts) if one.startswith(text)]
        found: NDArray[np.bool_] = np.isin(self.codes[:count], numbers)
        return found
