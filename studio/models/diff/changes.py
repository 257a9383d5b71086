"""Differences between two matching nodes."""

from __future__ import annotations

from collections.abc import Iterator

from studio.api import TensorType
from studio.models.diff.skeleton import Constant, Skeleton
from studio.models.labels.dimensions import readable_type
from studio.models.results import Change

_DEFAULTS = {
    "auto_pad": ("NOTSET",),
    "ceil_mode": (0,),
    "group": (1,),
    "alpha": (1.0,),
    "beta": (1.0,),
    "transA": (0,),
    "transB": (0,),
    "noop_with_empty_axes": (0,),
    "keepdims": (1,),
    "allowzero": (0,),
}
"""Attributes that tools write out although they say what is so without them."""

_DEFAULT_LISTS = {"dilations": 1, "strides": 1, "pads": 0}


def changes(first: Skeleton, a: int, second: Skeleton, b: int) -> Iterator[Change]:
    """Yield every difference of two nodes but their names and those of their values."""
    one, other = first.node(a), second.node(b)
    if (one.domain, one.operator) != (other.domain, other.operator):
        yield Change("operator", one.operator, other.operator)
    for key in sorted(one.attributes.keys() | other.attributes.keys()):
        before, after = one.attributes.get(key), other.attributes.get(key)
        if before != after and not (_is_default(key, before) and _is_default(key, after)):
            yield Change(key, _text(before), _text(after))
    yield from _constants(first, a, second, b)
    for before_name, after_name in zip(one.outputs, other.outputs, strict=False):
        kind, kind_after = first.graph.type_of(before_name), second.graph.type_of(after_name)
        if kind is not None and kind_after is not None and not _alike(kind, kind_after):
            yield Change("output", readable_type(kind), readable_type(kind_after))


def _alike(before: TensorType, after: TensorType) -> bool:
    """Return whether two types are equal but for the names of sizes that are open."""
    if before.dtype != after.dtype:
        return False
    if before.shape is None or after.shape is None:
        return True
    sizes = zip(before.shape, after.shape, strict=False)
    return len(before.shape) == len(after.shape) and all(
        x == y or not (isinstance(x, int) and isinstance(y, int)) for x, y in sizes
    )


def _is_default(key: str, value: object) -> bool:
    if value is None:
        return True
    if key in _DEFAULT_LISTS and isinstance(value, tuple):
        return all(item == _DEFAULT_LISTS[key] for item in value)
    return value in _DEFAULTS.get(key, ())


def _constants(first: Skeleton, a: int, second: Skeleton, b: int) -> Iterator[Change]:
    ours = [source for source in first.sources[a] if isinstance(source, Constant)]
    theirs = [source for source in second.sources[b] if isinstance(source, Constant)]
    for before, after in zip(ours, theirs, strict=False):
        if before.dtype and after.dtype and before.dtype != after.dtype:
            yield Change("constant", before.dtype, after.dtype)
    if len(ours) != len(theirs):
        yield Change("constants", str(len(ours)), str(len(theirs)))


def _text(value: object) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
