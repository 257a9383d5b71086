"""WordPiece, the tokenizer of BERT and most small encoders, without a package of its own.

Rules and order are those of Hugging Face's ``tokenizers`` for ``BertNormalizer``,
``BertPreTokenizer`` and ``WordPiece`` (Wu et al. 2016, Devlin et al. 2019).
"""

from __future__ import annotations

import unicodedata
from typing import Dict, Iterator, List, Mapping, NamedTuple

_CHINESE = (
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F)),
    *((0x2B740, 0x2B81F), (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)
_CONTROLS = ("Cc", "Cf", "Co", "Cs")
_KEPT_WORDS = 1 << 14
"""Words whose pieces are remembered; then they are forgotten together."""


class Normalization(NamedTuple):
    """The changes to a text before it is split into words.

    Attributes:
        clean: Control characters are left out.
        chinese: Each Chinese character is a word.
        accents: They are taken off.
        lower: Letters become small.
    """

    clean: bool = True
    chinese: bool = True
    accents: bool = True
    lower: bool = True

    def apply(self, text: str) -> str:
        """Return the normalized text."""
        if self.clean:
            text = "".join(_cleaned(text))
        if self.chinese:
            text = "".join(" {} ".format(one) if _is_chinese(one) else one for one in text)
        if self.accents:
            parts = unicodedata.normalize("NFD", text)
            text = "".join(one for one in parts if unicodedata.category(one) != "Mn")
        if self.lower:
            # Letter by letter: str.lower() looks at the neighbours of a sigma.
            text = text.lower() if text.isascii() else "".join(one.lower() for one in text)
        return text


class WordPiece:
    """A vocabulary of words and pieces of words.

    Attributes:
        normalization: Changes to a text before it is split.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        normalization: Normalization,
        unknown: str = "[UNK]",
        prefix: str = "##",
        longest: int = 100,
    ) -> None:
        """Keep the vocabulary.

        Args:
            unknown: Token for words without pieces; it is in the vocabulary.
            prefix: In front of pieces that do not begin a word.
            longest: Characters of a word; longer ones are unknown.
        """
        self._vocabulary = vocabulary
        self.normalization = normalization
        self._unknown = [vocabulary[unknown]]
        self._prefix = prefix
        self._longest = longest
        self._room = max(map(len, vocabulary))
        self._words: Dict[str, List[int]] = {}

    def encode(self, text: str) -> List[int]:
        """Return the tokens of a text, without those at its ends."""
        found: List[int] = []
        for word in _words(self.normalization.apply(text)):
            pieces = self._words.get(word)
            if pieces is None:
                pieces = self._pieces(word)
                if len(self._words) >= _KEPT_WORDS:
                    self._words = {}
                self._words[word] = pieces
            found += pieces
        return found

    def _pieces(self, word: str) -> List[int]:
        """Return the longest pieces from the left; the unknown one where some part has none."""
        if len(word) > self._longest:
            return self._unknown
        found: List[int] = []
        begin = 0
        while begin < len(word):
            prefix = self._prefix if begin else ""
            for end in range(min(len(word), begin + self._room), begin, -1):
                number = self._vocabulary.get(prefix + word[begin:end])
                if number is not None:
                    found.append(number)
                    begin = end
                    break
            else:
                return self._unknown
        return found


def _cleaned(text: str) -> Iterator[str]:
    for one in text:
        if one in "\t\n\r" or (one.isspace() and unicodedata.category(one)[0] == "Z"):
            yield " "
        elif one not in "\0\ufffd" and unicodedata.category(one) not in _CONTROLS:
            yield one


def _words(text: str) -> Iterator[str]:
    """Split at blanks; each sign of punctuation is a word."""
    for part in text.split():
        if part.isalnum():
            yield part
            continue
        begin = 0
        for place, one in enumerate(part):
            if _is_punctuation(one):
                if begin < place:
                    yield part[begin:place]
                yield one
                begin = place + 1
        if begin < len(part):
            yield part[begin:]


def _is_punctuation(one: str) -> bool:
    if one.isascii():
        return one.isprintable() and not one.isalnum() and one != " "
    return unicodedata.category(one)[0] == "P"


def _is_chinese(one: str) -> bool:
    return one > "\u33ff" and any(first <= ord(one) <= last for first, last in _CHINESE)
