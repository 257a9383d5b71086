"""The check of an evidence folder: each byte of each file against the list."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from studio.api import Progress
from studio.features.evidence.folder.manifest import (
    MANIFEST,
    SIGNATURE,
    EvidenceList,
    is_plain_name,
    read_bytes,
)
from studio.features.evidence.results import Alteration
from studio.registry import file_digest

_MOST_ENTRIES = 100_000
_MOST_BYTES = 64 << 30
"""Bytes of all listed files: more are not hashed, so a sparse file does not take a day."""


def alterations(folder: Path, manifest: EvidenceList, progress: Progress) -> tuple[Alteration, ...]:
    """Return what is not as it was listed: changed, missing or added files, and links."""
    found = list(_altered_list(folder, manifest))
    listed = {file.path: file for file in manifest.files}
    if len(listed) != len(manifest.files):
        found.append(Alteration(MANIFEST, "a file is listed twice"))
    if sum(file.bytes for file in manifest.files) > _MOST_BYTES:
        found.append(Alteration(MANIFEST, f"more than {_MOST_BYTES >> 30} GB are listed"))
        return tuple(found)
    for number, (name, file) in enumerate(sorted(listed.items())):
        progress.progress(number, len(listed), "Comparing files")
        what = _state(folder, name, file.bytes, file.digest)
        if what:
            found.append(Alteration(name, what))
    known = {*listed, MANIFEST, SIGNATURE}
    found += (Alteration(name, what) for name, what in _others(folder, known))
    return tuple(found)


def _altered_list(folder: Path, manifest: EvidenceList) -> Iterator[Alteration]:
    try:
        content = read_bytes(folder / MANIFEST)
    except OSError:
        content = b""
    if not manifest.is_spelled(content):
        yield Alteration(MANIFEST, "changed")


def _state(folder: Path, name: str, size: int, digest: str) -> str:
    """Return how a listed file differs from the list; empty for no difference."""
    if not is_plain_name(name):
        return "outside the folder"
    path = folder / name
    # A folder on the way that is a link leads outside as well as a link itself.
    if any(part.is_symlink() for part in (path, *path.parents) if part.is_relative_to(folder)):
        return "a link"
    if not path.is_file():
        return "missing"
    try:
        same = path.stat().st_size == size and file_digest(path) == digest
    except OSError:
        return "not readable"
    return "" if same else "changed"


def _others(folder: Path, known: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the entries that no list names."""
    folders, count = [folder], 0
    while folders:
        place = folders.pop()
        try:
            entries = sorted(os.scandir(place), key=lambda one: one.name)
        except OSError:
            yield place.relative_to(folder).as_posix(), "not readable"
            continue
        for entry in entries:
            count += 1
            if count > _MOST_ENTRIES:
                yield ".", f"more than {_MOST_ENTRIES:,} entries"
                return
            relative = Path(entry.path).relative_to(folder).as_posix()
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            elif relative not in known:
                yield relative, "a link" if entry.is_symlink() else "not listed"
