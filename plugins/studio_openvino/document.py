"""The XML of an IR file, read as a stream without trust: no document type, no entities, limits."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.parsers import expat

from studio.api import InvalidModel, Limits, Progress, UnsafeModel

Attributes = Mapping[str, str]
Children = list[tuple[str, Any]]
Fold = Callable[[Attributes, Children, str], Any]
"""Result of an element from its attributes, its children's results, and its text."""

_LARGEST = 256 * 2**20
_MOST_PARTS = 8_000_000
_LEVELS_A_BODY = 4
_CHUNK = 2**20


def check_file(path: Path, limits: Limits) -> None:
    """Refuse what is no regular file of a possible size.

    Raises:
        InvalidModel: when there is nothing to read.
        UnsafeModel: for devices and pipes, and beyond the limits.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise InvalidModel(f"{path} cannot be read: {error.strerror}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeModel(f"{path.name} is not a regular file.")
    if not status.st_size:
        raise InvalidModel(f"{path.name} is empty.", hint="Export or download the model again.")
    largest = min(_LARGEST, limits.file_bytes)
    if status.st_size > largest:
        raise UnsafeModel(
            f"{path.name} has {status.st_size / 1e6:,.0f} MB; "
            f"up to {largest / 1e6:,.0f} MB are read."
        )


def parse(path: Path, folds: Mapping[str, Fold], limits: Limits, progress: Progress) -> Any:
    """Return the result of the root element.

    Args:
        folds: By tag; elements of other tags are forgotten with all that is in them.

    Raises:
        InvalidModel: when the file is not well-formed, or a fold raises it.
        UnsafeModel: when it declares a document type, or is beyond the limits.
    """
    check_file(path, limits)
    stream = _Stream(path.name, folds, limits)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                stream.parser.Parse(chunk, False)
                progress.check()
        stream.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise InvalidModel(
            f"{path.name} is not well-formed XML (line {error.lineno}).", detail=str(error)
        ) from None
    return stream.root


class _Stream:
    """Handler of the parser's events, with a stack of the open elements."""

    def __init__(self, name: str, folds: Mapping[str, Fold], limits: Limits) -> None:
        self.root: Any = None
        self._name = name
        self._folds = folds
        self._limits = limits
        self._open: list[tuple[str, Attributes, Children]] = []
        self._text: list[str] = []
        self._parts = self._layers = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        # Entities could expand without bound, or read other files.
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._on_text

    def _refuse(self, *_declaration: object) -> None:
        raise UnsafeModel(f"{self._name} declares a document type or entities; no IR needs them.")

    def _start(self, tag: str, attributes: Attributes) -> None:
        self._open.append((tag, attributes, []))
        self._text.clear()
        if len(self._open) > _LEVELS_A_BODY * (self._limits.depth + 1):
            raise UnsafeModel(f"{self._name} nests its elements deeper than {len(self._open)}.")
        self._layers += tag == "layer"
        if self._layers > self._limits.nodes:
            raise UnsafeModel(f"{self._name} has more than {self._limits.nodes:,} layers.")

    def _end(self, tag: str) -> None:
        _, attributes, children = self._open.pop()
        fold = self._folds.get(tag)
        if fold is None:
            return
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise UnsafeModel(f"{self._name} has more than {_MOST_PARTS:,} elements.")
        value = fold(attributes, children, "".join(self._text).strip())
        self._text.clear()
        if self._open:
            self._open[-1][2].append((tag, value))
        else:
            self.root = value

    def _on_text(self, text: str) -> None:
        if self._open and self._open[-1][0] == "dim":
            # A size is a short number; longer text is cut instead of stored.
            self._text.append(text[:32])
