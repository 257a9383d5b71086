"""Memory that a language model needs, compared with what is free before it is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Iterable, Optional

from ...shared.errors import LoadError
from ...shared.free_memory import available_bytes

_LEAST_TOKENS = 128
"""A context below is of no use to anybody."""


def require_weights(name: str, files: Iterable[Path]) -> None:
    """Refuse weights that memory cannot hold.

    Raises:
        LoadError: with what they need and what is free.
    """
    needed = sum(one.stat().st_size for one in files if one.is_file())
    free = available_bytes()
    if free is not None and needed > free:
        sentence = "{} needs {} MB for its weights, and {} MB of memory are free."
        raise LoadError(sentence.format(name, _megabytes(needed), _megabytes(free)))


def require_cache(name: str, token: int, context: int, slots: int) -> None:
    """Refuse a cache that memory cannot hold.

    Args:
        token: Bytes of one token in the cache.

    Raises:
        LoadError: with the context that would fit, where one does.
    """
    free, needed = available_bytes(), token * context * slots
    if free is None or needed <= free:
        return
    fitting = free // (token * slots) // _LEAST_TOKENS * _LEAST_TOKENS
    sentence = "{} needs {} MB for {} tokens of context in {}, and {} MB of memory are free{}."
    where = "1 slot" if slots == 1 else "{} slots".format(slots)
    rest = ": {} tokens would fit".format(fitting) if fitting else ""
    raise LoadError(
        sentence.format(name, _megabytes(needed), context, where, _megabytes(free), rest)
    )


def context_of(name: str, trained: int, wanted: Optional[int]) -> int:
    """Return the tokens of a slot: those wanted, or as many as the model was made for.

    Raises:
        LoadError: when the model was made for fewer, or neither is known.
    """
    if wanted and trained and wanted > trained:
        sentence = "{} was made for {} tokens of context, not for {}."
        raise LoadError(sentence.format(name, trained, wanted))
    if not wanted and not trained:
        raise LoadError("{} names no length of its context: set one.".format(name))
    return wanted or trained


def _megabytes(count: int) -> int:
    return max(1, round(count / 1e6))
