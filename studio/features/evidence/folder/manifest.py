"""The list of an evidence folder's files, in a text that has one spelling only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from studio.api import InvalidData
from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.features.evidence.results import AssessedVersion, EvidenceFile, Section
from studio.lazy_dataclass import dataclass
from studio.registry import file_digest

MANIFEST = "evidence.json"
SIGNATURE = "evidence.json.sig"
FORMAT = 1
MOST_BYTES = 16 << 20
"""Largest list that is read."""


class DamagedList(InvalidData):
    """A list of evidence that cannot be parsed."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class EvidenceList:
    """The content of an evidence folder.

    Attributes:
        created: UTC time, ISO 8601.
        tools: Version by program and library.
        digest: SHA-256 of the text with an empty digest, hexadecimal.
    """

    format: int
    subject: AssessedVersion
    created: str
    tools: dict[str, str]
    sections: tuple[Section, ...]
    files: tuple[EvidenceFile, ...]
    digest: str = ""

    @property
    def text(self) -> str:
        """The only spelling of this list: two that differ in any byte differ in what they list."""
        return json.dumps(to_json(self), indent=1, sort_keys=True) + "\n"

    def sealed(self) -> EvidenceList:
        """Return the list with its digest."""
        text = replace(self, digest="").text
        return replace(self, digest=hashlib.sha256(text.encode()).hexdigest())

    @property
    def is_sealed(self) -> bool:
        """Whether the digest is that of the rest."""
        return self.sealed().digest == self.digest

    @classmethod
    def read(cls, folder: Path) -> EvidenceList:
        """Return the list of a folder, which may be altered.

        Raises:
            DamagedList: when the list cannot be read.
            InvalidData: when the folder is no evidence, or of another format.
        """
        content = _content(folder / MANIFEST)
        try:
            document = json.loads(content)
            manifest = from_json(cls, document)
        except (ValueError, RecursionError, InvalidDocument):
            raise DamagedList(f"{folder / MANIFEST} is damaged.", hint=_HINT) from None
        if manifest.format != FORMAT:
            raise InvalidData(
                f"{folder} has format {manifest.format}; this studio reads format {FORMAT}.",
                hint="Verify it with the studio that wrote it, or a newer one.",
            )
        return manifest

    def is_spelled(self, content: bytes) -> bool:
        """Return whether bytes are the text of this list, and its digest fits."""
        return content == self.text.encode() and self.is_sealed


_HINT = "Take a copy of the folder that was not altered."


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of a regular file of limited size; links are not followed.

    Raises:
        OSError: when it cannot be read, is no regular file, or is larger.
    """
    if path.is_symlink() or not path.is_file():
        raise OSError(f"{path} is no regular file")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(f"{path} is larger than {most} bytes")
    return content


def files_of(folder: Path, names: Iterable[str]) -> tuple[EvidenceFile, ...]:
    """Return the entries of files, in the order of their names."""
    return tuple(
        EvidenceFile(name, (folder / name).stat().st_size, file_digest(folder / name))
        for name in sorted(names)
    )


def is_plain_name(name: str) -> bool:
    """Return whether the name of a listed file stays below the folder."""
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and str(path) == name


def _content(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except OSError:
        raise InvalidData(
            f"{path.parent} is no evidence: it has no readable {MANIFEST}.",
            hint="Make one: studio evidence MODEL --out DIR",
        ) from None
