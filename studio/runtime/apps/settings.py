"""Settings of the parts of an app, read with their types."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Dict, Mapping, NamedTuple, Tuple, Type, TypeVar, cast, get_type_hints

MOST_ITEMS = 10_000

SettingsT = TypeVar("SettingsT", bound=NamedTuple)


class AppError(Exception):
    """An app that cannot run: what is wrong with it, in one sentence.

    Attributes:
        hint: What to do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def read_settings(form: Type[SettingsT], given: Mapping[str, object], place: str) -> SettingsT:
    """Return the settings of one part; those left out keep their defaults.

    Args:
        place: The part, for messages, such as ``steps.gate``.

    Raises:
        AppError: for a setting that is unknown, missing or of another type.
    """
    types = _types(form)
    for name in given:
        if name not in types:
            raise AppError(_unknown(place, name, form))
    values = {}
    for name, kind in types.items():
        if name in given:
            values[name] = _typed("{}: {}".format(place, name), given[name], kind)
        elif name not in form._field_defaults:
            raise AppError("{} needs the setting {}.".format(place, name))
    return cast("SettingsT", cast(Any, form)(**values))


@lru_cache(maxsize=None)
def _types(form: Type[NamedTuple]) -> Dict[str, Any]:
    return get_type_hints(form)


def _unknown(place: str, name: str, form: Type[NamedTuple]) -> str:
    import difflib

    near = difflib.get_close_matches(name, form._fields, 1)
    hint = " Did you mean {}?".format(near[0]) if near else ""
    return "{} has no setting {!r}.{}".format(place, name, hint)


def _typed(place: str, value: object, kind: Any) -> Any:
    """Return a value in the type of its annotation: a number, text, flag, list or table."""
    origin = getattr(kind, "__origin__", None)
    parts: Tuple[Any, ...] = getattr(kind, "__args__", ())
    if origin is tuple:
        items = value if isinstance(value, (list, tuple)) else [value]
        if len(items) > MOST_ITEMS:
            raise AppError("{} has more than {:,} items.".format(place, MOST_ITEMS))
        return tuple(_typed(place, item, parts[0]) for item in items)
    if origin is not None:  # a table
        if not isinstance(value, Mapping):
            raise AppError("{} must be a table.".format(place))
        return {str(key): _typed(place, one, parts[1]) for key, one in value.items()}
    if kind is float and type(value) is int:
        value = float(value)
    finite = not isinstance(value, float) or math.isfinite(value)
    if type(value) is not kind or not finite:
        raise AppError("{} cannot be {}.".format(place, "{!r}".format(value)[:60]))
    return value
