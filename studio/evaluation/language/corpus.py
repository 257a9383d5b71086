"""Texts that a language model is scored on: a file, or the files of a folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from studio.api import InvalidData
from studio.documents.plain import one_line
from studio.lazy_dataclass import dataclass

SUFFIXES = (".txt", ".md", ".rst", ".text")
LINES = ".jsonl"
"""A line of such a file is a document: an object with ``text``."""

_MOST_BYTES = 64 << 20
_MOST_FILES = 5000


@dataclass(frozen=True, slots=True)
class CorpusDocument:
    """A text with its name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts with the digest of their contents."""

    documents: tuple[CorpusDocument, ...]
    digest: str

    @classmethod
    def read(cls, path: Path) -> Corpus:
        """Read a text file, a file of lines in JSON, or a folder with such files.

        Raises:
            InvalidData: in one sentence, for what is no text, too large, or empty.
        """
        digest, documents, size = hashlib.sha256(), list[CorpusDocument](), 0
        for file in _files(path):
            content = _content(file, _MOST_BYTES - size)
            size += len(content)
            digest.update(hashlib.sha256(content).digest())
            name = file.relative_to(path).as_posix() if path.is_dir() else file.name
            documents += _documents(content, one_line(name), file.suffix.lower())
        if not any(one.text.strip() for one in documents):
            raise InvalidData(f"{path.name} has no text.")
        return cls(tuple(one for one in documents if one.text.strip()), digest.hexdigest())


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    wanted = (*SUFFIXES, LINES)
    found = list[Path]()
    for parent, _, names in os.walk(path):
        found += (Path(parent, one) for one in names if Path(one).suffix.lower() in wanted)
        if len(found) > _MOST_FILES:
            raise InvalidData(f"{path.name} has more than {_MOST_FILES:,} texts.")
    if not found:
        known = ", ".join(wanted)
        raise InvalidData(f"{path.name} has no texts.", hint=f"Texts are files such as {known}.")
    yield from sorted(found)


def _content(file: Path, room: int) -> bytes:
    if not file.is_file():  # a pipe would never end
        raise InvalidData(f"{file.name} is no file.")
    try:
        with file.open("rb") as stream:
            content = stream.read(room + 1)
    except OSError as error:
        raise InvalidData(f"{file.name} cannot be read: {error.strerror}.") from None
    if len(content) > room:
        raise InvalidData(f"The texts have more than {_MOST_BYTES >> 20} MB.")
    return content


def _documents(content: bytes, name: str, suffix: str) -> list[CorpusDocument]:
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidData(f"{name}, line {line}: this is no UTF-8 text.") from None
    if "\0" in text:
        raise InvalidData(f"{name} is no text: it has characters of value 0.")
    if suffix != LINES:
        return [CorpusDocument(name, text)]
    lines = enumerate(text.split("\n"), 1)
    return [_line(line, f"{name}:{number}") for number, line in lines if line.strip()]


def _line(line: str, place: str) -> CorpusDocument:
    name, _, number = place.rpartition(":")
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidData(f"{name}, line {number}: this is not JSON.") from None
    text = document.get("text") if isinstance(document, dict) else None
    if not isinstance(text, str):
        raise InvalidData(f"{name}, line {number}: no object with a text under “text”.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidData(f"{name}, line {number}: the text has half of a character.") from None
    return CorpusDocument(place, text)
