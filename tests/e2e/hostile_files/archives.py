"""Zip archives that climb, swell, or whose table tells another story than their members."""

from __future__ import annotations

import functools
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.e2e.hostile_files.kinds import ESCAPES, Hostile, Payload, made, written

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_BOMB_BYTES = 1 << 30
_ENCRYPTED = 1
_MANY = 60_000
_SCRIPT = ("m/constants.pkl", "m/data.pkl", "m/code/__torch__.py", "m/version")
_EXPORT = ("m/archive_format", "m/archive_version", "m/models/model.json")
_KERAS = ("config.json", "metadata.json", "model.weights.h5")


def zip_of(members: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a zip archive, whatever its names."""
    return _by_hand([(name, text, zipfile.ZIP_STORED, len(text)) for name, text in members])


def _climbing(folder: Path, payload: Payload) -> Path:
    """Names that lead out by dots, by a slash, and by a drive."""
    climb = "../" * 12 + str(folder.parent / "escaped").lstrip("/")
    names = [*_SCRIPT, climb, str(folder.parent / "escaped"), "C:\\escaped", "..\\escaped"]
    path = folder / "model.pt"
    path.write_bytes(zip_of([(name, payload.pickled()) for name in names]))
    return path


def bomb(names: Sequence[str], swollen: str, size: int = _BOMB_BYTES) -> bytes:
    """Return an archive in which one member of a megabyte unpacks to a thousand of them."""
    packed = _packed_zeros(size)
    told = {"m/archive_format": b"pt2", "m/archive_version": b"0", "m/version": b"3"}
    small = {name: told.get(name, b"{}") for name in names if name != swollen}
    members = [(name, text, zipfile.ZIP_STORED, len(text)) for name, text in small.items()]
    return _by_hand([*members, (swollen, packed, zipfile.ZIP_DEFLATED, size)])


@functools.cache
def _packed_zeros(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


def _by_hand(members: Sequence[tuple[str, bytes, int, int]], entries: int | None = None) -> bytes:
    """Return an archive whose sizes, and number of entries, need not be true."""
    body, table = bytearray(), bytearray()
    for name, content, method, size in members:
        check = _check_sum(content if method == zipfile.ZIP_STORED else b"", size)
        facts = struct.pack("<HHHHHIII", 20, 0, method, 0, 33, check, len(content), size)
        encoded = name.encode()
        lengths = struct.pack("<HH", len(encoded), 0)
        place = struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        table += _CENTRAL + b"\x14\x00" + facts + lengths + place + encoded
        body += _LOCAL + facts + lengths + encoded + content
    count = len(members) if entries is None else entries
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(table), len(body), 0)
    return bytes(body + table + _END + end)


def _check_sum(content: bytes, size: int) -> int:
    """Return that of a text, or of as many zeros."""
    return _check_sum_of_zeros(size) if size and not content else zlib.crc32(content)


@functools.cache
def _check_sum_of_zeros(size: int) -> int:
    block, found = bytes(1 << 20), 0
    for _ in range(size >> 20):
        found = zlib.crc32(block, found)
    return found


def _overlapping() -> bytes:
    """Return an archive whose thousand entries are all the same bytes."""
    whole = zip_of([("m/constants.pkl", bytes(4096)), ("m/data.pkl", bytes(4096))])
    at = whole.index(_CENTRAL)
    table = whole[at : whole.index(_CENTRAL, at + 1)] * 1000
    return whole[:at] + table + _END + struct.pack("<HHHHIIH", 0, 0, 1000, 1000, len(table), at, 0)


def _other_names() -> bytes:
    """Return an archive whose members are called one thing by the table, another by themselves."""
    whole = zip_of([("m/archive_format", b"pt2"), ("m/data.pkl", b"x")])
    at = whole.index(_CENTRAL)
    return whole[:at].replace(b"m/archive_format", b"../../etc/passwd"[:16]) + whole[at:]


def _flagged() -> bytes:
    """Return an archive whose members claim to be encrypted."""
    content = bytearray(zip_of([(name, b"secret") for name in _SCRIPT]))
    for mark, flags in ((_LOCAL, 6), (_CENTRAL, 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + flags] |= _ENCRYPTED
            at = content.find(mark, at + 1)
    return bytes(content)


def _doubled(payload: Payload) -> bytes:
    """Return an archive with several members of each name, of which one is a pickle."""
    return zip_of([(n, c) for n in _SCRIPT for c in (b"}", payload.pickled(), b"}")])


def _links() -> bytes:
    """Return an archive whose members are symbolic links."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in _EXPORT:
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            made.writestr(entry, "/etc/passwd")
    return file.getvalue()


def _escapes() -> bytes:
    names = (*_SCRIPT, f"m/{ESCAPES}", f"{ESCAPES}/data.pkl")
    return zip_of([(name, b"}") for name in names])


def _many() -> bytes:
    return zip_of([(name, b"") for name in (*_SCRIPT, *(f"m/{at}" for at in range(_MANY)))])


def _end_that_lies(offset: int, size: int) -> Callable[[Payload], bytes]:
    def content(payload: Payload) -> bytes:
        whole = bytearray(zip_of([(name, payload.pickled()) for name in _SCRIPT]))
        struct.pack_into("<II", whole, whole.rindex(_END) + 12, size, offset)
        return bytes(whole)

    return content


FILES = (
    Hostile("archive that climbs", _climbing, "is a TorchScript module"),
    Hostile(
        "bomb as TorchScript",
        made("model.pt", lambda _: bomb(_SCRIPT, "m/data.pkl")),
        "is a TorchScript module",
    ),
    Hostile(
        "bomb as export",
        made("m.pt2", lambda _: bomb(_EXPORT, "m/models/model.json")),
        "is a PyTorch export",
    ),
    Hostile(
        "bomb as Keras", made("m.keras", lambda _: bomb(_KERAS, "config.json")), "is a Keras model"
    ),
    Hostile(
        "overlapping entries", made("model.pt", lambda _: _overlapping()), "is a TorchScript module"
    ),
    Hostile(
        "two names for a member", made("model.pt", lambda _: _other_names()), "is a PyTorch export"
    ),
    Hostile("encrypted archive", made("model.pt", lambda _: _flagged()), "is a TorchScript module"),
    Hostile("doubled names", made("model.pt", _doubled), "is a TorchScript module"),
    Hostile("links in an archive", made("model.pt2", lambda _: _links()), "is a PyTorch export"),
    Hostile(
        "names that a terminal obeys",
        made("model.pt", lambda _: _escapes()),
        "is a TorchScript module",
    ),
    Hostile(
        "archive of many members", made("model.pt", lambda _: _many()), "is a TorchScript module"
    ),
    Hostile(
        "table beyond the end",
        made("model.pt", _end_that_lies(0xFFFFFFF0, 99)),
        "is a TorchScript module",
    ),
    Hostile(
        "table of gigabytes",
        made("model.pt", _end_that_lies(0, 0xFFFFFFFF)),
        "is a TorchScript module",
    ),
    Hostile(
        "archive of nothing", written("model.pt", _END + bytes(18)), "a file of PyTorch weights"
    ),
)
