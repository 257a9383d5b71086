"""An encoder of texts: what a model is fed for texts, and their vectors from its output."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..shared.errors import LoadError
from .settings import INPUTS, KINDS, MASK, TOKENS, EncoderSettings
from .tokenizer import load_tokenizer
from .vectors import normalized, pooled

_TOKENS_OF_A_RUN = 4096
_TEXTS_OF_A_RUN = 32
_LETTERS = 64
"""Characters of a token at most, roughly: longer texts are refused before they are split."""


class TextTooLong(Exception):
    """A text of more tokens than the model takes, in one sentence."""


class EncoderInput(NamedTuple):
    """An input of the model.

    Attributes:
        shape: -1 for any size.
    """

    dtype: np.dtype
    shape: Tuple[int, ...]


class TextRun(NamedTuple):
    """Texts that are run together.

    Attributes:
        places: Of the texts among all.
        mask: 1 for each token: (texts, tokens).
    """

    places: Sequence[int]
    feeds: Dict[str, np.ndarray]
    mask: np.ndarray


class TextEncoder:
    """The tokenizer and the pooling of a model of vectors.

    Attributes:
        settings: From the bundle.
    """

    def __init__(
        self, settings: EncoderSettings, folder: Path, inputs: Mapping[str, EncoderInput]
    ) -> None:
        """Load the tokenizer.

        Args:
            folder: Of the bundle.

        Raises:
            LoadError: in one sentence, when it cannot be read, or the model takes other inputs.
        """
        others = sorted(set(inputs) - set(INPUTS))
        if others or TOKENS not in inputs:
            sentence = "An encoder of texts takes input_ids, and this model takes {}."
            raise LoadError(sentence.format(", ".join(sorted(inputs))[:200]))
        self._inputs = inputs
        self._tokenizer = load_tokenizer(folder / settings.tokenizer)
        shape = inputs[TOKENS].shape
        self._rows, self._columns = (*shape, -1, -1)[:2]
        most = settings.most if self._columns < 0 else min(settings.most, self._columns)
        self.settings = settings._replace(most=most)

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return self._tokenizer.vocabulary

    def tokens_of(self, text: str, most: Optional[int] = None) -> List[int]:
        """Return the tokens of a text.

        Args:
            most: Longer texts are cut to that many tokens; None: they are refused.

        Raises:
            TextTooLong: in one sentence.
        """
        limit = self.settings.most
        if most is None and len(text) > _LETTERS * limit:
            raise TextTooLong(_too_long("more than {}".format(limit), limit))
        # JSON may have halves of characters, which not every tokenizer takes.
        text = text[: _LETTERS * limit].encode("utf-8", "replace").decode("utf-8")
        tokens = self._tokenizer.encode(text)
        if most is not None:
            return self._tokenizer.cut(tokens, min(most, limit))
        self.check_length(len(tokens))
        return tokens

    def check_length(self, tokens: int) -> None:
        """Check that a text is not too long.

        Raises:
            TextTooLong: when it is.
        """
        if tokens > self.settings.most:
            raise TextTooLong(_too_long(str(tokens), self.settings.most))

    def runs(self, texts: Sequence[Sequence[int]]) -> Iterator[TextRun]:
        """Yield the runs of the model for the tokens of texts; similar lengths together."""
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        while order:
            longest = max(len(texts[order[0]]), 1)
            rows = self._rows if self._rows > 0 else max(1, _TOKENS_OF_A_RUN // longest)
            rows = min(rows, self._rows if self._rows > 0 else _TEXTS_OF_A_RUN)
            chosen, order = order[:rows], order[rows:]
            yield self._run(chosen, [texts[place] for place in chosen], longest)

    def vectors(self, run: TextRun, states: np.ndarray, dimensions: int) -> np.ndarray:
        """Return the vectors of a run's texts: (texts, dimensions).

        Raises:
            ValueError: when the output has another form, or holds values that are not finite.
        """
        found = pooled(states, run.mask, self.settings.pooling)[: len(run.places)]
        if found.shape[1] != self.settings.width:
            raise ValueError("The model gave vectors of another length than its bundle records.")
        if not np.isfinite(found).all():
            raise ValueError("The model gave values that are not finite.")
        shorter = dimensions < found.shape[1]
        found = found[:, :dimensions]
        return normalized(found) if self.settings.normalize or shorter else found

    def _run(self, places: Sequence[int], texts: Sequence[Sequence[int]], longest: int) -> TextRun:
        rows = max(len(texts), self._rows)
        columns = self._columns if self._columns > 0 else longest
        tokens = np.full((rows, columns), self._tokenizer.pad, np.int64)
        mask = np.zeros((rows, columns), np.int64)
        for row, text in enumerate(texts):
            tokens[row, : len(text)] = text
            mask[row, : len(text)] = 1
        mask[len(texts) :, 0] = 1  # a row of a fixed batch that is not needed
        positions = np.broadcast_to(np.arange(columns), (rows, columns))
        known = {TOKENS: tokens, MASK: mask, KINDS: np.zeros_like(mask)}
        feeds = {
            name: np.ascontiguousarray(known.get(name, positions), one.dtype)
            for name, one in self._inputs.items()
        }
        return TextRun(places, feeds, mask)


def _too_long(tokens: str, most: int) -> str:
    return "A text has {} tokens; the model takes {}.".format(tokens, most)
