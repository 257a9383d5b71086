"""Writer of the artefact: a cpio archive of the form of SWUpdate's ``.swu``.

The first member describes it for servers and for swupdate (sw-description, in libconfig's
syntax). The others are the bundle: its manifest, the signature, and each file once under its
SHA-256. The same bundle gives the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote

from studio.api import Parcel, StudioError

MANIFEST, SIGNATURE, ORDER = "manifest.json", "manifest.json.sig", "order.json"
_MAGIC = "070702"
_MOST = 0xFFFFFFFF
_CHUNK = 1 << 20
_HARDWARE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_FILE = re.compile(
    r"(?P<name>[^/]+)_(?P<version>\d+)_(?P<counter>\d+)_(?P<digest>[0-9a-f]{64})"
    r"(?P<form>-swupdate)?(?:-back(?P<back>[0-9a-f]{8}))?\.swu"
)
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class ReleaseName:
    """A release as its file name at the server has it.

    Attributes:
        swupdate: Whether the artefact is one for SWUpdate.
        back: Digits of the order in it, to go back to this release; empty without one.
    """

    name: str
    version: int
    counter: int
    digest: str
    swupdate: bool = False
    back: str = ""

    @property
    def file(self) -> str:
        """Name of the artefact's file."""
        place = quote(self.name, safe="")
        return f"{place}_{self.version}_{self.counter}_{self.digest}{self.form}.swu"

    @property
    def form(self) -> str:
        """What distinguishes artefacts of one release; empty for the usual one."""
        return ("-swupdate" if self.swupdate else "") + (f"-back{self.back}" if self.back else "")

    @property
    def text(self) -> str:
        """Version at the server: semantic, and of this content alone."""
        return f"{self.version}.{self.counter}.0+{self.digest[:12]}"


def name_of(parcel: Parcel, swupdate: bool = False, back: str = "") -> ReleaseName:
    """Return the name of a bundle's release.

    Raises:
        StudioError: when a server could not keep the model's name.
    """
    if len(quote(parcel.name, safe="")) > _LONGEST_NAME:
        raise StudioError(
            f"The model's name has more than {_LONGEST_NAME} characters, too many for a fleet."
        )
    counter = int(parcel.manifest["counter"])
    return ReleaseName(parcel.name, parcel.version, counter, parcel.digest, swupdate, back)


def name_in(file: str) -> ReleaseName | None:
    """Return the release that a file name describes; None for a file of another program."""
    found = _FILE.fullmatch(file)
    if found is None:
        return None
    version, counter = int(found["version"]), int(found["counter"])
    form, back = bool(found["form"]), found["back"] or ""
    return ReleaseName(unquote(found["name"]), version, counter, found["digest"], form, back)


def write(parcel: Parcel, path: Path, hardware: str, order: bytes = b"") -> None:
    """Write the artefact of a bundle.

    Args:
        hardware: Hardware for which it is offered, ``NAME`` or ``NAME/REVISION``.
        order: Order of a release that is older than the boards'; empty for none.

    Raises:
        StudioError: when a file is too large for the format.
    """
    name = name_of(parcel)
    parts = dict(parcel.members)
    own = [(one, parts.pop(one)) for one in (MANIFEST, SIGNATURE) if one in parts]
    members: list[tuple[str, Path | bytes]] = [
        ("sw-description", description(name, hardware).encode()),
        *own,
        *([(ORDER, order)] if order else []),
        *sorted(parts.items()),
    ]
    with path.open("wb") as target:
        for member, content in members:
            add(target, member, content)
        finish(target)


def description(name: ReleaseName, hardware: str) -> str:
    """Return the sw-description of a release.

    Raises:
        StudioError: when there can be no such hardware.
    """
    model, revision = board_section(hardware)
    lines = [
        "software =",
        "{",
        f'  version = "{name.text}";',
        f'  description = "release {name.digest}";',
        f"  {model}:",
        "  {",
        f'    hardware-compatibility: [ "{revision}" ];',
        "  };",
        "}",
        "",
    ]
    return "\n".join(lines)


def board_section(hardware: str) -> tuple[str, str]:
    """Return the name and the revision of hardware.

    Raises:
        StudioError: when there can be no such hardware.
    """
    model, _, revision = hardware.partition("/")
    revision = revision or "default"
    if not _HARDWARE.fullmatch(model) or not _HARDWARE.fullmatch(revision):
        raise StudioError(f"{hardware!r} is no name of hardware.", hint="Its form: NAME/REVISION")
    return model, revision


def digest_of(path: Path, algorithm: str) -> str:
    """Return the hexadecimal digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def add(target: IO[bytes], name: str, content: Path | bytes) -> None:
    """Add a member; its checksum is the sum of its bytes."""
    if isinstance(content, bytes):
        _header(target, name, len(content), sum(content) & _MOST)
        target.write(content)
        _pad(target)
        return
    size, total = content.stat().st_size, 0
    if size > _MOST:
        raise StudioError(f"The file {content.name} is larger than 4 GB, too large for a fleet.")
    with content.open("rb") as source:
        for piece in iter(lambda: source.read(_CHUNK), b""):
            total += sum(piece)
        _header(target, name, size, total & _MOST)
        source.seek(0)
        for piece in iter(lambda: source.read(_CHUNK), b""):
            target.write(piece)
    _pad(target)


def finish(target: IO[bytes]) -> None:
    """Add the last member, which has no content."""
    _header(target, "TRAILER!!!", 0, 0)


def _header(target: IO[bytes], name: str, size: int, check: int) -> None:
    fields = (0, 0o100644, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name) + 1, check)
    target.write((_MAGIC + "".join(f"{one:08x}" for one in fields)).encode())
    target.write(name.encode() + b"\0")
    _pad(target)


def _pad(target: IO[bytes]) -> None:
    target.write(b"\0" * (-target.tell() % 4))
