"""Download of an artefact: continued after a cut, limited in size, and compared by digest."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Callable

from ..shared.files import free_bytes, megabytes, remove, sync
from .connection import ServerConnection
from .ddi import Artifact
from .errors import PullError, TryLater

_CHUNK = 1 << 16
_CHECK_S = 30.0
PATIENCE_S = 600.0
SLOWEST = 1000.0
"""Bytes a second, on average, of a download that is not given up for now."""
_RESERVE = 8 << 20
_COPIES = 3
"""Bytes that an artefact needs on the disk, in its own size: itself, its blobs, and a margin."""


def download(
    connection: ServerConnection,
    path: str,
    artifact: Artifact,
    place: Path,
    most_bytes: int,
    check: Callable[[], None],
) -> None:
    """Download an artefact, from the end of what an earlier attempt left.

    Args:
        path: Path of the artefact at the server.
        place: File to write; it stays when the connection is cut.
        check: Called twice a minute; it raises to end the download.

    Raises:
        TryLater: when the connection is cut.
        PullError: when the artefact is not what was announced, or there is no room for it.
    """
    if artifact.size > most_bytes:
        raise PullError(
            "The artefact has {}, and this board takes at most {}.".format(
                megabytes(artifact.size), megabytes(most_bytes)
            )
        )
    have = place.stat().st_size if place.is_file() else 0
    if have > artifact.size:
        remove(place)
        have = 0
    need = artifact.size * _COPIES - have + _RESERVE
    if need > free_bytes(place.parent):
        raise PullError(
            "Not enough disk space on this board: {} are needed, and {} are free.".format(
                megabytes(need), megabytes(free_bytes(place.parent))
            )
        )
    if have < artifact.size:
        _fetch(connection, path, artifact, place, have, check)
    sync(place)
    if _digest(place, artifact.algorithm) != artifact.digest:
        remove(place)
        raise PullError(
            "The artefact is not what the server announced: its {} differs.".format(
                artifact.algorithm.upper()
            )
        )


def _fetch(
    connection: ServerConnection,
    path: str,
    artifact: Artifact,
    place: Path,
    have: int,
    check: Callable[[], None],
) -> None:
    headers = {"Accept": "*/*"}
    if have:
        headers["Range"] = "bytes={}-".format(have)
    with connection.request("GET", path, headers=headers) as response:
        begins = "bytes {}-".format(have)
        resumed = response.status == 206
        if resumed and not (response.getheader("Content-Range") or "").startswith(begins):
            raise PullError("The server continues the artefact at another place than was wanted.")
        left = artifact.size - (have if resumed else 0)
        announced = response.getheader("Content-Length")
        if announced is not None and announced.strip() != str(left):
            remove(place)
            raise PullError("The artefact has another size than the server announced.")
        with open(str(place), "ab" if resumed else "wb") as file:
            looked = time.monotonic()
            until = looked + PATIENCE_S + left / SLOWEST
            while left:
                piece = response.read1(min(_CHUNK, left))
                if not piece:
                    raise TryLater("The connection ended in the middle of the artefact.")
                if time.monotonic() > until:
                    raise TryLater("The artefact arrives too slowly.")
                file.write(piece)
                left -= len(piece)
                if time.monotonic() - looked > _CHECK_S:
                    file.flush()
                    check()
                    looked = time.monotonic()
        if response.read(1):
            remove(place)
            raise PullError("The artefact is longer than the server announced.")


def _digest(place: Path, algorithm: str) -> str:
    digest = hashlib.new(algorithm)
    with open(str(place), "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def place_for(folder: Path, artifact: Artifact) -> Path:
    """Return the file of an artefact; what is left of other artefacts is removed."""
    name = "{}-{}.part".format(artifact.algorithm, artifact.digest)
    for other in folder.glob("*.part"):
        if other.name != name:
            remove(other)
    return Path(os.path.join(str(folder), name))
