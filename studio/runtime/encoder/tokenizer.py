"""The tokenizer of an encoder: texts to tokens, with those at the ends of a text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Pattern, Protocol, Tuple

from ..generate.backends.tokenizer_files import read_object
from ..shared.errors import LoadError
from .word_piece import Normalization, WordPiece

_MOST_TOKENS = 4 << 20
_FOREIGN = "tokenizers"
"""Package that reads every other kind of tokenizer."""


class NeedsPackage(Exception):
    """A tokenizer that only the package ``tokenizers`` can read."""


class Splitter(Protocol):
    """Splits a text into tokens, without those at its ends."""

    def encode(self, text: str) -> List[int]:
        """Return the tokens."""


class TextEnds(NamedTuple):
    """Tokens at the ends of every text."""

    begin: Tuple[int, ...] = ()
    end: Tuple[int, ...] = ()


class EncoderTokenizer(NamedTuple):
    """A loaded tokenizer.

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


def load_tokenizer(path: Path) -> EncoderTokenizer:
    """Read a ``tokenizer.json``.

    Raises:
        LoadError: in one sentence, when it is missing or damaged, or needs a missing package.
    """
    table = read_object(path)
    if not table:
        raise LoadError("The tokenizer {} is missing.".format(path.name))
    try:
        splitter: Splitter
        try:
            splitter = own_splitter(table)
        except NeedsPackage:
            splitter = _foreign(path)
        size = _size(table)
        return EncoderTokenizer(splitter, _ends(table.get("post_processor")), size, _pad(table))
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        raise LoadError("{} is no tokenizer that can be read.".format(path.name)) from None


def needs_package(path: Path) -> bool:
    """Return whether a ``tokenizer.json`` is of a kind that only the package can read.

    Raises:
        LoadError: when it is missing or damaged.
    """
    try:
        own_splitter(read_object(path))
    except NeedsPackage:
        return True
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        raise LoadError("{} is no tokenizer that can be read.".format(path.name)) from None
    return False


def own_splitter(table: Mapping[str, Any]) -> Splitter:
    """Return the splitter of a WordPiece tokenizer.

    Raises:
        NeedsPackage: for any other kind.
    """
    model, normalizer = table["model"], table.get("normalizer") or {}
    kinds = (
        model.get("type", "WordPiece"),
        normalizer.get("type"),
        (table.get("pre_tokenizer") or {}).get("type"),
    )
    if kinds != ("WordPiece", "BertNormalizer", "BertPreTokenizer"):
        raise NeedsPackage()
    added = table.get("added_tokens") or []
    if any(one.get("normalized") or one.get("single_word") for one in added):
        raise NeedsPackage()
    words: Dict[str, int] = {str(word): int(number) for word, number in model["vocab"].items()}
    if not words or len(words) + len(added) > _MOST_TOKENS:
        raise ValueError("too many tokens")
    lower = bool(normalizer.get("lowercase", True))
    accents = normalizer.get("strip_accents")
    pieces = WordPiece(
        words,
        Normalization(
            bool(normalizer.get("clean_text", True)),
            bool(normalizer.get("handle_chinese_chars", True)),
            lower if accents is None else bool(accents),
            lower,
        ),
        str(model.get("unk_token", "[UNK]")),
        str(model.get("continuing_subword_prefix", "##")),
        int(model.get("max_input_chars_per_word", 100)),
    )
    return _WithAdded(pieces, added) if added else pieces


class _WithAdded:
    """A splitter that first takes out tokens that are written by their names."""

    def __init__(self, pieces: Splitter, added: List[Mapping[str, Any]]) -> None:
        self._pieces = pieces
        self._numbers = {str(one["content"]): int(one["id"]) for one in added}
        ordered = sorted(added, key=lambda one: -len(str(one["content"])))
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


def _pattern(one: Mapping[str, Any]) -> str:
    name = re.escape(str(one["content"]))
    return (r"\s*" if one.get("lstrip") else "") + name + (r"\s*" if one.get("rstrip") else "")


class _Foreign:
    """A tokenizer of the package ``tokenizers``."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> List[int]:
        """Return the tokens."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


def _foreign(path: Path) -> Splitter:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        sentence = "{} is of a kind that needs the package {}, which is missing."
        raise LoadError(sentence.format(path.name, _FOREIGN)) from None
    try:
        found = Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises its own, without a class
        raise LoadError("{} is no tokenizer that can be read.".format(path.name)) from error
    found.no_truncation()
    found.no_padding()
    return _Foreign(found)


def _size(table: Mapping[str, Any]) -> int:
    words = table["model"]["vocab"]
    numbers = range(len(words)) if isinstance(words, list) else map(int, words.values())
    added = (int(one["id"]) for one in table.get("added_tokens") or [])
    return 1 + max((*numbers, *added))


def _pad(table: Mapping[str, Any]) -> int:
    padding = table.get("padding") or {}
    found: object = padding.get("pad_id")
    if isinstance(found, int) and found >= 0:
        return found
    added = {str(one["content"]): int(one["id"]) for one in table.get("added_tokens") or []}
    return next((added[name] for name in ("[PAD]", "<pad>") if name in added), 0)


def _ends(part: Optional[Mapping[str, Any]]) -> TextEnds:
    """Return the special tokens around a single text, as the postprocessor has them."""
    if not part:
        return TextEnds()
    kind = part.get("type")
    if kind == "Sequence":
        found = [_ends(one) for one in part.get("processors") or []]
        return next((one for one in found if one != TextEnds()), TextEnds())
    if kind in ("BertProcessing", "RobertaProcessing"):
        return TextEnds((int(part["cls"][1]),), (int(part["sep"][1]),))
    if kind != "TemplateProcessing":
        return TextEnds()
    sides: Tuple[List[int], List[int]] = ([], [])
    after = 0
    for one in part["single"]:
        if "Sequence" in one:
            after = 1
            continue
        ids = part["special_tokens"][one["SpecialToken"]["id"]]["ids"]
        sides[after].extend(int(number) for number in ids)
    return TextEnds(tuple(sides[0]), tuple(sides[1]))
