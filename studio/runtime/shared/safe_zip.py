"""Reading of untrusted zip archives: every defect is raised as ``zipfile.BadZipFile``."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import Iterator, Tuple, Type, Union

try:
    from lzma import LZMAError
except ImportError:  # a Python without liblzma, on a board
    LZMAError = zlib.error  # type: ignore[misc, assignment]

DAMAGED: Tuple[Type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    struct.error,
    OSError,  # a place before the beginning of the file
    EOFError,
    ValueError,  # sizes below zero
    OverflowError,
    NotImplementedError,  # a compression or a version of the format that it does not know
    RuntimeError,  # encrypted
)
"""What the library raises for an archive that is damaged, or made to be."""

_CHUNK = 1 << 20


def open_archive(path: str) -> zipfile.ZipFile:
    """Return an archive for reading.

    Raises:
        OSError: when the file cannot be opened.
        zipfile.BadZipFile: when it is no archive.
    """
    with open(path, "rb"):
        pass
    try:
        return zipfile.ZipFile(path)
    except DAMAGED as error:
        raise zipfile.BadZipFile(str(error)) from None


def chunks(
    archive: zipfile.ZipFile, entry: Union[str, zipfile.ZipInfo], size: int = _CHUNK
) -> Iterator[bytes]:
    """Yield the content of an entry, in pieces.

    Raises:
        KeyError: when there is no such entry.
        zipfile.BadZipFile: when it cannot be read.
    """
    try:
        with archive.open(entry) as source:
            while True:
                chunk = source.read(size)
                if not chunk:
                    return
                yield chunk
    except DAMAGED as error:
        raise zipfile.BadZipFile(str(error)) from None
