"""``model.tar.gz``: a bundle as SageMaker wants it, the same bytes for the same bundle."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

from studio.api import Progress


def write_archive(bundle: Path, target: Path, progress: Progress) -> int:
    """Pack a bundle; SageMaker unpacks it into ``/opt/ml/model``.

    Returns:
        Bytes of the archive.
    """
    paths = sorted(path for path in bundle.rglob("*") if path.is_file())
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for at, path in enumerate(paths):
            progress.progress(at, len(paths), f"packing {path.name}")
            _add(archive, path, path.relative_to(bundle).as_posix())
    return target.stat().st_size


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = path.stat().st_size
    entry.mode = 0o644
    with path.open("rb") as content:
        archive.addfile(entry, content)
