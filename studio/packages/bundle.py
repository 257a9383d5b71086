"""A bundle on this computer: read, verified, and compared by content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import StudioError
from studio.documents.dataclass_json import JsonValue
from studio.lazy_dataclass import dataclass
from studio.projects.append_only import read_regular
from studio.runtime.backends.catalog import ServingBackend, backend_of
from studio.runtime.parts import KEY as PARTS_KEY
from studio.runtime.parts import PARTS, with_needs
from studio.runtime.shared import manifest as form
from studio.runtime.shared.errors import LoadError, ReleaseError

MANIFEST = form.NAME
PICTURES = {"pillow": ">=8"}
"""Library that reads a JPEG for a model with picture inputs."""

_MOST_SIGNATURE_BYTES = 1 << 20

_OWN = ("version", "counter", "created", PARTS_KEY)
"""Keys of the manifest that number a bundle or follow from its content."""


@dataclass(frozen=True, slots=True)
class BundleFile:
    """One file of a bundle."""

    name: str
    path: Path
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """Folder whose files match its manifest.

    Attributes:
        digest: SHA-256 of the manifest; the release's name on a target.
        text: The manifest as it stands in the file.
        signature: SSHSIG of the manifest, from the file next to it; empty if it is not signed.
    """

    folder: Path
    digest: str
    name: str
    version: int
    counter: int
    files: tuple[BundleFile, ...]
    text: str
    raw: Mapping[str, Any]
    signature: str = ""

    @classmethod
    def open(cls, folder: Path) -> Bundle:
        """Read a bundle and verify every digest.

        Raises:
            StudioError: naming the first file that is missing, altered or foreign.
        """
        try:
            found = form.read(folder)
            form.verify(folder, found)
            content = (folder / MANIFEST).read_bytes()
        except ReleaseError as error:
            raise StudioError(error.message, hint=error.hint, detail=error.detail) from None
        files = tuple(
            BundleFile(entry.name, folder / entry.name, entry.digest, entry.size)
            for entry in found.files
        )
        return cls(
            folder,
            found.digest,
            found.name,
            found.version,
            found.counter,
            files,
            content.decode(),
            found.raw,
            _signature(folder / form.SIGNATURE),
        )

    @property
    def size(self) -> int:
        """Bytes of all files and the manifest."""
        return sum(file.size for file in self.files) + len(self.text.encode())

    @property
    def requirements(self) -> Mapping[str, str]:
        """Requirements of a target: distribution -> version (``>=1.17``)."""
        runtime = self.raw.get("runtime")
        listed = runtime if isinstance(runtime, dict) else {}
        known = {str(name): str(version) for name, version in listed.items()}
        # Older bundles do not say it themselves.
        return {**PICTURES, **known} if self.takes_pictures else known

    @property
    def backend(self) -> ServingBackend:
        """The backend that serves the model.

        Raises:
            StudioError: when the manifest names one that is unknown here.
        """
        try:
            found = form.parse(self.text.encode())
            return backend_of(Path(found.model), found.backend)
        except LoadError as error:
            raise StudioError(str(error)) from None

    @property
    def parts(self) -> frozenset[str]:
        """Parts of the runtime that serve it; all for a bundle that does not name them.

        Raises:
            StudioError: when the manifest names one that is unknown here.
        """
        named = form.parse(self.text.encode()).parts
        try:
            return with_needs(PARTS if named is None else named)
        except LoadError as error:
            raise StudioError(str(error)) from None

    @property
    def takes_pictures(self) -> bool:
        """Whether the preprocessing turns an image into an input."""
        return bool(self.raw.get("preprocess"))

    @property
    def content(self) -> str:
        """Digest of what is in it, whatever its number and date."""
        return content_digest(self.raw)


def _signature(path: Path) -> str:
    try:
        # A link here could send a secret of this computer to a board, as a signature.
        content = read_regular(path, _MOST_SIGNATURE_BYTES) or b""
        if len(content) > _MOST_SIGNATURE_BYTES:
            raise ValueError
        return content.decode("ascii")
    except (StudioError, ValueError):
        raise StudioError(
            "The bundle's signature cannot be read.", hint="Sign the bundle again."
        ) from None


def content_digest(manifest: Mapping[str, JsonValue]) -> str:
    """Return the digest of a manifest without its numbers, date and measurements.

    The same pipeline measures other times each time it is run, and makes the same bundle.
    """
    rest = {key: value for key, value in manifest.items() if key not in _OWN}
    if files := _files(manifest):
        rest["files"] = {k: v for k, v in files.items() if k != form.LATENCY}
    return hashlib.sha256(form.canonical(rest)).hexdigest()


def measurements(manifest: Mapping[str, JsonValue]) -> JsonValue:
    """Return the manifest's entry for the measured times; None for a bundle without any."""
    return _files(manifest).get(form.LATENCY)


def _files(manifest: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    files = manifest.get("files")
    return files if isinstance(files, dict) else {}


def is_bundle(path: Path) -> bool:
    """Return whether a folder looks like a bundle."""
    return (path / MANIFEST).is_file()


def write_manifest(folder: Path, manifest: Mapping[str, JsonValue]) -> str:
    """Write the manifest in its one spelling; returns the digest of the bundle."""
    content = form.canonical(manifest)
    (folder / MANIFEST).write_bytes(content)
    return hashlib.sha256(content).hexdigest()
