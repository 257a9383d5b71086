"""A walk over the protobuf bytes of a model that leaves the weights where they are.

``onnx.load`` takes memory for every weight, and protobuf's parser takes fifty times the size of
a file that is made of empty nodes. So a file is skimmed first: nodes are counted, nesting is
measured, and each large tensor is replaced by a reference (offset and length) into the file. What
is left, the structure, is small and is parsed by protobuf as usual.
"""

from __future__ import annotations

import mmap
import secrets
from dataclasses import dataclass

from studio.api import InvalidModel, Limits, UnsafeModel

INSIDE = f"\0{secrets.token_hex(8)}"
"""Location of a skimmed tensor: no file can have this name, and no model can know it."""

KEEP = 4096
"""Messages up to this size are kept as they are: shapes and scalars are needed for inference."""

_MODEL, _GRAPH, _FUNCTION, _NODE, _ATTRIBUTE, _SPARSE, _TENSOR = range(7)

# Field number of each message that can hold a tensor, a graph or a node (onnx.proto).
_CHILDREN: dict[int, dict[int, int]] = {
    _MODEL: {7: _GRAPH, 25: _FUNCTION},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _FUNCTION: {7: _NODE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
}
_TOP_LEVEL_WIRE_TYPES = {
    **dict.fromkeys((1, 5), 0),
    **dict.fromkeys((2, 3, 4, 6, 7, 8, 14, 20, 25, 26), 2),
}
_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 9, 13, 14
_LONGEST_HEADER = 2**16
"""Bytes of a tensor without its data: name, shape, where its data lies, a description."""

_PARTS_PER_NODE = 16
"""Parts (values, constants, attributes ...) allowed for each node of the limit."""

_TENSOR_DATA = frozenset({4, 5, 6, 7, _RAW_DATA, 10, 11})


Buffer = bytes | mmap.mmap
"""Bytes, or a mapped file."""


class _OverrunError(Exception):
    """A field that ends behind its message."""


class _MalformedError(Exception):
    """Bytes that are no protobuf."""


@dataclass(slots=True)
class Skimmer:
    """Walk over one model.

    Attributes:
        name: The file's name, for the sentences.
        keep: Largest message that is not looked into.
        nodes: Nodes met so far, each once for every graph around it: looking for what a
            sub-graph takes from the graphs around it is repeated at each level.
        parts: Fields of graphs, functions, nodes and attributes met so far.
        deepest: Levels of graphs met so far.
    """

    buffer: Buffer
    name: str
    limits: Limits
    keep: int = KEEP
    nodes: int = 0
    parts: int = 0
    deepest: int = 0

    def skim(self) -> bytes:
        """Return the model without its large tensors.

        Raises:
            InvalidModel: when the bytes are no model, or end too early.
            UnsafeModel: when it nests too deep or has too many nodes.
        """
        self._check_top_level()
        try:
            return self._message(0, len(self.buffer), _MODEL, 0)
        except (_OverrunError, _MalformedError, IndexError):
            raise InvalidModel(
                f"{self.name} is damaged: its content is not a valid ONNX model.",
                hint="Copy or download the file again.",
            ) from None

    def _check_top_level(self) -> None:
        """Tell a file that is no model from one that ends too early."""
        pos, end, first = 0, len(self.buffer), True
        while pos < end:
            try:
                tag, pos = self._varint(pos, end)
            except (_MalformedError, _OverrunError):
                raise self._not_a_model() from None
            number, wire = tag >> 3, tag & 7
            if first and _TOP_LEVEL_WIRE_TYPES.get(number) != wire:
                raise self._not_a_model()
            try:
                pos = self._skip(pos, end, wire)
            except _MalformedError:
                raise self._not_a_model() from None
            except _OverrunError as overrun:
                if first:
                    raise self._not_a_model() from None
                raise InvalidModel(
                    f"{self.name} is cut off: {end:,} bytes of at least {overrun.args[0]:,}.",
                    hint="Copy or download the file again.",
                ) from None
            first = False

    def _not_a_model(self) -> InvalidModel:
        return InvalidModel(
            f"{self.name} is not an ONNX model.",
            hint="Export the model to ONNX first, or check that this is the right file.",
        )

    def _message(self, start: int, end: int, kind: int, depth: int) -> bytes:
        """Return the message between two positions, with references for its large tensors."""
        if kind == _GRAPH:
            depth += 1
            if depth > self.limits.depth:
                raise UnsafeModel(
                    f"{self.name} nests sub-graphs deeper than {self.limits.depth} levels."
                )
            self.deepest = max(self.deepest, depth)
        children = _CHILDREN[kind]
        node_field = {_GRAPH: 1, _FUNCTION: 7}.get(kind, 0)
        out, copied, pos = bytearray(), start, start
        while pos < end:
            at = pos
            tag, pos = self._varint(pos, end)
            if tag & 7 != 2:
                pos = self._skip(pos, end, tag & 7)
                continue
            head = pos
            length, pos = self._varint(pos, end)
            stop = pos + length
            if stop > end:
                raise _OverrunError(stop)
            number = tag >> 3
            self._count(max(depth, 1) if number == node_field else 0)
            if length > self.keep and number in children:
                child = children[number]
                if child == _TENSOR:
                    body = self._tensor(pos, stop)
                else:
                    body = self._message(pos, stop, child, depth)
                out += self.buffer[copied:at]
                out += self.buffer[at:head] + _encode(len(body))
                out += body
                copied = stop
            pos = stop
        out += self.buffer[copied:end]
        return bytes(out)

    def _count(self, nodes: int) -> None:
        self.nodes += nodes
        self.parts += 1
        if self.nodes > self.limits.nodes:
            counted = ", those of nested sub-graphs counted once a level" * (self.deepest > 1)
            raise UnsafeModel(f"{self.name} has more than {self.limits.nodes:,} nodes{counted}.")
        if self.parts > self.limits.nodes * _PARTS_PER_NODE:
            raise UnsafeModel(f"{self.name} has more than {self.parts - 1:,} values and constants.")

    def _tensor(self, start: int, end: int) -> bytes:
        """Return a tensor without its data, which is referred to by position."""
        out, pos, raw, external = bytearray(), start, (-1, 0), False
        while pos < end:
            at = pos
            tag, pos = self._varint(pos, end)
            number = tag >> 3
            if number == _RAW_DATA and tag & 7 == 2:
                length, head = self._varint(pos, end)
                raw = (head, length)
            elif number == _DATA_LOCATION and tag & 7 == 0:
                external = self._varint(pos, end)[0] == 1
            pos = self._skip(pos, end, tag & 7)
            if number not in _TENSOR_DATA:
                out += self.buffer[at:pos]
        if len(out) > _LONGEST_HEADER:
            raise UnsafeModel(
                f"{self.name} has a tensor whose name and shape alone take {len(out):,} bytes."
            )
        if not external:
            out += _reference(*raw)
        return bytes(out)

    def _varint(self, pos: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while pos < end:
            byte = self.buffer[pos]
            pos += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, pos
            shift += 7
            if shift > 63:
                raise _MalformedError
        raise _OverrunError(pos + 1)

    def _skip(self, pos: int, end: int, wire: int) -> int:
        if wire == 0:
            return self._varint(pos, end)[1]
        if wire == 2:
            length, pos = self._varint(pos, end)
            pos += length
        elif wire == 1:
            pos += 8
        elif wire == 5:
            pos += 4
        else:
            raise _MalformedError
        if pos > end:
            raise _OverrunError(pos)
        return pos


def _encode(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _reference(offset: int, length: int) -> bytes:
    """Return the fields of an external tensor: offset and length in the model's own file."""
    entries = {"location": INSIDE}
    if offset >= 0:  # data in typed fields (float_data ...) has no one position
        entries |= {"offset": str(offset), "length": str(length)}
    out = bytearray(_encode(_DATA_LOCATION << 3) + b"\x01")
    for key, value in entries.items():
        pair = b"".join(
            bytes([number << 3 | 2]) + _encode(len(text)) + text
            for number, text in ((1, key.encode()), (2, value.encode()))
        )
        out += _encode(_EXTERNAL_DATA << 3 | 2) + _encode(len(pair)) + pair
    return bytes(out)
