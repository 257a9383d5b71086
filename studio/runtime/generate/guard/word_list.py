"""Words and phrases that are searched for together, in one walk over a text.

The automaton is that of Aho and Corasick (1975). Each character costs a bounded number of steps in
the mean, however many words there are.
"""

from __future__ import annotations

from array import array
from collections import deque
from typing import Deque, Dict, Sequence, Tuple

from .errors import GuardError
from .folds import WORDS

MOST_CHARACTERS = 100_000
_SHIFT = 21
_MASK = (1 << _SHIFT) - 1


def folded(text: str) -> str:
    """Return a text as its words, with one space between two of them."""
    return " ".join(text.translate(WORDS).split())


class WordList:
    """An automaton of words; its states are numbers, and 0 is the first."""

    def __init__(self, words: Sequence[str]) -> None:
        """Prepare a search for whole words and phrases.

        Raises:
            GuardError: for a word without a letter or digit, or for too many.
        """
        phrases = [folded(word) for word in words]
        for place, phrase in enumerate(phrases):
            if not phrase:
                raise GuardError("it has no letter and no digit", place)
        if sum(map(len, phrases)) > MOST_CHARACTERS:
            sentence = "the words have more than {} characters together"
            raise GuardError(sentence.format(MOST_CHARACTERS))
        self._next: Dict[int, int] = {}
        self._depths, self._ends = array("I", [0]), bytearray(1)
        for phrase in phrases:
            self._add(" {} ".format(phrase))
        self._others = self._linked()

    def _add(self, phrase: str) -> None:
        state = 0
        for char in phrase:
            key = state << _SHIFT | ord(char)
            if key not in self._next:
                self._next[key] = len(self._ends)
                self._depths.append(self._depths[state] + 1)
                self._ends.append(0)
            state = self._next[key]
        self._ends[state] = 1

    def _linked(self) -> array[int]:
        """Return, for each state, that of the longest other beginning which it ends with."""
        others = array("I", bytes(4 * len(self._ends)))
        below: Dict[int, Dict[int, int]] = {}
        for key, child in self._next.items():
            below.setdefault(key >> _SHIFT, {})[key & _MASK] = child
        queue: Deque[Tuple[int, int, int]] = deque((0, *one) for one in below.get(0, {}).items())
        while queue:
            parent, code, child = queue.popleft()
            if parent:
                others[child] = self._step(others, others[parent], code)
            self._ends[child] |= self._ends[others[child]]
            queue.extend((child, *one) for one in below.get(child, {}).items())
        return others

    def _step(self, others: array[int], state: int, code: int) -> int:
        known = self._next
        while True:
            found = known.get(state << _SHIFT | code)
            if found is not None:
                return found
            if not state:
                return 0
            state = others[state]

    def step(self, state: int, char: str) -> int:
        """Return the state after one more folded character."""
        return self._step(self._others, state, ord(char))

    def is_end(self, state: int) -> bool:
        """Return whether a word ends with this state."""
        return bool(self._ends[state])

    def open_characters(self, state: int) -> int:
        """Return how many of the last folded characters may begin a word, its space left out."""
        return max(0, self._depths[state] - 1)

    def is_in(self, text: str) -> bool:
        """Return whether a text has one of the words."""
        state, step, others, ends = 0, self._step, self._others, self._ends
        for code in map(ord, " {} ".format(folded(text))):
            state = step(others, state, code)
            if ends[state]:
                return True
        return False
