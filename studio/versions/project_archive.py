"""The archive of a project: a listing, blobs named by their digests, and nothing else."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from studio.api import InvalidData, Progress, Refused
from studio.documents.dataclass_json import JsonValue
from studio.runtime.shared.safe_zip import chunks, open_archive

FORMAT = 1
LISTING = "project.json"
BLOBS = "blobs/"

_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_LISTING = 64 << 20
_MOST_ENTRIES = 100_000
_CHUNK = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)
_KIND = 0o170000
_REGULAR = 0o100000


class ArchiveWriter:
    """A writer of archives; equal projects give equal bytes.

    Blobs are stored uncompressed, so an archive cannot expand when it is read.
    """

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "x", zipfile.ZIP_STORED)
        self._known: set[str] = set()

    def add(self, path: Path) -> tuple[str, int]:
        """Add a file once; return its digest and its size."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest not in self._known:
            self._known.add(digest)
            with path.open("rb") as source, self._open(BLOBS + digest, path.stat().st_size) as out:
                shutil.copyfileobj(source, out, _CHUNK)
        return digest, path.stat().st_size

    def finish(self, document: Mapping[str, object]) -> None:
        """Add the listing, and close the archive."""
        content = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False).encode()
        with self._open(LISTING, len(content)) as out:
            out.write(content)
        self._zip.close()

    def _open(self, name: str, size: int) -> IO[bytes]:
        # A fixed date and mode make archives of equal projects equal.
        info = zipfile.ZipInfo(name, _EPOCH)
        info.external_attr = (_REGULAR | 0o644) << 16
        info.file_size = size
        return self._zip.open(info, "w", force_zip64=size > 1 << 31)


class ArchiveReader:
    """A reader of untrusted archives.

    Each entry must be a stored regular file, the listing or a blob, without duplicates. The content
    of a blob is compared with its name.

    Raises:
        InvalidData: when the file is no archive of a project.
        Refused: when the archive is malicious.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            self._zip = open_archive(str(path))
        except (OSError, zipfile.BadZipFile) as error:
            raise InvalidData(
                f"{path.name} is no archive of a project.", detail=str(error)
            ) from None
        self._entries = {info.filename: info for info in self._checked(path.stat().st_size)}

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def listing(self) -> dict[str, JsonValue]:
        """Return the listing as JSON, its form unchecked."""
        info = self._entries.get(LISTING)
        if info is None:
            raise InvalidData(f"{self._name} is no archive of a project: it has no {LISTING}.")
        if info.file_size > _MOST_LISTING:
            raise Refused(f"The listing of {self._name} is too large.")
        try:
            document = json.loads(b"".join(chunks(self._zip, info)).decode("utf-8"))
        except (ValueError, RecursionError, zipfile.BadZipFile):
            raise InvalidData(f"The listing of {self._name} cannot be read.") from None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise InvalidData(f"{self._name} was made by another version of the studio.")
        return document

    def extract(self, digest: str, size: int, target: Path, progress: Progress) -> None:
        """Write a blob to a file, and verify its digest."""
        info = self._entries.get(BLOBS + digest)
        if info is None:
            raise InvalidData(f"{self._name} lacks the file {digest[:12]}.")
        if info.file_size != size:
            raise Refused(f"The file {digest[:12]} in {self._name} is not as large as it says.")
        found = hashlib.sha256()
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("xb") as out:
                for chunk in chunks(self._zip, info, _CHUNK):
                    progress.check()
                    found.update(chunk)
                    out.write(chunk)
        except zipfile.BadZipFile:
            raise Refused(f"The file {digest[:12]} in {self._name} is damaged.") from None
        except FileExistsError:
            raise Refused(f"{self._name} names {target.name} twice.") from None
        if found.hexdigest() != digest:
            raise Refused(
                f"The file {digest[:12]} in {self._name} is not what its name says.",
                detail=f"found {found.hexdigest()}",
            )

    def unused(self, digests: Iterable[str]) -> list[str]:
        """Return the names of entries that the listing does not mention."""
        known = {LISTING, *(BLOBS + digest for digest in digests)}
        return sorted(set(self._entries) - known)

    def _checked(self, size: int) -> list[zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > _MOST_ENTRIES:
            raise Refused(f"{self._name} has {len(infos)} entries.")
        names = [info.filename for info in infos]
        if len(set(names)) < len(names):
            raise Refused(f"{self._name} has an entry twice.")
        for info in infos:
            self._check(info)
        # Entries that overlap could claim more bytes than the file has.
        if sum(info.file_size for info in infos) > size:
            raise Refused(f"{self._name} says that it holds more than it can.")
        return infos

    def _check(self, info: zipfile.ZipInfo) -> None:
        name = info.filename
        blob = name.removeprefix(BLOBS)
        kind = (info.external_attr >> 16) & _KIND
        if name != LISTING and not (name.startswith(BLOBS) and _DIGEST.fullmatch(blob)):
            raise Refused(f"{self._name} has the entry {name[:80]!r}, which no project has.")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise Refused(f"The entry {name[:24]} of {self._name} is packed or encrypted.")
        if kind not in (0, _REGULAR) or info.compress_size != info.file_size:
            raise Refused(f"The entry {name[:24]} of {self._name} is no plain file.")
