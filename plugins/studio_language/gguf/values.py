"""Values of tensors in GGUF files: plain numbers, and blocks with their scales."""

from __future__ import annotations

from collections.abc import Callable

import numpy
from numpy.typing import NDArray

from studio.api import UsageError
from studio_language.tensor_types import TensorKind

Floats = NDArray[numpy.float32]
_Blocks = NDArray[numpy.uint8]

_PLAIN = frozenset({"float32", "float16", "float64", "int8", "int16", "int32", "int64"})


def read_values(name: str, kind: TensorKind, data: bytes) -> NDArray[numpy.generic]:
    """Return the values of whole blocks.

    Raises:
        UsageError: for a type whose blocks are not known here.
    """
    if kind.name in _PLAIN:
        return numpy.frombuffer(data, numpy.dtype(kind.name).newbyteorder("<"))
    if kind.name == "bfloat16":
        return (numpy.frombuffer(data, "<u2").astype(numpy.uint32) << 16).view(numpy.float32)
    read = _READERS.get(kind.name)
    if read is None:
        raise UsageError(f"The values of {name!r} are of type {kind.name}, which is not unpacked.")
    blocks = numpy.frombuffer(data, numpy.uint8).reshape(-1, kind.bytes)
    return read(blocks).astype(numpy.float32).reshape(-1)


def _half(blocks: _Blocks, at: int) -> Floats:
    """Return the float16 at a place of each block, as a column."""
    found = numpy.ascontiguousarray(blocks[:, at : at + 2]).view("<f2")
    return found.astype(numpy.float32)


def _nibbles(packed: _Blocks) -> Floats:
    """Return 4-bit numbers: the low halves of all bytes, then the high ones."""
    return numpy.concatenate([packed & 15, packed >> 4], axis=1).astype(numpy.float32)


def _fifth_bits(packed: _Blocks) -> Floats:
    """Return the fifth bit of 32 numbers, times 16."""
    bits = numpy.unpackbits(numpy.ascontiguousarray(packed), axis=1, bitorder="little")
    return bits.astype(numpy.float32) * 16


def _q4_0(blocks: _Blocks) -> Floats:
    return _half(blocks, 0) * (_nibbles(blocks[:, 2:]) - 8)


def _q4_1(blocks: _Blocks) -> Floats:
    return _half(blocks, 0) * _nibbles(blocks[:, 4:]) + _half(blocks, 2)


def _q5_0(blocks: _Blocks) -> Floats:
    return _half(blocks, 0) * (_nibbles(blocks[:, 6:]) + _fifth_bits(blocks[:, 2:6]) - 16)


def _q5_1(blocks: _Blocks) -> Floats:
    whole = _nibbles(blocks[:, 8:]) + _fifth_bits(blocks[:, 4:8])
    return _half(blocks, 0) * whole + _half(blocks, 2)


def _q8_0(blocks: _Blocks) -> Floats:
    whole = numpy.ascontiguousarray(blocks[:, 2:]).view(numpy.int8)
    return _half(blocks, 0) * whole.astype(numpy.float32)


def _six_bits(packed: _Blocks) -> tuple[Floats, Floats]:
    """Return the eight scales and eight offsets of a block of 256, of 6 bits each."""
    low, middle, high = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = numpy.concatenate([low & 63, (high & 15) | ((low >> 6) << 4)], axis=1)
    offsets = numpy.concatenate([middle & 63, (high >> 4) | ((middle >> 6) << 4)], axis=1)
    return scales.astype(numpy.float32), offsets.astype(numpy.float32)


def _groups(packed: _Blocks) -> Floats:
    """Return 4-bit numbers as blocks by 8 groups of 32: of 32 bytes the low halves come first."""
    quarters = packed.reshape(len(packed), 4, 1, 32)
    both = numpy.concatenate([quarters & 15, quarters >> 4], axis=2)
    return both.reshape(len(packed), 8, 32).astype(numpy.float32)


def _q4_k(blocks: _Blocks) -> Floats:
    scales, offsets = _six_bits(blocks[:, 4:16])
    scales, offsets = _half(blocks, 0) * scales, _half(blocks, 2) * offsets
    return scales[:, :, None] * _groups(blocks[:, 16:]) - offsets[:, :, None]


