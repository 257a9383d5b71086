"""The format of Debian packages: an ``ar`` archive of two ``tar`` archives (deb(5)).

Written here, so that a package can be made where there is no ``dpkg``. The same content gives the
same bytes: names are sorted, and times and owners are fixed.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from studio.lazy_dataclass import dataclass

_PRESET = 2  # models barely get smaller, and a higher one takes minutes for the libraries
_DIRECTORY, _FILE, _PROGRAM = 0o755, 0o644, 0o755


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """One file of a package.

    Attributes:
        name: Its path without the first slash.
        source: A file of this computer, or the content itself.
        is_setting: dpkg keeps what the administrator changed in it (a conffile).
    """

    name: str
    source: Path | bytes
    is_program: bool = False
    is_setting: bool = False

    @property
    def size(self) -> int:
        """Bytes of its content."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size


def write_package(
    path: Path,
    fields: Mapping[str, str],
    scripts: Mapping[str, str],
    entries: Iterable[ArchiveMember],
    when: int,
) -> None:
    """Write a package.

    Args:
        fields: Of the control file, in its order.
        scripts: ``postinst``, ``prerm`` and ``postrm``.
        when: The time that every file gets, seconds since 1970.
    """
    files = sorted(entries, key=lambda entry: entry.name)
    data, sums = _data(files, when)
    control: dict[str, tuple[bytes, int]] = {
        "control": (_control(fields, files), _FILE),
        "md5sums": ("".join(sums).encode(), _FILE),
        **{name: (text.encode(), _PROGRAM) for name, text in scripts.items()},
    }
    settings = "".join(f"/{entry.name}\n" for entry in files if entry.is_setting)
    if settings:
        control["conffiles"] = (settings.encode(), _FILE)
    with path.open("wb") as out:
        out.write(b"!<arch>\n")
        for name, content in (
            ("debian-binary", b"2.0\n"),
            ("control.tar.xz", _small_tar(control, when)),
            ("data.tar.xz", data),
        ):
            out.write(
                f"{name:<16}{when:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
            )
            out.write(content + (b"\n" if len(content) % 2 else b""))


def _control(fields: Mapping[str, str], files: Iterable[ArchiveMember]) -> bytes:
    size = sum(entry.size for entry in files)
    rows = {**fields, "Installed-Size": str(max(1, -(-size // 1024)))}
    # The description, of several lines, comes last.
    last = rows.pop("Description")
    return "".join(
        f"{name}: {value}\n" for name, value in [*rows.items(), ("Description", last)]
    ).encode()


def _data(files: list[ArchiveMember], when: int) -> tuple[bytes, list[str]]:
    """Return the archive of the installed files, and the lines of ``md5sums``."""
    packed, sums, made = io.BytesIO(), [], {""}
    with (
        lzma.open(packed, "wb", preset=_PRESET) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w|", format=tarfile.GNU_FORMAT) as archive,
    ):
        for entry in files:
            for folder in reversed(Path(entry.name).parents):
                name = "" if str(folder) == "." else str(folder)
                if name not in made:
                    made.add(name)
                    info = _info(f"./{name}/", _DIRECTORY, when)
                    info.type = tarfile.DIRTYPE
                    archive.addfile(info)
            content = entry.source if isinstance(entry.source, bytes) else entry.source.read_bytes()
            info = _info(f"./{entry.name}", _PROGRAM if entry.is_program else _FILE, when)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
            # What dpkg --verify compares; it protects from accidents, not from an attacker.
            digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
            sums.append(f"{digest}  {entry.name}\n")
    return packed.getvalue(), sums


def _small_tar(members: Mapping[str, tuple[bytes, int]], when: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz", format=tarfile.GNU_FORMAT) as archive:
        for name, (content, mode) in sorted(members.items()):
            info = _info(f"./{name}", mode, when)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def _info(name: str, mode: int, when: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = mode, when
    info.uname = info.gname = "root"
    return info
