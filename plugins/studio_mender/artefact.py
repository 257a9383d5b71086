"""Writer of Mender artefacts: format version 3, by its published description.

A tar file with, in this order: ``version``, ``manifest`` (the SHA-256 of all that follows it),
``manifest.sig`` where it is signed, ``header.tar.gz`` and ``data/0000.tar.gz``. The data are the
bundle: its manifest, the signature, and each file once under its SHA-256. The same bundle gives
the same bytes, but for ECDSA signatures.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MODULE = "edgewright"
"""Type of the payload, and the name of the update module on the boards."""

DATA, HEADER, VERSION = "data/0000.tar.gz", "header.tar.gz", "version"
_LEVEL = 6
_VERSION_TEXT = b'{"format":"mender","version":3}'


@dataclass(frozen=True, slots=True)
class ArtefactFacts:
    """Facts in the header of an artefact.

    Attributes:
        name: Name of the artefact at the server and on the boards.
        devices: Types of boards for which it is offered.
        provides: What a board has once it is installed, except its name.
    """

    name: str
    devices: tuple[str, ...]
    provides: Mapping[str, str]


def write_artefact(
    path: Path,
    facts: ArtefactFacts,
    files: Mapping[str, Path],
    sign: Callable[[bytes], bytes] | None = None,
) -> None:
    """Write an artefact.

    Args:
        path: Its file; the compressed data lie next to it while it is written.
        files: Members of its data by their names.
        sign: Returns ``manifest.sig`` for the bytes of the manifest; None for no signature.

    Raises:
        OSError: when a file cannot be read or written.
    """
    data = path.with_name(path.name + ".data")
    try:
        sums = {f"data/0000/{name}": _digest(file) for name, file in sorted(files.items())}
        _write_data(data, files)
        header = _header(facts)
        sums[HEADER] = hashlib.sha256(header).hexdigest()
        sums[VERSION] = hashlib.sha256(_VERSION_TEXT).hexdigest()
        manifest = "".join(f"{one}  {name}\n" for name, one in sorted(sums.items())).encode()
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
            _add(tar, VERSION, _VERSION_TEXT)
            _add(tar, "manifest", manifest)
            if sign is not None:
                _add(tar, "manifest.sig", sign(manifest))
            _add(tar, HEADER, header)
            _add(tar, DATA, data)
    finally:
        data.unlink(missing_ok=True)


def _header(facts: ArtefactFacts) -> bytes:
    info = {
        "payloads": [{"type": MODULE}],
        "artifact_provides": {"artifact_name": facts.name},
        "artifact_depends": {"device_type": list(facts.devices)},
    }
    kind = {
        "type": MODULE,
        "artifact_provides": dict(facts.provides),
        "clears_artifact_provides": [f"{MODULE}.*"],
    }
    target = io.BytesIO()
    with _compressed(target) as tar:
        _add(tar, "header-info", _json(info))
        _add(tar, "headers/0000/type-info", _json(kind))
        _add(tar, "headers/0000/meta-data", b"")
    return target.getvalue()


def _write_data(path: Path, files: Mapping[str, Path]) -> None:
    with path.open("wb") as target, _compressed(target) as tar:
        for name, file in sorted(files.items()):
            _add(tar, name, file)


@contextmanager
def _compressed(target: IO[bytes]) -> Iterator[tarfile.TarFile]:
    """Yield a tar file whose compression has no name and no time in it."""
    with (
        gzip.GzipFile("", "wb", _LEVEL, target, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        yield tar


def _add(tar: tarfile.TarFile, name: str, content: bytes | Path) -> None:
    member = tarfile.TarInfo(name)
    if isinstance(content, bytes):
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
        return
    member.size = content.stat().st_size
    with content.open("rb") as file:
        tar.addfile(member, file)


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
