"""Possible keys of a step's result, from the dataclass that it declares."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Sequence
from pathlib import Path

from studio.documents.dataclass_json import key_types
from studio.lazy_dataclass import dataclass

_WITHOUT_KEYS = (str, int, float, bool, type(None), enum.Enum, Path)


@dataclass(frozen=True, slots=True)
class ImpossibleKey:
    """A key that a result never has, with the possible ones."""

    key: str
    known: tuple[str, ...] = ()


def impossible_key(form: object, path: Sequence[str]) -> ImpossibleKey | None:
    """Return the first impossible key of a path; None if the path may exist.

    A part without a declared form, such as a mapping, may have any key.
    """
    if not path:
        return None
    origin, parts = typing.get_origin(form), typing.get_args(form)
    if origin in (typing.Union, types.UnionType):
        found = [impossible_key(part, path) for part in parts]
        missing = [one for one in found if one is not None]
        return max(missing, key=lambda one: len(one.known)) if len(missing) == len(found) else None
    if dataclasses.is_dataclass(form) and isinstance(form, type):
        keys = key_types(form)
        if path[0] not in keys:
            return ImpossibleKey(path[0], tuple(keys))
        return impossible_key(keys[path[0]], path[1:])
    if origin in (tuple, list, Sequence):
        return _of_list(parts, path)
    without = origin is typing.Literal or (
        isinstance(form, type) and issubclass(form, _WITHOUT_KEYS)
    )
    return ImpossibleKey(path[0]) if without else None


def _of_list(parts: Sequence[object], path: Sequence[str]) -> ImpossibleKey | None:
    """Check the position in a list, then the rest of the path."""
    if not path[0].removeprefix("-").isdecimal():
        return ImpossibleKey(path[0])
    if len(parts) == 1 or parts[-1] is Ellipsis:
        return impossible_key(parts[0], path[1:])
    position = int(path[0])
    if not -len(parts) <= position < len(parts):
        return ImpossibleKey(path[0])
    return impossible_key(parts[position], path[1:])
