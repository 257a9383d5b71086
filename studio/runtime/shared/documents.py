"""JSON documents read into named tuples, once, where they come from."""

from __future__ import annotations

from functools import lru_cache
from typing import (
    Callable,
    Dict,
    List,
    NamedTuple,
    Tuple,
    Type,
    TypeVar,
    Union,
    cast,
    get_type_hints,
)

RecordT = TypeVar("RecordT", bound=NamedTuple)


def read_record(form: Type[RecordT], document: object) -> RecordT:
    """Return the named tuple of a JSON object; keys that it has no field for are passed over.

    Raises:
        KeyError: when a key is missing whose field has no default.
        TypeError, ValueError: when a value is of another kind.
    """
    if not isinstance(document, dict):
        raise TypeError("no object")
    values = {
        name: _converted(kind, document[name])
        for name, kind in _kinds(form).items()
        if name in document or name not in form._field_defaults
    }
    make = cast(Callable[..., RecordT], form)
    return make(**values)


@lru_cache(maxsize=None)
def _kinds(form: Type[NamedTuple]) -> Dict[str, type]:
    return get_type_hints(form)


def _converted(kind: type, value: object) -> object:
    """Return a value in the type of its annotation: a number, text, record, or a tuple of them."""
    origin = getattr(kind, "__origin__", None)
    parts: Tuple[type, ...] = getattr(kind, "__args__", ())
    if origin is Union:  # Optional
        return None if value is None else _converted(parts[0], value)
    if origin is tuple:
        if not isinstance(value, list):
            raise TypeError("no list")
        found: List[object] = [_converted(parts[0], one) for one in value]
        return tuple(found)
    if hasattr(kind, "_fields"):
        return read_record(kind, value)
    if kind is object or origin is not None:
        return value
    try:
        return kind(value)
    except OverflowError:  # 1e999 is a number of JSON, and infinite to Python
        raise ValueError("a number is too large") from None
