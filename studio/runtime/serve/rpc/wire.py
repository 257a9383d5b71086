"""The wire format of Protocol Buffers: numbers, lengths, and fields that are not known.

Written down in "Encoding" of the Protocol Buffers documentation. Numbers of any count become numpy
arrays in a few vector operations, and nothing is copied that can be looked at in its place.
"""

from __future__ import annotations

import struct
from typing import Dict, List, NamedTuple, Tuple

import numpy as np

VARINT, FIXED64, LENGTH, GROUP, GROUP_END, FIXED32 = range(6)
"""Wire types."""

_FEW = 24
"""Bytes or numbers up to which a plain loop is quicker than numpy."""
_MOST = 10
"""Bytes of the longest varint."""


class WireError(Exception):
    """Bytes that are no message."""


class Scalar(NamedTuple):
    """A kind of number.

    Attributes:
        wire: Its wire type.
        dtype: As an array.
    """

    wire: int
    dtype: np.dtype


SCALARS: Dict[str, Scalar] = {
    "bool": Scalar(VARINT, np.dtype("?")),
    "int32": Scalar(VARINT, np.dtype("<i4")),
    "enum": Scalar(VARINT, np.dtype("<i4")),
    "int64": Scalar(VARINT, np.dtype("<i8")),
    "uint32": Scalar(VARINT, np.dtype("<u4")),
    "uint64": Scalar(VARINT, np.dtype("<u8")),
    "float": Scalar(FIXED32, np.dtype("<f4")),
    "double": Scalar(FIXED64, np.dtype("<f8")),
}
FIXED = {FIXED32: 4, FIXED64: 8}
"""Bytes of the wire types that have always the same."""


def read_varint(data: bytes, at: int, end: int) -> Tuple[int, int]:
    """Return a number of 64 bits, and where the next thing begins.

    Raises:
        WireError: when it does not end.
    """
    value = shift = 0
    for place in range(at, min(end, at + _MOST)):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place + 1
        shift += 7
    raise WireError("a number does not end")


def skip(data: bytes, at: int, end: int, tag: int) -> int:
    """Where the next field begins, after one that is not known.

    Raises:
        WireError: when it does not end, or is of no wire type.
    """
    groups: List[int] = []  # the numbers of those that are open
    while True:
        number, wire = tag >> 3, tag & 7
        if wire == GROUP:
            groups.append(number)
            if len(groups) > 100:
                raise WireError("groups are nested too deeply")
        elif wire == GROUP_END:
            if not groups or groups.pop() != number:
                raise WireError("a group ends that has not begun")
        else:
            at = _behind(data, at, end, wire)
        if not groups:
            return at
        tag, at = read_tag(data, at, end)


def read_tag(data: bytes, at: int, end: int) -> Tuple[int, int]:
    """Return the number and wire type of a field, as one number.

    Raises:
        WireError: when there is no such number.
    """
    tag, at = read_varint(data, at, end)
    if tag >> 3 == 0 or tag >> 32:
        raise WireError("a field has no valid number")
    return tag, at


def _behind(data: bytes, at: int, end: int, wire: int) -> int:
    if wire == VARINT:
        return read_varint(data, at, end)[1]
    if wire == LENGTH:
        return span(data, at, end)[1]
    if wire not in FIXED:
        raise WireError("a field has no valid wire type")
    if end - at < FIXED[wire]:
        raise WireError("a number is cut off")
    return at + FIXED[wire]


def span(data: bytes, at: int, end: int) -> Tuple[int, int]:
    """Begin and end of what has its length in front.

    Raises:
        WireError: when it is longer than what there is.
    """
    size, at = read_varint(data, at, end)
    if size > end - at:
        raise WireError("a field is longer than its message")
    return at, at + size


def read_scalar(data: bytes, at: int, end: int, kind: Scalar) -> Tuple[np.ndarray, int]:
    """One number, as an array of one, and where the next thing begins.

    Raises:
        WireError: when it is cut off.
    """
    after = _behind(data, at, end, kind.wire)
    return read_packed(data, at, after, kind), after


def read_packed(data: bytes, begin: int, end: int, kind: Scalar) -> np.ndarray:
    """Numbers without anything between them.

    Raises:
        WireError: when the last one is cut off.
    """
    size = kind.dtype.itemsize
    if kind.wire != VARINT:
        if (end - begin) % size:
            raise WireError("a number is cut off")
        return np.frombuffer(data, kind.dtype, (end - begin) // size, begin)
    values = _few(data, begin, end) if end - begin <= _FEW else _many(data, begin, end)
    found: np.ndarray = values != 0
    if kind.dtype.kind != "b":  # longer numbers lose their high bits, as in every implementation
        found = values.astype("<u{}".format(size)).view(kind.dtype)
    return found


def _few(data: bytes, begin: int, end: int) -> np.ndarray:
    values = []
    while begin < end:
        value, begin = read_varint(data, begin, end)
        values.append(value)
    return np.array(values, np.uint64)


def _many(data: bytes, begin: int, end: int) -> np.ndarray:
    raw = np.frombuffer(data, np.uint8, end - begin, begin)
    last = np.flatnonzero(raw < 0x80)
    if not last.size or last[-1] != raw.size - 1:
        raise WireError("a number does not end")
    first = np.concatenate((np.zeros(1, last.dtype), last[:-1] + 1))
    lengths = last - first + 1
    longest = int(lengths.max())
    if longest > _MOST:
        raise WireError("a number does not end")
    values = (raw[first] & 0x7F).astype(np.uint64)
    for place in range(1, longest):
        longer = np.flatnonzero(lengths > place)
        part = (raw[first[longer] + place] & 0x7F).astype(np.uint64)
        values[longer] |= part << np.uint64(7 * place)
    return values


def varint(value: int) -> bytes:
    """Return the bytes of a number; negative ones as 64 bits of two's complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    if value < 0x80:
        return bytes((value,))
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def scalar(value: float, kind: Scalar) -> bytes:
    """Return the bytes of one number."""
    if kind.wire == VARINT:
        return varint(int(value))
    return struct.pack("<f" if kind.wire == FIXED32 else "<d", value)


def packed(values: np.ndarray, kind: Scalar) -> bytes:
    """Return the bytes of numbers of the kind's type, without anything between them."""
    if kind.wire != VARINT:
        return np.ascontiguousarray(values, kind.dtype).tobytes()
    if kind.dtype.kind == "b":
        return np.asarray(values, np.uint8).tobytes()
    if values.size <= _FEW:
        return b"".join([varint(value) for value in values.tolist()])
    wide = np.asarray(values).astype(np.int64 if kind.dtype.kind == "i" else np.uint64)
    rest = wide.view(np.uint64)
    lengths = np.ones(rest.shape, np.int64)
    for place in range(1, _MOST):
        lengths += rest >> np.uint64(7 * place) > 0
    ends = np.cumsum(lengths)
    begins = ends - lengths
    out = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    for place in range(int(lengths.max()) if len(lengths) else 0):
        longer = np.flatnonzero(lengths > place)
        part = (rest[longer] >> np.uint64(7 * place)).astype(np.uint8) & 0x7F
        more = (lengths[longer] > place + 1).astype(np.uint8) << 7
        out[begins[longer] + place] = part | more
    return out.tobytes()
