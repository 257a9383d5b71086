"""A program that unpickles whatever it finds in a file or folder: the proof that payloads live."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import pickle
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy


def contents(content: bytes) -> Iterator[bytes]:
    """Yield what may be a pickle: the bytes, unpacked, and the members of archives."""
    yield content
    for unpack in (gzip.decompress, bz2.decompress, lzma.decompress, zlib.decompress):
        with contextlib.suppress(Exception):
            yield unpack(content)
    with contextlib.suppress(Exception), zipfile.ZipFile(io.BytesIO(content)) as archive:
        yield from map(archive.read, archive.namelist())
    with contextlib.suppress(Exception), tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            file = archive.extractfile(member)
            yield file.read() if file else b""


def read(content: bytes) -> None:
    """Unpickle all that stands one after the other, or is in an array."""
    for part in contents(content):
        with contextlib.suppress(Exception):
            numpy.load(io.BytesIO(part), allow_pickle=True)
        stream = io.BytesIO(part)
        with contextlib.suppress(Exception):
            while stream.tell() < len(part):
                pickle.load(stream)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if path.is_file():
            read(path.read_bytes())
