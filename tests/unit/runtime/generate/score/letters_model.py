"""A language model of letters: the scores of the next one follow from the last one alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from studio.runtime.generate.text_model import ContextFull, Part, TextModelFacts

LETTERS = 32
END = 31
NAMES = "abcdefghijklmnopqrstuvwxyz .,?!"


class LettersModel:
    """Tokens are places in ``NAMES``; the last token ends an answer.

    Attributes:
        table: Scores after each token: float32 (LETTERS, LETTERS).
        ran: Number of tokens that were run.
    """

    def __init__(
        self,
        table: np.ndarray,
        begin: tuple[int, ...] = (),
        context: int = 64,
        batch: int = 512,
        forgets: bool = False,
    ) -> None:
        self.table, self.ran, self.forgets = table, 0, forgets
        self.held: list[int] = []
        self._facts = TextModelFacts(
            "1", LETTERS, context, 1, batch, begin, frozenset({END}), "<|im_start|>"
        )

    @property
    def facts(self) -> TextModelFacts:
        return self._facts

    def encode(self, text: str, special: bool = False) -> list[int]:
        return [NAMES.index(one) for one in text.lower() if one in NAMES]

    def piece(self, token: int) -> bytes:
        return NAMES[token].encode() if token < len(NAMES) else b""

    def run(self, parts: Sequence[Part]) -> list[np.ndarray]:
        (part,) = parts
        if len(self.held) + len(part.tokens) > self._facts.context:
            raise ContextFull
        self.held += part.tokens
        self.ran += len(part.tokens)
        wanted = list(part.tokens)[len(part.tokens) - part.scores :]
        return [self.table[wanted].astype(np.float32)]

    def keep(self, slot: int, tokens: int) -> int:
        count = 0 if self.forgets and tokens < len(self.held) else tokens
        del self.held[count:]
        return count

    def close(self) -> None:
        self.held = []


def table(seed: int, noise: float = 0.0) -> np.ndarray:
    """Return scores, and with a noise those of a model that is near to it."""
    first = np.random.default_rng(seed).normal(0, 2, (LETTERS, LETTERS))
    return (first + noise * np.random.default_rng(99).normal(size=first.shape)).astype(np.float32)
