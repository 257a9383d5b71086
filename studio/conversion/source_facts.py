"""What a source knows of its model, as texts for the project and metadata of the ONNX file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from studio.api import Converted, InvalidData
from studio.datasets.preprocess import Preprocess
from studio.documents.plain import one_line
from studio.documents.toml_text import literal

_METADATA = 14
"""Number of ``metadata_props`` in ``ModelProto``; an entry has a key (1) and a value (2)."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10
_MOST_BYTES = 1 << 20
_MOST_FIELDS = 100_000
"""Fields of a model itself, most of which are functions and metadata; a million would take long."""

_MOST_FILE = (1 << 31) - 1
"""Bytes that protobuf reads."""


class _Damaged(Exception):
    pass


def add_metadata(path: Path, metadata: Mapping[str, str]) -> None:
    """Append entries whose keys a model does not have; a damaged file stays as it is.

    Its reader reports the damage. Code of a source that runs may have put a link or a pipe in its
    place, which is left alone.
    """
    if not metadata or path.is_symlink() or not path.is_file():
        return
    try:
        with path.open("rb") as file:
            known = set(_keys(file))
    except _Damaged:
        return
    new = {key: value for key, value in metadata.items() if key not in known}
    content = b"".join(_field(_METADATA, _entry(key, value)) for key, value in new.items())
    if len(content) <= _MOST_BYTES and path.stat().st_size + len(content) <= _MOST_FILE:
        with path.open("ab") as file:
            file.write(content)


def _keys(file: BinaryIO) -> Iterator[str]:
    """Yield the keys of a model's metadata; other fields are passed over by their length."""
    size = file.seek(0, 2)
    file.seek(0)
    for _ in range(_MOST_FIELDS):
        if file.tell() >= size:
            return
        tag = _varint(file)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _varint(file)
            continue
        length = _varint(file) if kind == _BYTES else _SIZES.get(kind, size + 1)
        if length > size - file.tell():
            raise _Damaged
        if number == _METADATA and kind == _BYTES and length <= _MOST_BYTES:
            yield _key(file.read(length))
        else:
            file.seek(length, 1)
    raise _Damaged


def _key(entry: bytes) -> str:
    """Return the key of an entry, which writers put first."""
    if entry[:1] != b"\x0a":
        return ""
    length, at, shift = 0, 1, 0
    for byte in entry[1 : 1 + _LONGEST_VARINT]:
        length |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    return entry[at : at + length].decode("utf-8", "replace")


def _varint(file: BinaryIO) -> int:
    found = 0
    for place in range(_LONGEST_VARINT):
        byte = file.read(1)
        if not byte:
            raise _Damaged
        found |= (byte[0] & 0x7F) << (7 * place)
        if byte[0] < 0x80:
            return found
    raise _Damaged


def _entry(key: str, value: str) -> bytes:
    texts = (text.encode("utf-8", "replace") for text in (key, value))
    return b"".join(_field(number, text) for number, text in enumerate(texts, 1))


def _field(number: int, content: bytes) -> bytes:
    return _encoded(number << 3 | _BYTES) + _encoded(len(content)) + content


def _encoded(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


_HEAD = "# From {}.\n"
_MOST_TEXT = 1 << 20
"""Characters of a list of labels; the lists of models have some thousand lines."""


def texts_of(made: Converted, source: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return labels and preprocessing as texts by field of the project, and warnings."""
    found, warnings = {}, []
    labels = "".join(f"{one_line(label).strip()}\n" for label in made.labels)
    if len(labels) > _MOST_TEXT:
        warnings.append("The labels of the source are too long to be kept.")
    elif labels:
        found["labels"] = labels
    try:
        if made.preprocess:
            found["preprocess"] = _preprocess(made.preprocess, source)
    except InvalidData as error:
        warnings.append(f"The preprocessing of the source is not kept: {error.message}")
    return found, tuple(warnings)


def _preprocess(settings: Mapping[str, object], source: Path) -> str:
    """Return the text of a ``preprocess.toml``.

    Raises:
        InvalidData: for a setting that does not exist or does not fit.
    """
    Preprocess.from_json(cast("Mapping[str, Any]", settings))
    lines = (f"{name} = {literal(value)}\n" for name, value in settings.items())
    return _HEAD.format(one_line(source.name)) + "".join(lines)


def described(output: Path, metadata: Mapping[str, str]) -> dict[str, str]:
    """Write metadata into a new ONNX file, where it has none of that name; return what it is."""
    known = dict(_plain(metadata))
    add_metadata(output, known)
    return known


def _plain(metadata: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in metadata.items():
        value = text.strip()
        if value and name.isprintable():
            yield name, value
