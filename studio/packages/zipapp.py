"""The zip application: the runtime as one file that any Python 3.8 runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import studio
from studio.api import Unavailable
from studio.lazy_dataclass import dataclass
from studio.runtime.archive import write_application
from studio.runtime.parts import PARTS


@dataclass(frozen=True, slots=True)
class ZipApplication:
    """The runtime in one file; the same sources give the same bytes."""

    path: Path
    digest: str
    size: int


def build_runtime(
    folder: Path, bytecode: bool = False, parts: Iterable[str] = tuple(PARTS)
) -> ZipApplication:
    """Write ``edgewright.pyz`` into a folder.

    Args:
        parts: Parts in addition to the core and the server, such as those of a bundle.
        bytecode: With the compiled modules, for the studio's own interpreter.

    Raises:
        Unavailable: when this installation carries no sources of the runtime.
    """
    if not any((Path(studio.__file__).parent / "runtime").glob("*.py")):
        raise Unavailable("The runtime's sources are not part of this installation.")
    path = folder / "edgewright.pyz"
    write_application(str(path), bytecode, parts)
    content = path.read_bytes()
    return ZipApplication(path, hashlib.sha256(content).hexdigest(), len(content))
