"""Text that becomes tokens without any special one, by tokenizers that always look for them."""

from __future__ import annotations

import re
from typing import Callable, Iterator, List, Optional, Tuple

from .tokenizer_files import Vocabulary

Encode = Callable[[str], List[int]]
"""The tokens of a text without a NUL, by a tokenizer that adds none in front."""


class TextSplitter:
    """The tokens of texts.

    Names of special tokens in plain text are cut in two where words end, so that the tokenizer
    sees letters alone. A NUL, where texts of C end, becomes its own token.
    """

    def __init__(self, vocabulary: Vocabulary, encode: Encode) -> None:
        self._encode = encode
        self._names = {name for name in vocabulary.special if len(name) > 1}
        self._numbers = frozenset(vocabulary.special.values())
        self._lengths = sorted({len(name) for name in self._names})
        first = "".join(sorted({re.escape(name[0]) for name in self._names}))
        self._first = re.compile("[{}]".format(first) if first else "(?!)")
        self._nul = [number for number, piece in vocabulary.pieces.items() if piece == b"\0"][:1]

    def tokens(self, text: str, special: bool) -> List[int]:
        """Return the tokens of a text.

        Args:
            special: Names of special tokens become these tokens.
        """
        found: List[int] = []
        whole = text.encode("utf-8", "replace").decode("utf-8")
        for place, part in enumerate(whole.split("\0")):
            found += self._nul if place else []
            for span in [part] if special else self._spans(part):
                tokens = self._encode(span) if span else []
                found += tokens if special else self._plain(span, tokens)
        return found

    def _plain(self, span: str, tokens: List[int]) -> List[int]:
        """Return tokens without special ones, which letters of a normalised text can still give."""
        if self._numbers.isdisjoint(tokens):
            return tokens
        letters = (token for letter in span for token in self._encode(letter))
        return [token for token in letters if token not in self._numbers]

    def _spans(self, text: str) -> Iterator[str]:
        start = 0
        for cut in self._cuts(text):
            yield text[start:cut]
            start = cut
        yield text[start:]

    def _cuts(self, text: str) -> Iterator[int]:
        """Yield places inside the names of special tokens."""
        found = self._name(text, 0)
        while found is not None:
            place, name = found
            cut = place + cut_place(name)
            yield cut
            found = self._name(text, cut)

    def _name(self, text: str, start: int) -> Optional[Tuple[int, str]]:
        """Return the next name and its place; the shortest of those that begin there."""
        for letter in self._first.finditer(text, start):
            place = letter.start()
            for length in self._lengths:
                name = text[place : place + length]
                if name in self._names:
                    return place, name
        return None


def cut_place(name: str) -> int:
    """Return where a name is cut: after its first word, as tokenizers end words there."""
    places = range(1, len(name))
    ends = (one for one in places if name[one - 1].isalpha() and not name[one].isalpha())
    return next(ends, 1)
