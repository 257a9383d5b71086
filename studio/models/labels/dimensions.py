"""Short texts of shapes, for where there is no room for the names of their sizes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from studio.api import Dimension, TensorType

LONGEST_NAME = 6
MOST_AXES = 8

_SHORT = {
    "batch_size": "batch",
    "batchsize": "batch",
    "num_batch": "batch",
    "sequence": "seq",
    "sequence_length": "seq",
    "seq_length": "seq",
    "seq_len": "seq",
    "height": "H",
    "width": "W",
    "channels": "C",
    "num_channels": "C",
}
"""Usual names of sizes, shortened."""

_NAME = re.compile(r"[A-Za-z]\w*")
_GENERATED = re.compile(r"(DynamicDimension|unk_?|dim_?|dynamic)[._]*\d+", re.IGNORECASE)
"""Names that converters make up, in which only the number differs."""


def short_size(size: Dimension, axis: int = 1) -> str:
    """Return a size: a number, a short name, or ``?``.

    Args:
        axis: A name that a converter has made up is ``batch`` for the first axis.
    """
    if size is None or isinstance(size, int):
        return "?" if size is None else str(size)
    if _GENERATED.fullmatch(size):
        return "batch" if axis == 0 else "?"
    name = _SHORT.get(size.lower(), size)
    return name if len(name) <= LONGEST_NAME and _NAME.fullmatch(name) else "?"


def short_shape(shape: Sequence[Dimension] | None) -> str:
    """Return a shape as ``1×3×224×224``; ``scalar`` without axes, empty for an unknown rank."""
    if shape is None:
        return ""
    sizes = [short_size(size, axis) for axis, size in enumerate(shape[:MOST_AXES])]
    if len(shape) > MOST_AXES:
        sizes.append("…")
    return "×".join(sizes) or "scalar"


def readable_size(size: Dimension, axis: int = 1) -> str:
    """Return a size as ``short_size`` does, but a long name in full."""
    if not isinstance(size, str) or _GENERATED.fullmatch(size):
        return short_size(size, axis)
    return _SHORT.get(size.lower(), size)


def readable_shape(shape: Sequence[Dimension] | None) -> str:
    """Return a whole shape, with the short names of its sizes; empty for an unknown rank."""
    if shape is None:
        return ""
    return "×".join(readable_size(size, axis) for axis, size in enumerate(shape)) or "scalar"


def readable_type(kind: TensorType | None) -> str:
    """Return element type and whole shape; empty for None."""
    return "" if kind is None else f"{kind.dtype} {readable_shape(kind.shape)}".strip()


def short_type(kind: TensorType | None) -> str:
    """Return element type and shape, as ``float32 batch×3×224×224``; empty for None."""
    if kind is None:
        return ""
    return f"{kind.dtype} {short_shape(kind.shape)}".strip()
