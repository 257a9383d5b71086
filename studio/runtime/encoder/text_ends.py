"""The special tokens around a text, by the postprocessor of a ``tokenizer.json``."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple

from ..shared.documents import read_record


class TextEnds(NamedTuple):
    """Tokens at the ends of every text."""

    begin: Tuple[int, ...] = ()
    end: Tuple[int, ...] = ()


class _Post(NamedTuple):
    """A postprocessor of any kind."""

    type: str = ""
    processors: Tuple[object, ...] = ()
    cls: Tuple[object, ...] = ()
    sep: Tuple[object, ...] = ()
    single: Tuple[object, ...] = ()
    special_tokens: object = None


class _Name(NamedTuple):
    id: str


class _Piece(NamedTuple):
    """One piece of a template: a special token, or the text."""

    SpecialToken: Optional[_Name] = None


class _Numbers(NamedTuple):
    ids: Tuple[int, ...]


def ends_of(content: object) -> TextEnds:
    """Return the tokens around a single text; none where no postprocessor is given.

    Raises:
        KeyError, TypeError, ValueError, IndexError, AttributeError: when it is damaged.
    """
    if content is None:
        return TextEnds()
    post = read_record(_Post, content)
    if post.type == "Sequence":
        found = [ends_of(one) for one in post.processors]
        return next((one for one in found if one != TextEnds()), TextEnds())
    if post.type in ("BertProcessing", "RobertaProcessing"):
        return TextEnds((_number(post.cls),), (_number(post.sep),))
    return _of_template(post) if post.type == "TemplateProcessing" else TextEnds()


def _of_template(post: _Post) -> TextEnds:
    special = post.special_tokens
    sides: Tuple[List[int], List[int]] = ([], [])
    after = 0
    for one in post.single:
        name = read_record(_Piece, one).SpecialToken
        if name is None:
            after = 1
        elif isinstance(special, dict):
            sides[after].extend(read_record(_Numbers, special[name.id]).ids)
    return TextEnds(tuple(sides[0]), tuple(sides[1]))


def _number(pair: Tuple[object, ...]) -> int:
    """Return the number of a token that is given with its name."""
    return int(str(pair[1]))
