"""Protobuf on the wire: fields of a number, a kind and a value, copied as they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Unreadable(ValueError):
    """Error for bytes that do not parse as a model."""


class Field(NamedTuple):
    """Field of a message.

    Attributes:
        value: Its content; of one of bytes without their length.
        whole: As it stands.
    """

    number: int
    kind: int
    value: memoryview
    whole: memoryview


def read_fields(content: memoryview) -> Iterator[Field]:
    """Yield the fields of a message, in their order.

    Raises:
        Unreadable: when it is not a message.
    """
    position, end = 0, len(content)
    while position < end:
        start = position
        tag, position = read_varint(content, position)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            begin = position
            _, position = read_varint(content, position)
        elif kind == BYTES:
            size, begin = read_varint(content, position)
            position = begin + size
        elif kind in (FIXED32, FIXED64):
            begin, position = position, position + (4 if kind == FIXED32 else 8)
        else:
            raise Unreadable(f"a field of the unknown kind {kind}")
        # Field numbers start at 1.
        if position > end or not number:
            raise Unreadable("a field is cut off")
        yield Field(number, kind, content[begin:position], content[start:position])


def read_varint(content: memoryview, position: int) -> tuple[int, int]:
    """Return a whole number, and the position behind it.

    Raises:
        Unreadable: when it does not end.
    """
    value = shift = 0
    # A varint of 64 bits has at most ten bytes of seven bits.
    while position < len(content) and shift < 70:
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise Unreadable("a number is cut off")


def write_varint(value: int) -> bytes:
    """Return a whole number, from 0 on, as bytes."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def write_field(number: int, content: bytes) -> bytes:
    """Return a field of bytes, or of a message."""
    return write_varint(number << 3 | BYTES) + write_varint(len(content)) + content


def write_number(number: int, value: int) -> bytes:
    """Return a field that is a whole number, from 0 on."""
    return write_varint(number << 3 | VARINT) + write_varint(value)
