"""Messages of Protocol Buffers to dictionaries and back, by tables of their fields.

An own codec of the few messages of one protocol: the library's versions are bound to those of
generated code, boards have old ones or none, and it copies every tensor. What this one does is
compared with the library's in the tests.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np

from .wire import (
    LENGTH,
    SCALARS,
    WireError,
    packed,
    read_packed,
    read_scalar,
    read_tag,
    scalar,
    skip,
    span,
    varint,
)

MOST_PARTS = 20_000
"""Messages and views in one message: of two bytes each, they would become some hundred."""

_MORE = "more"
"""Stands in an entry of a map that has fields beside key and value."""


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        kind: A key of ``SCALARS``; "string", "bytes", "view" (bytes that are not copied),
            "message", or "map" (whose message has the fields key and value).
        message: The table of the message.
    """

    number: int
    name: str
    kind: str
    repeated: bool = False
    message: Optional[Message] = None


class Message:
    """The table of a message's fields, in the order of their numbers.

    Attributes:
        by_tag: The field for each tag, and whether its numbers are packed.
        one_of: Names of fields of which only the last one counts.
        is_entry: Whether it is an entry of a map. An entry with fields other than key and value is
            left out of the map, as the library's decoder does.
    """

    def __init__(
        self, *fields: Field, one_of: Tuple[str, ...] = (), is_entry: bool = False
    ) -> None:
        self.fields = fields
        self.one_of = one_of
        self.is_entry = is_entry
        self.by_tag: Dict[int, Tuple[Field, bool]] = {}
        for field in fields:
            number = SCALARS.get(field.kind)
            wire = LENGTH if number is None else number.wire
            self.by_tag[field.number << 3 | wire] = (field, False)
            # A parser must accept repeated numbers both packed and one by one.
            if number is not None and field.repeated:
                self.by_tag[field.number << 3 | LENGTH] = (field, True)


def mapping(number: int, name: str, value: Message) -> Field:
    """Return a field that is a map from strings to messages."""
    key, held = Field(1, "key", "string"), Field(2, "value", "message", message=value)
    entry = Message(key, held, is_entry=True)
    return Field(number, name, "map", message=entry)


Fields = Dict[str, Any]
"""Fields of a message by their names: numbers, texts, bytes, arrays, messages, or lists of them."""


def decode(message: Message, data: bytes) -> Fields:
    """The fields that are there: repeated numbers as an array, other repeated ones as a list.

    Raises:
        WireError: when the bytes are no such message, or one of too many parts.
    """
    return _Decoder(data).read(message, 0, len(data), {})


class _Decoder:
    """Reads one message with all that is in it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MOST_PARTS

    def read(self, message: Message, at: int, end: int, found: Fields) -> Fields:
        """Add what lies between two places to what was found before."""
        data, by_tag = self._data, message.by_tag
        numbers: Dict[str, List[np.ndarray]] = {}
        while at < end:
            byte = data[at]
            known = by_tag.get(byte) if byte < 0x80 else None
            if known is not None:
                at += 1
            else:
                tag, at = read_tag(data, at, end)
                known = by_tag.get(tag)
                if known is None:
                    at = skip(data, at, end, tag)
                    if message.is_entry:
                        found[_MORE] = True
                    continue
            field, is_packed = known
            # Of a oneof the last field on the wire wins.
            if field.name in message.one_of:
                for other in message.one_of:
                    found.pop(other, None)
            number = SCALARS.get(field.kind)
            if number is None:
                begin, at = span(data, at, end)
                self._store(found, field, begin, at)
            elif is_packed:
                begin, at = span(data, at, end)
                numbers.setdefault(field.name, []).append(read_packed(data, begin, at, number))
            elif field.repeated:
                value, at = read_scalar(data, at, end, number)
                numbers.setdefault(field.name, []).append(value)
            else:
                value, at = read_scalar(data, at, end, number)
                found[field.name] = value[0].item()
        for name, parts in numbers.items():
            parts = [found[name], *parts] if name in found else parts
            found[name] = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return found

    def _store(self, found: Fields, field: Field, begin: int, end: int) -> None:
        """Store the bytes between two places as the value of a field, or as one of its values."""
        name = field.name
        if field.kind == "map":
            entry = self._message(field, begin, end, {})
            if _MORE not in entry:
                found.setdefault(name, {})[entry.get("key", "")] = entry.get("value", {})
        elif field.kind == "message" and not field.repeated:
            found[name] = self._message(field, begin, end, found.get(name, {}))
        elif field.repeated:
            found.setdefault(name, []).append(self._value(field, begin, end))
        else:
            found[name] = self._value(field, begin, end)

    def _message(self, field: Field, begin: int, end: int, found: Fields) -> Fields:
        assert field.message is not None
        self._count()
        return self.read(field.message, begin, end, found)

    def _value(self, field: Field, begin: int, end: int) -> object:
        if field.kind == "message":
            return self._message(field, begin, end, {})
        if field.kind == "view":
            self._count()
            return memoryview(self._data)[begin:end]
        raw = self._data[begin:end]
        return raw if field.kind == "bytes" else _text(raw)

    def _count(self) -> None:
        # A small message can describe many empty parts, each of which costs an object.
        self._left -= 1
        if self._left < 0:
            raise WireError("it has more than {} parts".format(MOST_PARTS))


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise WireError("a text is not UTF-8") from None


def encode(message: Message, document: Mapping[str, Any]) -> bytes:
    """The bytes of a message; keys that are not in its table are left out, as are defaults."""
    parts: List[Union[bytes, memoryview]] = []
    for field in message.fields:
        value = document.get(field.name)
        if value is None:
            continue
        if field.kind == "map":
            value = [{"key": key, "value": entry} for key, entry in value.items()]
        if field.kind in SCALARS:
            _add_numbers(parts, field, value, field.name in message.one_of)
            continue
        tag = varint(field.number << 3 | LENGTH)
        for one in value if field.repeated or field.kind == "map" else (value,):
            raw = _bytes_of(field, one)
            size = len(raw)
            if size or field.repeated or field.message is not None or message.one_of:
                parts += (tag, varint(size), raw)
    return b"".join(parts)


def _add_numbers(
    parts: List[Union[bytes, memoryview]], field: Field, value: Any, always: bool
) -> None:
    number = SCALARS[field.kind]
    if not field.repeated:
        if value or always:
            parts += (varint(field.number << 3 | number.wire), scalar(value, number))
        return
    raw = packed(np.asarray(value, number.dtype), number)
    if raw:
        parts += (varint(field.number << 3 | LENGTH), varint(len(raw)), raw)


def _bytes_of(field: Field, value: Any) -> Union[bytes, memoryview]:
    """Return the bytes of a value, or a flat view of them."""
    if field.message is not None:
        return encode(field.message, value)
    if field.kind == "view":
        view = memoryview(value)
        return view.cast("B") if view.nbytes else b""
    return value if field.kind == "bytes" else str(value).encode("utf-8")
