"""Searches in an answer that comes piece by piece, and what of it may still become a match."""

from __future__ import annotations

from collections import deque
from typing import Deque, Mapping, Protocol

from ..request import Constraint
from ..schema.constraint import constraint_of
from .automaton import PatternSearch
from .folds import WORDS
from .word_list import WordList


class AnswerSearch(Protocol):
    """A search in one answer.

    Attributes:
        matched: What is searched for was found.
        safe: Characters of the answer that can belong to no match.
    """

    matched: bool
    safe: int

    def add(self, text: str) -> None:
        """Take more of the answer."""

    def end(self, whole: bool) -> None:
        """Take the end of the answer.

        Args:
            whole: The model ended it, and it was not cut.
        """


class _Starts:
    """Places in the answer where the last folded characters began."""

    def __init__(self) -> None:
        self._places: Deque[int] = deque()

    def add(self, place: int) -> None:
        self._places.append(place)

    def keep(self, count: int, otherwise: int) -> int:
        """Drop all but the last ones; return the first place of these."""
        while len(self._places) > count:
            self._places.popleft()
        return self._places[0] if self._places else otherwise


class WordsInAnswer:
    """A search for words; a word is one when the next character ends it."""

    def __init__(self, words: WordList) -> None:
        self._words = words
        self._state = words.step(0, " ")
        self._spaced = True
        self._length = 0
        self._starts = _Starts()
        self.matched, self.safe = False, 0

    def add(self, text: str) -> None:
        """Take more of the answer."""
        for char in text:
            for folded in WORDS[ord(char)]:
                self._step(folded)
                if self.matched:
                    break
            if self.matched:
                break
            self._length += 1
        open_ones = self._words.open_characters(self._state)
        self.safe = self._starts.keep(open_ones, self._length)

    def end(self, whole: bool) -> None:
        """Take the end of the answer, which ends a word."""
        if not self.matched:
            self._step(" ")
        if not self.matched:
            self.safe = self._length

    def _step(self, folded: str) -> None:
        space = folded == " "
        if space and self._spaced:
            return
        self._spaced = space
        self._starts.add(self._length)
        self._state = self._words.step(self._state, folded)
        self.matched = self._words.is_end(self._state)
        if self._words.open_characters(self._state) == 0:
            self._starts.keep(0, 0)


class PatternInAnswer:
    """A search for a pattern; what follows the begin of a possible match is not safe."""

    def __init__(self, pattern: PatternSearch) -> None:
        self._pattern = pattern
        self._readings = pattern.begin
        self._length = 0
        self._starts = _Starts()
        self.matched, self.safe = False, 0

    def add(self, text: str) -> None:
        """Take more of the answer."""
        pattern = self._pattern
        for char in text:
            for folded in pattern.folded(char):
                self._readings = pattern.step(self._readings, folded)
                if self._readings.matched:
                    self.matched = True
                    self.safe = self._starts.keep(pattern.longest, self._length)
                    return
                self._starts.add(self._length)
                self._starts.keep(0 if self._readings.is_idle else pattern.longest, 0)
            self._length += 1
        self.safe = self._starts.keep(pattern.longest, self._length)

    def end(self, whole: bool) -> None:
        """Take the end of the answer."""
        self.matched = self.matched or self._pattern.end(self._readings)
        if not self.matched:
            self.safe = self._length


class LengthOfAnswer:
    """A count of characters, of which further ones than some are too many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._length = 0
        self.matched, self.safe = False, 0

    def add(self, text: str) -> None:
        """Take more of the answer."""
        self._length += len(text)
        self.matched = self._length > self._most
        self.safe = min(self._length, self._most)

    def end(self, whole: bool) -> None:
        """Take the end of the answer, which adds nothing."""


class FormOfAnswer:
    """A comparison with a JSON Schema; the first character that breaks it is found."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        self._rule: Constraint = constraint_of(schema)
        self._began = self._ended = False
        self._length = 0
        self.matched, self.safe = False, 0

    def add(self, text: str) -> None:
        """Take more of the answer."""
        for char in text:
            if not self._takes(char):
                self.matched, self.safe = True, self._length
                return
            self._length += 1
        self.safe = self._length

    def _takes(self, char: str) -> bool:
        """Return whether a character may follow; there may be space around the value."""
        if char.isspace() and (not self._began or self._rule.is_complete):
            self._ended = self._began
            return True
        self._began = True
        piece = char.encode("utf-8", "replace")
        if self._ended or not self._rule.admits(piece):
            return False
        self._rule.add(piece)
        return True

    def end(self, whole: bool) -> None:
        """Take the end of the answer: one that the model ended is whole JSON."""
        self.matched = self.matched or (whole and not self._rule.is_complete)
