"""The zip application: the runtime as one file that any Python 3.8 runs."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import studio
from studio.api import Unavailable

PACKAGE = "edgewright_runtime"
_MAIN = f"""\
import sys

from {PACKAGE}.main import main

sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class ZipApplication:
    """The runtime in one file; the same sources give the same bytes."""

    path: Path
    digest: str
    size: int


def build_runtime(folder: Path) -> ZipApplication:
    """Write ``edgewright.pyz`` into a folder.

    Raises:
        Unavailable: when this installation carries no sources of the runtime.
    """
    source = Path(studio.__file__).parent / "runtime"
    files = sorted(source.rglob("*.py"))
    if not files:
        raise Unavailable("The runtime's sources are not part of this installation.")
    path = folder / "edgewright.pyz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "__main__.py", _MAIN.encode())
        for file in files:
            name = f"{PACKAGE}/{file.relative_to(source).as_posix()}"
            _add(archive, name, file.read_bytes())
    content = path.read_bytes()
    return ZipApplication(path, hashlib.sha256(content).hexdigest(), len(content))


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name)  # with the fixed date of 1980
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    archive.writestr(member, content)
