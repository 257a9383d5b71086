"""Manifest of a bundle, and the check of a folder against its manifest."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Tuple

from .documents import read_record
from .errors import ReleaseError
from .files import digest_of, plain_name

NAME = "manifest.json"
SIGNATURE = "manifest.json.sig"
BASELINE = "baseline.json"
LATENCY = "latency.json"
"""What profiles have measured: beside the rest of the baseline, for it is of one machine."""
FORMAT = 1
MOST_COUNTER = (1 << 53) - 1
"""Beyond it JSON's numbers are not exact, and soon there is no next one."""
_MOST_BYTES = 16 << 20
_MALFORMED = (ValueError, TypeError, AttributeError, OverflowError, RecursionError)


class ManifestFile(NamedTuple):
    """One file of a bundle."""

    name: str
    digest: str
    size: int


class Manifest(NamedTuple):
    """A manifest that was read and found to be well formed.

    Attributes:
        digest: SHA-256 of its bytes; the name of the release.
        raw: The whole JSON object.
        model: Relative name of the model's file.
        backend: Id of what loads the model; empty: by the kind of its file.
        parts: Parts of the runtime that it needs; None for a bundle from before there were any.
    """

    digest: str
    name: str
    version: int
    counter: int
    files: tuple[ManifestFile, ...]
    raw: Mapping[str, Any]
    model: str
    backend: str = ""
    parts: Optional[Tuple[str, ...]] = None

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in self.files)


class _Facts(NamedTuple):
    """Digest and size of a file."""

    sha256: str
    bytes: int


class _Model(NamedTuple):
    """The model of a bundle."""

    file: str
    backend: Optional[str] = None


class _Document(NamedTuple):
    """A manifest as it is written."""

    name: str
    version: int
    counter: int
    files: Mapping[str, object]
    model: _Model
    runtime_parts: Optional[Tuple[str, ...]] = None


def canonical(value: Mapping[str, object]) -> bytes:
    """The one spelling of a JSON object: sorted keys, no spaces, UTF-8, a newline at the end."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return (text + "\n").encode()


def parse(content: bytes) -> Manifest:
    """Read the bytes of a manifest.

    Raises:
        ReleaseError: saying what is wrong with it.
    """
    if len(content) > _MOST_BYTES:
        raise _bad("it is too large")
    try:
        raw = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _bad("it is not valid JSON") from None
    try:
        if raw["format"] != FORMAT:  # first: another format may have other keys
            raise _bad("its format {!r:.40} is not known here".format(raw["format"]))
        written = read_record(_Document, raw)
        files = tuple(_entry(name, facts) for name, facts in sorted(written.files.items()))
        digest = hashlib.sha256(content).hexdigest()
        figures = written.version, written.counter
        model = written.model
        backend = model.backend or ""
        parts = written.runtime_parts
        found = Manifest(digest, written.name, *figures, files, raw, model.file, backend, parts)
        if not 0 <= found.counter <= MOST_COUNTER:
            raise _bad("its release counter {} is out of bounds".format(found.counter))
        if found.model not in written.files:
            raise _bad("it names no model among its files")
    except KeyError as error:
        raise _bad("it lacks the key {}".format(error)) from None
    except _MALFORMED:
        raise _bad("a value in it has a wrong type or size") from None
    return found


def read(folder: Path) -> Manifest:
    """Read the manifest of a bundle's folder."""
    try:
        with (folder / NAME).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ReleaseError(
            "no-bundle", "{} is not a bundle: {} {}.".format(folder, NAME, _reason(error))
        ) from None
    return parse(content)


def verify(folder: Path, manifest: Manifest) -> None:
    """Compare every file with its digest; nothing may be missing, altered or added.

    Raises:
        ReleaseError: naming the first file that differs.
    """
    for entry in manifest.files:
        verify_file(folder / entry.name, entry)
    for found in foreign(folder, manifest):
        raise ReleaseError(
            "foreign-file",
            "The bundle holds {}, which its manifest does not name.".format(found),
            "Make the bundle again, or remove the file.",
        )


def foreign(folder: Path, manifest: Manifest) -> list[str]:
    """Return the files of a folder that a manifest does not name."""
    known = {entry.name for entry in manifest.files} | {NAME, SIGNATURE}
    return [name for name in sorted(_below(folder)) if name not in known]


def verify_file(path: Path, entry: ManifestFile) -> None:
    """Compare one file with its entry; links are refused."""
    try:
        if path.is_symlink() or not path.is_file():
            raise ReleaseError(
                "missing-file", "The bundle's file {} is missing.".format(entry.name)
            )
        same = path.stat().st_size == entry.size and digest_of(path) == entry.digest
    except OSError as error:
        raise ReleaseError(
            "unreadable", "The bundle's file {} {}.".format(entry.name, _reason(error))
        ) from None
    if not same:
        raise ReleaseError(
            "altered-file",
            "The bundle's file {} is not what its manifest says.".format(entry.name),
            "Make the bundle again.",
        )


def _entry(name: str, facts: object) -> ManifestFile:
    digest, size = read_record(_Facts, facts)
    if not plain_name(name) or name in (NAME, SIGNATURE):
        raise _bad("it names the file {!r}".format(name))
    if len(digest) != 64 or size < 0:
        raise _bad("the digest or the size of {!r} is wrong".format(name))
    return ManifestFile(name, digest, size)


def _below(folder: Path) -> list[str]:
    found: list[str] = []
    for base, folders, names in os.walk(str(folder)):
        paths = [os.path.join(base, name) for name in names]
        inner = [os.path.join(base, name) for name in folders]
        paths += [path for path in inner if os.path.islink(path)]
        found += [os.path.relpath(path, str(folder)).replace(os.sep, "/") for path in paths]
    return found


def _bad(what: str) -> ReleaseError:
    return ReleaseError("bad-manifest", "The bundle's manifest cannot be used: {}.".format(what))


def _reason(error: OSError) -> str:
    return "cannot be read ({})".format(error.strerror or error)
