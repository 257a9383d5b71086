"""Frozen dataclasses as JSON and back, by their annotations.

A result of a step is a dataclass in the program and a JSON document everywhere else: on the pipe
of a worker, in the registry, in a file of a pipeline, behind ``--json``. Documents outlive the
program that wrote them, so reading is lenient where that is safe: unknown keys are passed over,
missing ones take the default of their field. Numbers keep the form that they have in JSON (an
``int`` may stand for a ``float``), so that a document that is read and written again is the same.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
JsonValue = None | bool | int | float | str | list[Any] | dict[str, Any]
"""A value of a free-form part of a document, such as the facts of a plugin."""

_OMITTED = "omitted"
KEY = "key"
"""Of the metadata of a field whose key in a document is not its name."""
_Read = Callable[[Any], Any]
_readers: dict[Any, _Read] = {}


class InvalidDocument(ValueError):
    """A document that does not fit its dataclass; the message names the place and the reason."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{place.lstrip('.') or 'The document'}: {reason}.")
        self._reason, self._place = reason, place

    def below(self, step: str) -> InvalidDocument:
        """Return the error as the document around this part sees it."""
        return InvalidDocument(self._reason, step + self._place)


def optional(default: Any = None) -> Any:
    """Return a field that a document leaves out while it has its default."""
    return dataclasses.field(default=default, metadata={_OMITTED: True})


def keyed(key: str, **options: Any) -> Any:
    """Return a field whose key in a document is no name of Python's (``class``, ``p50-ms``)."""
    return dataclasses.field(metadata={KEY: key}, **options)


