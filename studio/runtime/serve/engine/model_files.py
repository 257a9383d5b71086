"""Search for the model in a folder, restricted to the allowed folder."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, Optional

from ...backends.catalog import SUFFIXES


def model_in(folder: Path) -> Optional[Path]:
    """Return the bundle or the one model in a folder, or one level below; None where not clear."""
    if (folder / "manifest.json").is_file():
        return folder
    models = [place + "*" + suffix for suffix in SUFFIXES for place in ("", "*/")]
    for pattern in ("*/manifest.json", *models):
        found = sorted(folder.glob(pattern))
        if len(found) == 1:
            return found[0].parent if found[0].name == "manifest.json" else found[0]
    return None


def inside(folder: Path, place: str) -> Optional[Path]:
    """Return a place if it is inside a folder with all links resolved, or None.

    Args:
        place: Absolute, or relative to the folder. Neither need exist.
    """
    try:
        root = folder.resolve()
        found = (root / place).resolve()
        if found == root or root not in found.parents:
            return None
        links = (path for path in _files(found) if path.is_symlink())
        return None if any(root not in path.resolve().parents for path in links) else found
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, a circle of links
        return None


def size_of(place: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    return sum(path.stat().st_size for path in _files(place) if path.is_file())


def _files(place: Path) -> Iterator[Path]:
    return iter([place]) if place.is_file() else place.rglob("*")
