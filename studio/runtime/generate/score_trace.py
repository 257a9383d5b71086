"""Scores of the first tokens of one answer, kept for a comparison."""

from __future__ import annotations

from typing import List

import numpy as np


class ScoreTrace:
    """Copies of the scores from which the first tokens of an answer were chosen.

    It is written by the loop's thread, and read by another one after the answer.

    Args:
        most: Tokens that are kept.

    Attributes:
        tokens: The chosen tokens; an end token is one of them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: List[np.ndarray] = []
        self.tokens: List[int] = []

    @property
    def is_full(self) -> bool:
        """Whether it takes no more."""
        return len(self.tokens) >= self._most

    def add(self, scores: np.ndarray, token: int) -> None:
        """Add scores before softmax, float32 (vocabulary), and the token chosen from them."""
        if not self.is_full:
            self._rows.append(scores.copy())
            self.tokens.append(token)

    @property
    def scores(self) -> np.ndarray:
        """Scores before softmax, float32 (tokens, vocabulary)."""
        return np.stack(self._rows)
