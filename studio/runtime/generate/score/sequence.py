"""One sequence of tokens in a model, which is continued from what two texts have in common."""

from __future__ import annotations

from typing import Iterator, List, Sequence

import numpy as np

from ..text_model import Part, TextModel

CELLS = 1 << 22
"""Most scores that are in memory at once; a vocabulary of 49,152 tokens leaves 85 positions."""


def rows_at_once(model: TextModel) -> int:
    """Return the number of positions whose scores are taken in one run."""
    return max(1, min(model.facts.batch, CELLS // model.facts.vocabulary))


class TokenSequence:
    """The first slot of a model.

    A next text that begins with the same tokens runs the others only.
    """

    def __init__(self, model: TextModel) -> None:
        self._model = model
        self._rows = rows_at_once(model)
        self._held: List[int] = []

    def scores(self, tokens: Sequence[int], wanted: int) -> Iterator[np.ndarray]:
        """Yield the scores after each of the last tokens, in order.

        Args:
            wanted: Number of the last tokens after which scores are wanted, at least 1.

        Yields:
            float32 (rows, vocabulary), valid until the next one.

        Raises:
            ContextFull: when the tokens are more than the slot holds.
        """
        first = len(tokens) - wanted
        place = self._return_to(tokens, first)
        while place < len(tokens):
            if place < first:
                end = min(first, place + self._model.facts.batch)
                self._run(tokens[place:end], 0)
            else:
                end = min(len(tokens), place + self._rows)
                yield self._run(tokens[place:end], end - place)
            place = end

    def last(self, tokens: Sequence[int]) -> np.ndarray:
        """Return the scores after the last token: float32 (vocabulary)."""
        for rows in self.scores(tokens, 1):
            final: np.ndarray = rows[-1]
            return final
        raise ValueError("no tokens")

    def _return_to(self, tokens: Sequence[int], most: int) -> int:
        """Keep what is common with the held tokens, up to a number; return that many."""
        common = 0
        for one, other in zip(self._held[:most], tokens):
            if one != other:
                break
            common += 1
        common = self._model.keep(0, common)
        del self._held[common:]
        return common

    def _run(self, tokens: Sequence[int], scores: int) -> np.ndarray:
        held, self._held = self._held, []  # not known while a run can fail
        found = self._model.run([Part(0, tokens, scores)])[0]
        self._held = held + list(tokens)
        return found
