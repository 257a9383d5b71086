"""Shapes for inputs that leave sizes open: given by the user, or assumed and said so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from studio.api import Dimension, Graph, LanguageModel, UsageError, Value

_IMAGE = 224
_SEQUENCE = 128
_CHANNELS = 3
_CACHE_AXES = 4


def parse(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Parse shapes from texts such as ``x=1,3,48,320``.

    Raises:
        UsageError: for a text that is not of this form.
    """
    found: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, _, numbers = text.rpartition("=")
        try:
            sizes = tuple(int(number) for number in numbers.replace("x", ",").split(","))
        except ValueError:
            sizes = ()
        if not name or not sizes or min(sizes) < 1:
            raise UsageError(f"{text!r} is not a shape.", hint="Write x=1,3,224,224.")
        found[name] = sizes
    return found


def complete(
    graph: Graph, given: dict[str, tuple[int, ...]], language: LanguageModel | None = None
) -> dict[str, tuple[int, ...]]:
    """Return a shape for each input with a dynamic size, and each given one.

    Assumed are a batch of 1, 224 pixels along open axes of images (four axes), and a length of
    128 along other open axes. Of a language model the cache is empty, so that all of its tokens
    are those of a prompt.
    """
    found = dict(given)
    for value in graph.inputs:
        if value.name not in found and _is_open(value):
            found[value.name] = _assumed(value, language)
    return found


def _is_open(value: Value) -> bool:
    shape = value.type.shape if value.type else None
    return shape is not None and not all(isinstance(size, int) for size in shape)


def _assumed(value: Value, language: LanguageModel | None) -> tuple[int, ...]:
    sizes = (value.type.shape if value.type else None) or ()
    if language is not None and len(sizes) == _CACHE_AXES:
        return _cache(sizes, language)
    image = len(sizes) == 4
    result = []
    for axis, size in enumerate(sizes):
        if isinstance(size, int):
            result.append(size)
        elif axis == 0:
            result.append(1)
        elif image:
            # Channels come first unless the last axis says that it holds them.
            first = axis == 1 and sizes[3] not in (1, _CHANNELS, 4)
            result.append(_CHANNELS if first else _IMAGE)
        else:
            result.append(_SEQUENCE)
    return tuple(result)


def _cache(sizes: Sequence[Dimension], language: LanguageModel) -> tuple[int, ...]:
    """Return the shape of an empty cache of keys or values: batch, heads, tokens, numbers."""
    usual = (1, language.kv_heads or 1, 0, language.key_size or 1)
    pairs = zip(sizes, usual, strict=True)
    return tuple(size if isinstance(size, int) else assumed for size, assumed in pairs)