def _q5_k(blocks: _Blocks) -> Floats:
    scales, offsets = _six_bits(blocks[:, 4:16])
    scales, offsets = _half(blocks, 0) * scales, _half(blocks, 2) * offsets
    planes = numpy.arange(8, dtype=numpy.uint8)[None, :, None]
    high = ((blocks[:, None, 16:48] >> planes) & 1).astype(numpy.float32) * 16
    return scales[:, :, None] * (_groups(blocks[:, 48:]) + high) - offsets[:, :, None]


def _q6_k(blocks: _Blocks) -> Floats:
    count = len(blocks)
    low = blocks[:, :128].reshape(count, 2, 2, 32)
    low = numpy.concatenate([low & 15, low >> 4], axis=2)  # halves by 4 groups by 32
    shifts = numpy.array([0, 2, 4, 6], numpy.uint8)[None, None, :, None]
    high = (blocks[:, 128:192].reshape(count, 2, 1, 32) >> shifts) & 3
    whole = (low | (high << 4)).astype(numpy.float32).reshape(count, 16, 16) - 32
    scales = numpy.ascontiguousarray(blocks[:, 192:208]).view(numpy.int8).astype(numpy.float32)
    return (_half(blocks, 208) * scales)[:, :, None] * whole


def _q2_k(blocks: _Blocks) -> Floats:
    scales = _half(blocks, 80) * (blocks[:, :16] & 15)
    offsets = _half(blocks, 82) * (blocks[:, :16] >> 4)
    whole = _pairs_of_bits(blocks[:, 16:80]).reshape(len(blocks), 16, 16)
    return scales[:, :, None] * whole - offsets[:, :, None]


def _pairs_of_bits(packed: _Blocks) -> Floats:
    """Return 2-bit numbers: of each 32 bytes all lowest pairs come first."""
    shifts = numpy.array([0, 2, 4, 6], numpy.uint8)[None, None, :, None]
    return ((packed.reshape(len(packed), 2, 1, 32) >> shifts) & 3).astype(numpy.float32)


def _q3_k(blocks: _Blocks) -> Floats:
    count, planes = len(blocks), numpy.arange(8, dtype=numpy.uint8)[None, :, None]
    low = _pairs_of_bits(blocks[:, 32:96]).reshape(count, 8, 32)
    high = ((blocks[:, None, :32] >> planes) & 1).astype(numpy.float32)
    whole = (low + 4 * high - 4).reshape(count, 16, 16)
    packed = blocks[:, 96:108]
    fours = numpy.concatenate([packed[:, :8] & 15, packed[:, :8] >> 4], axis=1)
    twos = [(packed[:, 8:12] >> shift) & 3 for shift in (0, 2, 4, 6)]
    scales = (fours | (numpy.concatenate(twos, axis=1) << 4)).astype(numpy.float32) - 32
    return (_half(blocks, 108) * scales)[:, :, None] * whole


_UNEVEN = numpy.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], numpy.float32
)
"""The levels of the types IQ4 (``kvalues_iq4nl`` of ggml)."""


def _iq4_nl(blocks: _Blocks) -> Floats:
    return _half(blocks, 0) * _UNEVEN[_nibbles(blocks[:, 2:]).astype(numpy.uint8)]


def _iq4_xs(blocks: _Blocks) -> Floats:
    high = numpy.ascontiguousarray(blocks[:, 2:4]).view("<u2").astype(numpy.int32)
    low, places = blocks[:, 4:8, None] >> numpy.array([0, 4], numpy.uint8), numpy.arange(8)
    twos = (high >> (2 * places)) & 3
    scales = ((low & 15).reshape(len(blocks), 8) | (twos << 4)).astype(numpy.float32) - 32
    quarters = blocks[:, 8:].reshape(len(blocks), 8, 1, 16)
    both = numpy.concatenate([quarters & 15, quarters >> 4], axis=2).reshape(len(blocks), 8, 32)
    return (_half(blocks, 0) * scales)[:, :, None] * _UNEVEN[both]


_READERS: dict[str, Callable[[_Blocks], Floats]] = {
    "q4_0": _q4_0,
    "q4_1": _q4_1,
    "q5_0": _q5_0,
    "q5_1": _q5_1,
    "q8_0": _q8_0,
    "q2_k": _q2_k,
    "q3_k": _q3_k,
    "q4_k": _q4_k,
    "q5_k": _q5_k,
    "q6_k": _q6_k,
    "iq4_nl": _iq4_nl,
    "iq4_xs": _iq4_xs,
}
