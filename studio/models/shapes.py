"""Shapes for inputs that leave sizes open: given by the user, or assumed and said so."""

from __future__ import annotations

from collections.abc import Iterable

from studio.api import Graph, UsageError, Value

_IMAGE = 224
_SEQUENCE = 128
_CHANNELS = 3


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


def complete(graph: Graph, given: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return a shape for each input with a dynamic size, and each given one.

    Assumed are a batch of 1, 224 pixels along open axes of images (four axes), and a length of
    128 along other open axes.
    """
    found = dict(given)
    for value in graph.inputs:
        if value.name not in found and _is_open(value):
            found[value.name] = _assumed(value)
    return found


def _is_open(value: Value) -> bool:
    shape = value.type.shape if value.type else None
    return shape is not None and not all(isinstance(size, int) for size in shape)


def _assumed(value: Value) -> tuple[int, ...]:
    shape = value.type.shape if value.type else None
    sizes = shape or ()
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
