"""Archives of folders: equal folders give equal bytes, and none is unpacked beyond its folder."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from studio.api import InvalidData

_MOST_FILES = 1_000_000


def pack(folder: Path, file: Path) -> None:
    """Write the regular files of a folder into an archive, by their names, without owners or times.

    A link counts as the file that it leads to, if that is in the folder, too.
    """
    root = folder.resolve()
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in _files(folder):
            real = path.resolve()
            if not (real.is_file() and real.is_relative_to(root)):
                continue
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size = real.stat().st_size
            entry.mode = 0o644
            with real.open("rb") as content:
                archive.addfile(entry, content)


def unpack(file: Path, folder: Path) -> None:
    """Unpack an archive into a folder, which is made.

    Raises:
        InvalidData: when it is no archive, leads out of the folder or is larger than the disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(file, "r:") as archive:
            left, count = shutil.disk_usage(folder).free, 0
            for entry in archive:
                left, count = left - entry.size, count + 1
                if not entry.isreg() or left < 0 or count > _MOST_FILES:
                    raise InvalidData(f"The archive {file.name} cannot be unpacked: {entry.name}.")
                archive.extract(entry, folder, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise InvalidData(f"The archive {file.name} cannot be unpacked: {error}.") from error


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))
