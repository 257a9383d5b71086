"""The files of a tokenizer beside a model: bytes of its tokens, special names, chat template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Tuple

from ...shared.errors import LoadError

_MOST_BYTES = 256 << 20
_MOST_TOKENS = 4 << 20
_SPACE = "\u2581"
"""SentencePiece's sign for a blank."""


class Vocabulary(NamedTuple):
    """The tokens of a ``tokenizer.json``.

    Attributes:
        pieces: Bytes by token; those of special tokens are empty.
        special: Numbers of the special tokens by name.
        begin: Tokens that the tokenizer puts in front of every text.
    """

    pieces: Dict[int, bytes]
    special: Dict[str, int]
    begin: Tuple[int, ...]


def read_vocabulary(folder: Path) -> Vocabulary:
    """Read the ``tokenizer.json`` of a folder.

    Raises:
        LoadError: when it is missing, damaged, or of a kind without bytes for tokens.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise LoadError("{} lacks a tokenizer: tokenizer.json is missing.".format(folder.name))
    table = read_object(path)
    try:
        return _vocabulary(table)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        raise LoadError("{} is no tokenizer that can be read.".format(path.name)) from None


def read_object(path: Path) -> Dict[str, Any]:
    """Read a JSON object; an absent file is an empty one.

    Raises:
        LoadError: when the file is too large or holds anything else.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise LoadError("{} is too large.".format(path.name))
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        raise LoadError("{} cannot be read as JSON.".format(path.name)) from None
    if not isinstance(found, dict):
        raise LoadError("{} holds no JSON object.".format(path.name))
    return found


def read_template(folder: Path) -> str:
    """Return the chat template of a folder; empty without one.

    Raises:
        LoadError: when its file cannot be read.
    """
    path = folder / "chat_template.jinja"
    if path.is_file():
        try:
            return path.read_text("utf-8")
        except (OSError, ValueError):
            raise LoadError("{} cannot be read as text.".format(path.name)) from None
    found = read_object(folder / "tokenizer_config.json").get("chat_template")
    if isinstance(found, list):
        named = {one.get("name"): one.get("template") for one in found if isinstance(one, dict)}
        found = named.get("default")
    return found if isinstance(found, str) else ""


def read_marks(folder: Path) -> Tuple[str, str]:
    """Return the names of the tokens that begin and end a text; empty without one.

    Raises:
        LoadError: when the configuration of the tokenizer cannot be read.
    """
    table = read_object(folder / "tokenizer_config.json")
    return _name(table.get("bos_token")), _name(table.get("eos_token"))


def token_numbers(value: object) -> FrozenSet[int]:
    """Return the tokens of a configuration's key, which holds one, several or none."""
    values = value if isinstance(value, list) else [value]
    return frozenset(one for one in values if type(one) is int and one >= 0)


def positive(value: object) -> int:
    """Return a count of a configuration; 0 for anything else."""
    return value if type(value) is int and value > 0 else 0


def _name(value: object) -> str:
    """Return the name of a token, which may be a table with more about it."""
    found = value.get("content") if isinstance(value, dict) else value
    return found if isinstance(found, str) else ""


def _vocabulary(table: Mapping[str, Any]) -> Vocabulary:
    words = table["model"]["vocab"]
    if isinstance(words, list):  # Unigram: pieces with their probabilities
        words = {str(one[0]): number for number, one in enumerate(words)}
    added = table.get("added_tokens") or []
    if len(words) + len(added) > _MOST_TOKENS:
        raise ValueError("too many tokens")
    spell = _byte_level if "ByteLevel" in _kinds(table.get("decoder")) else _sentence_piece
    pieces = {int(number): spell(word) for word, number in words.items()}
    special = {}
    for one in added:
        name, number = str(one["content"]), int(one["id"])
        pieces[number] = b"" if one.get("special") else _utf8(name)
        if one.get("special"):
            special[name] = number
    return Vocabulary(pieces, special, _begin(table.get("post_processor")))


def _kinds(part: object) -> FrozenSet[str]:
    """Return the types of a part of a tokenizer, which may be a sequence of such."""
    if not isinstance(part, dict):
        return frozenset()
    inner = part.get("decoders") or []
    return frozenset([str(part.get("type"))]).union(*(_kinds(one) for one in inner))


def _begin(part: object) -> Tuple[int, ...]:
    """Return the special tokens in front of a single text, as the postprocessor has them."""
    if not isinstance(part, dict):
        return ()
    if part.get("type") == "Sequence":
        found = [_begin(one) for one in part.get("processors") or []]
        return next((one for one in found if one), ())
    tokens: List[int] = []
    for one in part.get("single") or [] if part.get("type") == "TemplateProcessing" else []:
        if "SpecialToken" not in one:
            break
        tokens += part["special_tokens"][one["SpecialToken"]["id"]]["ids"]
    return tuple(int(one) for one in tokens)


def _letters() -> Dict[str, int]:
    """Return the bytes by the letters that byte-level vocabularies write them with."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [one for one in range(256) if one not in shown]
    table = {chr(one): one for one in shown}
    table.update({chr(256 + place): one for place, one in enumerate(hidden)})
    return table


_BYTES = _letters()


def _byte_level(word: str) -> bytes:
    return b"".join(bytes([_BYTES[one]]) if one in _BYTES else _utf8(one) for one in word)


def _sentence_piece(word: str) -> bytes:
    if len(word) == 6 and word.startswith("<0x") and word.endswith(">"):
        return bytes.fromhex(word[3:5])
    return _utf8(word.replace(_SPACE, " "))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
