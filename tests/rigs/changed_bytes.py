"""Random changes of single bytes in a folder of evidence, and whether each is found."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

from studio.api import InvalidData, Silent
from studio.features.evidence.folder.check import alterations
from studio.features.evidence.folder.manifest import EvidenceList


class Change(NamedTuple):
    """A changed byte of a file."""

    file: str
    place: int
    byte: int


def unseen_changes(folder: Path, number: int, seed: int = 0) -> list[Change]:
    """Change one byte of the folder at a time; return the changes that were not found.

    A file is chosen by its size. Each is put back before the next change.
    """
    chosen = random.Random(seed)
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    sizes = [one.stat().st_size for one in files]
    unseen = []
    for _ in range(number):
        path = chosen.choices(files, sizes)[0]
        content = path.read_bytes()
        place = chosen.randrange(len(content))
        byte = (content[place] + chosen.randrange(1, 256)) % 256
        path.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
        if not _is_found(folder):
            unseen.append(Change(path.relative_to(folder).as_posix(), place, byte))
        path.write_bytes(content)
    return unseen


def _is_found(folder: Path) -> bool:
    try:
        return bool(alterations(folder, EvidenceList.read(folder), Silent()))
    except InvalidData:
        return True
