"""A model and perhaps the one that it is compared with, run at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Iterator, List, Optional, Sequence, Tuple

import numpy as np

from ..text_model import TextModel
from .request import ScoreError
from .sequence import TokenSequence, rows_at_once

Rows = Tuple[np.ndarray, Optional[np.ndarray]]
"""Scores of the model and of the reference."""


class ModelPair:
    """A model and its reference, or the model alone.

    Attributes:
        models: Both, the reference last.
    """

    def __init__(self, model: TextModel, reference: Optional[TextModel] = None) -> None:
        self.models = [model] if reference is None else [model, reference]
        self.model, self.reference = model, reference
        self._sequences = [TokenSequence(one) for one in self.models]
        self._threads = ThreadPoolExecutor(1) if reference is not None else None
        if reference is not None:
            self._check_sizes(model, reference)

    @property
    def begin(self) -> Tuple[int, ...]:
        """Tokens in front of every text: those of the reference, so that both get the same."""
        return self.models[-1].facts.begin

    def encode(self, text: str, what: str, special: bool = False) -> List[int]:
        """Return the tokens of a text, the same for both models.

        Args:
            what: Name of the text, for the error.

        Raises:
            ScoreError: when the tokenizers differ.
        """
        tokens = self.model.encode(text, special)
        if self.reference is None:
            return tokens
        others = self.reference.encode(text, special)
        if tokens == others:
            return tokens
        same = next(
            (place for place, (a, b) in enumerate(zip(tokens, others)) if a != b),
            min(len(tokens), len(others)),
        )
        raise ScoreError(
            "The tokenizers of both models differ from token {} of {} on, so their scores cannot "
            "be compared.".format(same + 1, what)
        )

    def scores(self, tokens: Sequence[int], wanted: int) -> Iterator[Rows]:
        """Yield the scores after the last tokens by both models, as many rows of each."""
        ours = self._sequences[0].scores(tokens, wanted)
        if self._threads is None:
            for scores in ours:
                yield scores, None
            return
        theirs = self._sequences[1].scores(tokens, wanted)
        while True:
            pending = self._threads.submit(_next, theirs)
            try:
                rows = _next(ours)
            finally:  # a run of the reference must have ended before its next one
                wait([pending])
            other = pending.result()
            if rows is None or other is None:
                return
            yield rows, other

    def last(self, tokens: Sequence[int]) -> Rows:
        """Return the scores after the last token, (vocabulary) each."""
        for ours, theirs in self.scores(tokens, 1):
            return ours[-1], None if theirs is None else theirs[-1]
        raise ValueError("no tokens")

    def alone(self, index: int) -> TokenSequence:
        """Return the sequence of one of the models."""
        return self._sequences[index]

    def close(self) -> None:
        """Free both models."""
        if self._threads is not None:
            self._threads.shutdown()
        for one in self.models:
            one.close()

    def _check_sizes(self, model: TextModel, reference: TextModel) -> None:
        ours, theirs = model.facts.vocabulary, reference.facts.vocabulary
        if ours != theirs:
            raise ScoreError(
                "The model scores {:,} tokens and the reference {:,}, so they cannot be "
                "compared.".format(ours, theirs)
            )
        if rows_at_once(model) != rows_at_once(reference):
            raise ScoreError("Both models need the same batch.")


def _next(rows: Iterator[np.ndarray]) -> Optional[np.ndarray]:
    """Return the next rows; None at the end."""
    return next(rows, None)