def to_json(value: Any) -> Any:
    """Return the JSON form of a dataclass, or of a value that holds some.

    Tuples become lists, paths and members of an enumeration their texts. Keys stand in the order
    of the fields.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            key: to_json(part)
            for name, key, omitted, default in _fields(type(value))
            if not ((part := getattr(value, name)) == default and omitted)
        }
    if isinstance(value, Mapping):
        return {key: to_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(part) for part in value]
    if isinstance(value, enum.Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def from_json(form: type[T], document: Any) -> T:
    """Return a dataclass made from its JSON form.

    Raises:
        InvalidDocument: when a key is missing that has no default, or a value has another type.
    """
    try:
        made: T = _reader(form)(document)
    except RecursionError:
        raise InvalidDocument("nested too deeply") from None
    return made


def read_parts(form: type[T], document: Mapping[str, object]) -> T:
    """Return a dataclass of a document of another program; a part that does not fit is left out.

    All fields of the form have defaults, which stand for such parts.
    """
    return from_json(form, {key: part for key, part in document.items() if _fits(form, key, part)})


def _fits(form: type[object], key: str, value: object) -> bool:
    try:
        from_json(form, {key: value})
    except InvalidDocument:
        return False
    return True


def key_types(form: type) -> dict[str, Any]:
    """Return the type of each key that the JSON form of a dataclass can have."""
    hints = typing.get_type_hints(form)
    return {key: hints[name] for name, key, _omitted, _default in _fields(form)}


@functools.cache
def _fields(form: type) -> tuple[tuple[str, str, bool, Any], ...]:
    """Return name, key, whether it is left out at its default, and that default, of each field."""
    return tuple(
        (
            field.name,
            field.metadata.get(KEY, field.name),
            _OMITTED in field.metadata,
            _default(field),
        )
        for field in dataclasses.fields(form)
    )


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


def _reader(form: Any) -> _Read:
    """Return the function that reads a value of a type; it is made once for each type."""
    if form not in _readers:
        _readers[form] = _new_reader(form)
    return _readers[form]


def _new_reader(form: Any) -> _Read:
    if dataclasses.is_dataclass(form) and isinstance(form, type):
        return _dataclass_reader(form)
    origin, parts = typing.get_origin(form), typing.get_args(form)
    if origin in (typing.Union, types.UnionType):
        return _union_reader(parts)
    if origin is typing.Literal:
        return _member_reader({part: part for part in parts}, " or ".join(map(repr, parts)))
    if origin is tuple and not (len(parts) == 2 and parts[1] is Ellipsis):
        return _record_reader(parts)
    if origin in (tuple, list, Sequence):
        return _sequence_reader(parts[0], list if origin is list else tuple)
    if origin in (dict, Mapping):
        return _mapping_reader(parts[1])
    if isinstance(form, type) and issubclass(form, enum.Enum):
        return _member_reader({m.value: m for m in form}, f"a {form.__name__}")
    if form is Path:
        return lambda value: Path(_text(value))
    return _plain_reader(form)


def _dataclass_reader(form: type) -> _Read:
    known: list[tuple[str, str, _Read, bool]] = []

    def convert(value: Any) -> Any:
        # Not before: a dataclass may hold others of its own kind.
        if not known:
            known[:] = _parts_of(form)
        if not isinstance(value, Mapping):
            raise _mismatch("an object", value)
        values = {}
        for name, key, read, required in known:
            if key in value:
                try:
                    values[name] = read(value[key])
                except InvalidDocument as error:
                    raise error.below(f".{key}") from None
            elif required:
                raise InvalidDocument(f"the key {key!r} is missing")
        return form(**values)

    return convert


def _parts_of(form: type) -> list[tuple[str, str, _Read, bool]]:
    """Return name, key, reader of each field, and whether a document must have it."""
    hints, missing = typing.get_type_hints(form), dataclasses.MISSING
    return [
        (
            one.name,
            one.metadata.get(KEY, one.name),
            _reader(hints[one.name]),
            one.default is missing and one.default_factory is missing,
        )
        for one in dataclasses.fields(form)
    ]


def _union_reader(parts: Sequence[Any]) -> _Read:
    """Of several types the first that fits; None costs no attempt."""
    readers = [_reader(part) for part in parts if part is not type(None)]
    nullable = type(None) in parts

    def convert(value: Any) -> Any:
        if value is None and nullable:
            return None
        for read in readers[:-1]:
            try:
                return read(value)
            except InvalidDocument:
                continue
        return readers[-1](value)

    return convert


def _member_reader(members: Mapping[Any, Any], expected: str) -> _Read:
    def convert(value: Any) -> Any:
        try:
            return members[value]
        except (KeyError, TypeError):
            raise _mismatch(expected, value) from None

    return convert


def _record_reader(parts: Sequence[Any]) -> _Read:
    """Return a tuple of fixed length, each place with a type of its own."""
    readers = [_reader(part) for part in parts]

    def convert(value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(readers):
            raise _mismatch(f"a list of {len(readers)}", value)
        pairs = enumerate(zip(readers, value, strict=True))
        return tuple(_placed(read, item, f"[{i}]") for i, (read, item) in pairs)

    return convert


def _sequence_reader(part: Any, make: Callable[[Any], Any]) -> _Read:
    read = _reader(part)

    def convert(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise _mismatch("a list", value)
        try:
            return make(map(read, value))
        except InvalidDocument:  # the place costs time, and is of use to an error alone
            return make([_placed(read, item, f"[{i}]") for i, item in enumerate(value)])

    return convert


def _mapping_reader(part: Any) -> _Read:
    read = _reader(part)

    def convert(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise _mismatch("an object", value)
        return {str(key): _placed(read, item, f".{key}") for key, item in value.items()}

    return convert


def _placed(read: _Read, value: Any, place: str) -> Any:
    try:
        return read(value)
    except InvalidDocument as error:
        raise error.below(place) from None


def _plain_reader(form: Any) -> _Read:
    """Return a value without parts; ``Any`` and ``object`` take everything."""
    if form in (Any, object):
        return lambda value: value
    accepted = (int, float) if form is float else form
    bare = typing.get_origin(form) or accepted
    expected = _NAMES.get(form, getattr(form, "__name__", str(form)))

    def convert(value: Any) -> Any:
        # A bool is an int to Python, but not to the reader of a JSON document.
        if not isinstance(value, bare) or (isinstance(value, bool) and form in (int, float)):
            raise _mismatch(expected, value)
        # JSON has no limit; a larger one cannot become a float, as whoever shows it expects.
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise InvalidDocument("a number is too large")
        return value

    return convert


_LARGEST = 2**64
_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _mismatch("a text", value)
    return value


def _mismatch(expected: str, value: Any) -> InvalidDocument:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return InvalidDocument(f"expected {expected}, not {shown}")
