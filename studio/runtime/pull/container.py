"""Reader of the artefact: a cpio archive, as SWUpdate's ``.swu``, with the files of a bundle.

Members: ``sw-description`` (for servers and for swupdate), ``manifest.json``, its signature,
``order.json`` (why an older release is wanted), and each file of the bundle under its SHA-256.
The format is "new ASCII" with or without checksums (cpio(5)): hexadecimal fields of eight digits.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Dict, Iterator, NamedTuple

from .artefact import CHUNK, SMALL, Artefact
from .errors import PullError

DESCRIPTION = "sw-description"
_END = "TRAILER!!!"
_MAGIC = (b"070701", b"070702")
_HEADER = 110
_MOST_MEMBERS = 100_000
_HEX = frozenset("0123456789abcdef")
_DIGITS = frozenset(b"0123456789abcdefABCDEF")


class Member(NamedTuple):
    """Place of a member's content in the file."""

    name: str
    offset: int
    size: int


class Container(Artefact):
    """An artefact in one file on the disk, whose members were listed."""

    def __init__(self, path: Path) -> None:
        """List the members.

        Raises:
            PullError: when the file is no artefact of ours, or lacks a file of its bundle.
        """
        self._path = path
        with open(str(path), "rb") as file:
            self._members = _listed(file)
            small = {name: self._small(file, name) for name in SMALL}
        super().__init__(small, {name: one.size for name, one in self._members.items()})

    def content(self, digest: str) -> Iterator[bytes]:
        """Yield the content of a file of the bundle, in pieces."""
        member = self._members[digest]
        with open(str(self._path), "rb") as file:
            file.seek(member.offset)
            left = member.size
            while left:
                piece = file.read(min(left, CHUNK))
                if not piece:
                    raise PullError("The artefact is cut off.")
                left -= len(piece)
                yield piece

    def _small(self, file: BinaryIO, name: str) -> bytes:
        member = self._members.get(name)
        if member is None:
            return b""
        if member.size > SMALL[name]:
            raise PullError("The artefact's {} is too large.".format(name))
        file.seek(member.offset)
        return file.read(member.size)


def _listed(file: BinaryIO) -> Dict[str, Member]:
    """Return the members by their names, after a check of all sizes."""
    end = file.seek(0, os.SEEK_END)
    found: Dict[str, Member] = {}
    place = 0
    for _ in range(_MOST_MEMBERS):
        file.seek(place)
        head = file.read(_HEADER)
        if len(head) < _HEADER or head[:6] not in _MAGIC:
            raise PullError("The artefact is no archive of the form .swu.")
        size, length = _number(head, 6), _number(head, 11)
        name = file.read(min(length, 4096)).rstrip(b"\0").decode("ascii", "replace")
        if name == _END:
            return found
        offset = _padded(place + _HEADER + length)
        if offset + size > end or name in found:
            raise PullError("The artefact is cut off, or names a file twice.")
        if name in (DESCRIPTION, *SMALL) or (len(name) == 64 and _HEX.issuperset(name)):
            found[name] = Member(name, offset, size)
        place = _padded(offset + size)
    raise PullError("The artefact has too many files.")


def _number(head: bytes, field: int) -> int:
    text = head[6 + 8 * field : 14 + 8 * field]
    if not _DIGITS.issuperset(text):  # int() would also take a sign
        raise PullError("The artefact is no archive of the form .swu.")
    return int(text, 16)


def _padded(place: int) -> int:
    return place + -place % 4
