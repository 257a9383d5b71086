"""JSON objects of a board as named tuples."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Type, TypeVar

RecordT = TypeVar("RecordT", bound=NamedTuple)


def read(form: Type[RecordT], document: Mapping[str, object]) -> RecordT:
    """Return the named tuple of a JSON object; unknown keys are ignored.

    A value takes the type of its field's default, which replaces a null or missing value.

    Raises:
        KeyError: when a key is missing that has no default.
        TypeError, ValueError: when a value cannot have that type.
    """
    return form._make(_value(document, name, form._field_defaults) for name in form._fields)


def _value(document: Mapping[str, object], name: str, defaults: Mapping[str, object]) -> object:
    value = document.get(name)
    if value is None:
        return defaults[name]
    default = defaults.get(name)
    if isinstance(default, (bool, str)):
        return type(default)(value)
    if isinstance(default, (int, float)) and isinstance(value, (int, float, str)):
        try:
            return type(default)(value)
        except OverflowError:  # 1e999 is a number of JSON, and infinite to Python
            raise ValueError("{} is too large".format(name)) from None
    if isinstance(default, tuple) and isinstance(value, (list, tuple)):
        return tuple(value)
    if isinstance(default, (int, float, tuple)):
        raise TypeError("{} cannot be {!r}".format(name, value))
    return value
