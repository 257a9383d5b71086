"""Large tensors of an ONNX model as files of their own, named by their content.

A model whose head was trained again then differs from the one before in a few files, and only
those travel to a board. onnxruntime reads such files where the model refers to them.

The model is read as what it is on the wire (protobuf: fields of a number, a kind and a value), so
that everything this module does not know is copied as it stands. Numbers of fields: onnx.proto.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from studio.packages.wire import (
    BYTES,
    VARINT,
    Field,
    Unreadable,
    read_fields,
    read_varint,
    write_field,
    write_varint,
)

LEAST_BYTES = 64 << 10
FOLDER = "tensors"
_GRAPH, _INITIALIZER = 7, 5
_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 9, 13, 14
_NODE, _OUTPUT, _OP_TYPE, _ATTRIBUTE, _ATTRIBUTE_TENSOR, _TENSOR_NAME = 1, 2, 4, 5, 5, 8
_EXTERNAL = 1
_IR_VERSION, _FREE_INITIALIZERS = 1, 4


class Split(NamedTuple):
    """A model and its large tensors.

    Attributes:
        model: The bytes of the model, which refers to the tensors.
        tensors: Relative name of a file -> its content.
        left: Whether something still refers to the files that the model came with.
    """

    model: bytes
    tensors: Mapping[str, memoryview]
    left: bool


def split(path: Path, least: int = LEAST_BYTES) -> Split:
    """Take the large tensors of the main graph out of a model.

    Those are its initializers, and its nodes "Constant": such a node becomes an initializer, which
    is the same to every runtime, where the model's version knows initializers that are no inputs.

    Args:
        least: Bytes from which on a tensor is large.

    Raises:
        Unreadable: when the file is no ONNX model, or refers to data that is not there.
        OSError: when a file cannot be read.
    """
    content = memoryview(path.read_bytes())
    fields = list(read_fields(content))
    versions = [one.value for one in fields if one.number == _IR_VERSION and one.kind == VARINT]
    version = read_varint(versions[-1], 0)[0] if versions else 0
    found = _Splitter(path.parent, least, version >= _FREE_INITIALIZERS)
    parts: list[bytes | memoryview] = []
    for field in fields:
        if field.number == _GRAPH and field.kind == BYTES:
            parts.append(write_field(_GRAPH, found.graph(field.value)))
        else:
            parts.append(field.whole)
    model = b"".join(parts)
    return Split(model, found.tensors, found.left)


class _Splitter:
    def __init__(self, folder: Path, least: int, constants: bool) -> None:
        self._constants = constants
        self.tensors: dict[str, memoryview] = {}
        self.left = False
        self._folder = folder
        self._least = least
        self._files: dict[str, memoryview] = {}

    def graph(self, content: memoryview) -> bytes:
        parts: list[bytes | memoryview] = []
        for field in read_fields(content):
            if field.number == _INITIALIZER and field.kind == BYTES:
                parts.append(self._tensor(field.value) or field.whole)
            elif (made := self._constant(field)) is not None:
                parts.append(made)
            else:
                # Tensors of attributes and of inner graphs stay as and where they are.
                self.left = self.left or _refers(field)
                parts.append(field.whole)
        return b"".join(parts)

    def _constant(self, node: Field) -> bytes | None:
        """Return the initializer for a large constant's node; None for every other node."""
        if not self._constants or node.number != _NODE or len(node.value) < self._least:
            return None
        fields = list(read_fields(node.value))
        kind = [bytes(one.value) for one in fields if one.number == _OP_TYPE]
        outputs = [bytes(one.value) for one in fields if one.number == _OUTPUT]
        attributes = [list(read_fields(one.value)) for one in fields if one.number == _ATTRIBUTE]
        if kind != [b"Constant"] or len(outputs) != 1 or len(attributes) != 1:
            return None
        tensors = [one.value for one in attributes[0] if one.number == _ATTRIBUTE_TENSOR]
        return self._tensor(tensors[0], outputs[0]) if len(tensors) == 1 else None

    def _tensor(self, content: memoryview, name_of: bytes | None = None) -> bytes | None:
        """Return an initializer that refers to its content, if that is large.

        Args:
            name_of: Its name, instead of the one that it has.
        """
        fields = list(read_fields(content))
        raw = self._content(fields)
        if raw is None or len(raw) < self._least:
            self.left = self.left or _is_external(fields)
            return None
        name = f"{FOLDER}/{hashlib.sha256(raw).hexdigest()}"
        self.tensors[name] = raw
        gone = {_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION}
        gone |= set() if name_of is None else {_TENSOR_NAME}
        rest = [bytes(one.whole) for one in fields if one.number not in gone]
        rest += [] if name_of is None else [write_field(_TENSOR_NAME, name_of)]
        entries = [
            write_field(
                _EXTERNAL_DATA, write_field(1, key.encode()) + write_field(2, value.encode())
            )
            for key, value in (("location", name), ("offset", "0"), ("length", str(len(raw))))
        ]
        location = write_varint(_DATA_LOCATION << 3 | VARINT) + write_varint(_EXTERNAL)
        return write_field(_INITIALIZER, b"".join([*rest, *entries, location]))

    def _content(self, fields: list[Field]) -> memoryview | None:
        """Return the raw bytes of a tensor, wherever they are; None if stored as typed numbers."""
        if not _is_external(fields):
            raw = [one.value for one in fields if one.number == _RAW_DATA and one.kind == BYTES]
            return raw[-1] if raw else None
        entries = dict(_entry(one.value) for one in fields if one.number == _EXTERNAL_DATA)
        whole = self._file(entries.get("location", ""))
        try:
            offset = int(entries.get("offset") or 0)
            length = int(entries.get("length") or len(whole) - offset)
        except ValueError:
            raise Unreadable("a tensor's place in its file is no number") from None
        if offset < 0 or length < 0 or offset + length > len(whole):
            raise Unreadable("a tensor lies beyond the end of its file")
        return whole[offset : offset + length]

    def _file(self, location: str) -> memoryview:
        if location not in self._files:
            path = Path(location)
            if not location or path.is_absolute() or ".." in path.parts:
                raise Unreadable(f"a tensor refers to the file {location!r}")
            self._files[location] = memoryview((self._folder / path).read_bytes())
        return self._files[location]


def _refers(field: Field) -> bool:
    """Return whether there may be a reference to an external file somewhere inside."""
    return field.kind == BYTES and b"\x0a\x08location\x12" in bytes(field.value)


def _is_external(fields: list[Field]) -> bool:
    places = [one.value for one in fields if one.number == _DATA_LOCATION and one.kind == VARINT]
    return bool(places) and bytes(places[-1]) == bytes([_EXTERNAL])


def _entry(content: memoryview) -> tuple[str, str]:
    found = {
        one.number: bytes(one.value).decode("utf-8", "replace") for one in read_fields(content)
    }
    return found.get(1, ""), found.get(2, "")


def write_parts(source: Path, folder: Path, name: str) -> bool:
    """Write a model's own file and its large tensors; whether that is all that it needs."""
    try:
        found = split(source)
    except Unreadable:
        return False  # it loads, or it would not have come so far: so it travels as it is
    if found.left:
        return False
    (folder / name).write_bytes(found.model)
    for relative, content in found.tensors.items():
        path = folder / relative
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return True
