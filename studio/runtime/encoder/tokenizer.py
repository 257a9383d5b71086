"""The tokenizer of an encoder: texts to tokens, with those at the ends of a text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Pattern, Protocol, Sequence, Tuple

from ..generate.backends.tokenizer_files import read_object
from ..shared.documents import read_record
from ..shared.errors import LoadError
from .text_ends import TextEnds, ends_of
from .word_piece import Normalization, WordPiece

_MOST_TOKENS = 4 << 20
_PACKAGE = "tokenizers"
"""Package that reads every other kind of tokenizer."""


class Splitter(Protocol):
    """A tokenizer without the tokens at the ends of a text."""

    def encode(self, text: str) -> List[int]:
        """Return the tokens."""


class EncoderTokenizer(NamedTuple):
    """The loaded tokenizer of an encoder.

    Attributes:
        vocabulary: Number of tokens.
        pad: Token that fills short texts up.
    """

    splitter: Splitter
    ends: TextEnds
    vocabulary: int
    pad: int

    def encode(self, text: str) -> List[int]:
        """Return the tokens of a text with those at its ends."""
        return [*self.ends.begin, *self.splitter.encode(text), *self.ends.end]

    def cut(self, tokens: List[int], most: int) -> List[int]:
        """Return the first tokens of a text and those at its end."""
        end = self.ends.end
        return tokens if len(tokens) <= most else [*tokens[: most - len(end)], *end]


class _Kind(NamedTuple):
    type: str = ""


class _Normalizer(NamedTuple):
    type: str = ""
    clean_text: bool = True
    handle_chinese_chars: bool = True
    strip_accents: Optional[bool] = None
    lowercase: bool = True


class _Vocabulary(NamedTuple):
    vocab: object
    type: str = "WordPiece"
    unk_token: str = "[UNK]"
    continuing_subword_prefix: str = "##"
    max_input_chars_per_word: int = 100


class _Added(NamedTuple):
    id: int
    content: str
    normalized: bool = False
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False


class _Padding(NamedTuple):
    pad_id: int = 0


class _TokenizerFile(NamedTuple):
    """The part of a ``tokenizer.json`` that is read."""

    model: _Vocabulary
    normalizer: Optional[_Normalizer] = None
    pre_tokenizer: Optional[_Kind] = None
    post_processor: object = None
    added_tokens: Tuple[_Added, ...] = ()
    padding: Optional[_Padding] = None


_WRONG = (AttributeError, KeyError, TypeError, ValueError, IndexError)
_BERT = ("WordPiece", "BertNormalizer", "BertPreTokenizer")


def load_tokenizer(path: Path) -> EncoderTokenizer:
    """Read a ``tokenizer.json``.

    Raises:
        LoadError: in one sentence, when it is missing or damaged, or needs a missing package.
    """
    table = read_object(path)
    if not table:
        raise LoadError("The tokenizer {} is missing.".format(path.name))
    try:
        file = read_record(_TokenizerFile, table)
        splitter = _foreign(path) if _is_foreign(file) else _own_splitter(file)
        ends = ends_of(file.post_processor)
        return EncoderTokenizer(splitter, ends, _size(file), _pad(file))
    except _WRONG:
        raise LoadError("{} is no tokenizer that can be read.".format(path.name)) from None


def needs_package(path: Path) -> bool:
    """Return whether a ``tokenizer.json`` is of a kind that only the package can read.

    Raises:
        LoadError: when it is missing or damaged.
    """
    try:
        file = read_record(_TokenizerFile, read_object(path))
        if _is_foreign(file):
            return True
        _own_splitter(file)
    except _WRONG:
        raise LoadError("{} is no tokenizer that can be read.".format(path.name)) from None
    return False


def _is_foreign(file: _TokenizerFile) -> bool:
    normalizer, pre = file.normalizer or _Normalizer(), file.pre_tokenizer or _Kind()
    if (file.model.type, normalizer.type, pre.type) != _BERT:
        return True
    return any(one.normalized or one.single_word for one in file.added_tokens)


def _own_splitter(file: _TokenizerFile) -> Splitter:
    """Return the splitter of a WordPiece tokenizer."""
    model, normalizer = file.model, file.normalizer or _Normalizer()
    if not isinstance(model.vocab, dict):
        raise TypeError("no words")
    words: Dict[str, int] = {str(word): int(number) for word, number in model.vocab.items()}
    if not words or len(words) + len(file.added_tokens) > _MOST_TOKENS:
        raise ValueError("no words, or too many")
    lower, accents = normalizer.lowercase, normalizer.strip_accents
    pieces = WordPiece(
        words,
        Normalization(
            normalizer.clean_text,
            normalizer.handle_chinese_chars,
            lower if accents is None else accents,
            lower,
        ),
        model.unk_token,
        model.continuing_subword_prefix,
        model.max_input_chars_per_word,
    )
    return _WithAdded(pieces, file.added_tokens) if file.added_tokens else pieces


class _WithAdded:
    """A splitter that first takes out tokens that are written by their names."""

    def __init__(self, pieces: Splitter, added: Sequence[_Added]) -> None:
        self._pieces = pieces
        self._numbers = {one.content: one.id for one in added}
        ordered = sorted(added, key=lambda one: -len(one.content))
        self._names: Pattern[str] = re.compile("|".join(map(_pattern, ordered)))

    def encode(self, text: str) -> List[int]:
        """Return the tokens."""
        found: List[int] = []
        place = 0
        for match in self._names.finditer(text):
            found += self._pieces.encode(text[place : match.start()])
            found.append(self._numbers[match.group().strip()])
            place = match.end()
        return found + self._pieces.encode(text[place:])


def _pattern(one: _Added) -> str:
    name = re.escape(one.content)
    return (r"\s*" if one.lstrip else "") + name + (r"\s*" if one.rstrip else "")


class _Foreign:
    """A tokenizer of the package ``tokenizers``."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> List[int]:
        """Return the tokens of a text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


def _foreign(path: Path) -> Splitter:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        sentence = "{} is of a kind that needs the package {}, which is missing."
        raise LoadError(sentence.format(path.name, _PACKAGE)) from None
    try:
        found = Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises its own, without a class
        raise LoadError("{} is no tokenizer that can be read.".format(path.name)) from error
    found.no_truncation()
    found.no_padding()
    return _Foreign(found)


def _size(file: _TokenizerFile) -> int:
    words = file.model.vocab
    if isinstance(words, list):  # Unigram: pieces with their probabilities
        numbers = list(range(len(words)))
    else:
        numbers = [int(one) for one in words.values()]  # type: ignore[attr-defined]
    return 1 + max((*numbers, *(one.id for one in file.added_tokens)))


def _pad(file: _TokenizerFile) -> int:
    if file.padding is not None and file.padding.pad_id >= 0:
        return file.padding.pad_id
    added = {one.content: one.id for one in file.added_tokens}
    return next((added[name] for name in ("[PAD]", "<pad>") if name in added), 0)
