"""Settings of an encoder of texts, as the manifest of its bundle has them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple, Tuple

from ..shared.documents import read_record

CLS, MAX, MEAN, MEAN_SQRT, LAST, NONE = "cls", "max", "mean", "mean-sqrt", "last", "none"
POOLINGS = (CLS, MAX, MEAN, MEAN_SQRT, LAST, NONE)
"""From the vectors of the tokens to that of the text; ``none``: the model gives that one."""

TOKENS, MASK, KINDS, POSITIONS = "input_ids", "attention_mask", "token_type_ids", "position_ids"
INPUTS = (TOKENS, MASK, KINDS, POSITIONS)
"""Inputs that follow from the tokens of a text."""

_MOST_TOKENS = 1 << 20
_MOST_WIDTH = 1 << 16


class EncoderSettings(NamedTuple):
    """The part ``encoder`` of a manifest.

    Attributes:
        tokenizer: File of the bundle, as Hugging Face writes ``tokenizer.json``.
        output: Name of the output that is read.
        pooling: Some of ``POOLINGS``; the vectors of several follow each other.
        normalize: Vectors get the length 1.
        most: Tokens of a text, those at its ends included.
        width: Numbers of a vector.
        dimensions: Shorter lengths that the model was trained for; any length where it has a 0.
    """

    tokenizer: str
    output: str
    pooling: Tuple[str, ...] = (MEAN,)
    normalize: bool = False
    most: int = 512
    width: int = 0
    dimensions: Tuple[int, ...] = ()

    def check(self) -> None:
        """Check the values.

        Raises:
            ValueError: in one sentence.
        """
        file = PurePosixPath(self.tokenizer)
        if not file.name or file.is_absolute() or ".." in file.parts:
            raise ValueError("its tokenizer is no file of the bundle.")
        if not self.pooling or not set(self.pooling) <= set(POOLINGS):
            raise ValueError("pooling is one of {}.".format(", ".join(POOLINGS)))
        if not 1 <= self.most <= _MOST_TOKENS:
            raise ValueError("most is from 1 to {}.".format(_MOST_TOKENS))
        if not 1 <= self.width <= _MOST_WIDTH:
            raise ValueError("width is from 1 to {}.".format(_MOST_WIDTH))
        if not all(0 <= one <= self.width for one in self.dimensions):
            raise ValueError("dimensions are from 0 to the width.")

    def admits(self, dimensions: int) -> bool:
        """Return whether vectors may be cut to that length."""
        if dimensions == self.width or dimensions in self.dimensions:
            return True
        return 0 in self.dimensions and 1 <= dimensions < self.width


def encoder_settings(content: object) -> EncoderSettings:
    """Return the settings in a manifest.

    Raises:
        ValueError: in one sentence, when they are none.
    """
    try:
        found = read_record(EncoderSettings, content)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ValueError("it has other keys or types than expected.") from None
    found.check()
    return found
