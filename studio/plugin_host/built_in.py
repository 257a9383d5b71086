"""The plugins that came with the studio, known by where they lie.

In a checkout they are the folders of ``plugins/``. A wheel has a list, which
is written when it is built. No other distribution joins them by its metadata,
or by a folder next to the studio's package.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import studio
from studio.plugin_host.manifest import FILE_NAME

_ROOT = Path(studio.__file__).resolve().parent.parent
_LIST = "studio/plugin_host/built_in.txt"
"""Written by ``packaging/built_in_list.py``; no checkout has it."""


def built_in_folders(root: Path = _ROOT) -> Iterator[tuple[str, Path]]:
    """Yield the name and folder of each plugin that belongs to the studio's package in a folder."""
    listed = root / _LIST
    if listed.is_file():
        folders = [root / name for name in listed.read_text(encoding="utf-8").split()]
    else:
        folders = sorted(root.glob("plugins/studio_*"))
    for folder in folders:
        if (folder / FILE_NAME).is_file():
            yield folder.name, folder


def is_imported_from(name: str, folder: Path) -> bool:
    """Return whether Python imports a package of this name from that folder."""
    spec = find_spec(name)
    return spec is not None and spec.origin is not None and _parent(spec.origin) == folder


def _parent(file: str) -> Path:
    return Path(file).resolve().parent
