"""The address of a shared registry: its database and the place of its files."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from studio.api import StudioError, UsageError
from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.lazy_dataclass import dataclass
from studio.settings import write_atomically

FILE = "shared.json"
"""The file in the registry's folder that names the shared registry."""

_DATABASES = ("postgresql", "postgres")
_SECRETS = frozenset({"password", "sslpassword", "oauth_client_secret"})
_REPOSITORY = re.compile(r"(/[a-z0-9]+([._-]+[a-z0-9]+)*)+")
_PASS_FILE = (
    "Put the password into ~/.pgpass (mode 600), or name a service: postgresql:///?service=NAME"
)


@dataclass(frozen=True, slots=True)
class SharedAddress:
    """Where a shared registry is.

    Attributes:
        database: URL of the database, without a password.
        blobs: ``s3://bucket/prefix``, ``oci://host/repository``, or the path of a mounted folder.
        endpoint: URL of the S3 server; empty for the one of the profile.
    """

    database: str
    blobs: str
    endpoint: str = ""

    @classmethod
    def of(cls, database: str, blobs: str, endpoint: str = "") -> SharedAddress:
        """Check an address of a person.

        Raises:
            UsageError: for another text, or one with a password.
        """
        return cls(checked_database(database), checked_blobs(blobs), checked_endpoint(endpoint))


def checked_database(text: str) -> str:
    """Return the URL of a PostgreSQL database.

    Raises:
        UsageError: for another text, or one with a password.
    """
    try:
        parts = urlsplit(text)
        secret = parts.password is not None or _SECRETS & dict(parse_qsl(parts.query)).keys()
    except ValueError:
        raise UsageError("The address of the database cannot be read.") from None
    if parts.scheme not in _DATABASES:
        raise UsageError(
            "A shared registry is a PostgreSQL database.",
            hint="Write it as postgresql://HOST/DATABASE.",
        )
    if secret:
        raise UsageError("An address of a database cannot contain a password.", hint=_PASS_FILE)
    return text


def checked_blobs(text: str) -> str:
    """Return the place of the files of a shared registry.

    Raises:
        UsageError: when it is no bucket, repository or absolute path.
    """
    if text.startswith("s3://"):
        parts = urlsplit(text)
        if parts.netloc and "@" not in parts.netloc and not parts.query:
            return text.rstrip("/")
    elif text.startswith("oci://"):
        parts = urlsplit(text)
        if _REPOSITORY.fullmatch(parts.path) and parts.hostname and "@" not in parts.netloc:
            return text
    elif Path(text).is_absolute():
        return text
    raise UsageError(
        f"Files of a shared registry cannot be kept in {text[:80]!r}.",
        hint="Write s3://BUCKET/PREFIX, oci://HOST/REPOSITORY, or the path of a mounted folder.",
    )


def checked_endpoint(text: str) -> str:
    """Return the URL of an S3 server, or an empty text.

    Raises:
        UsageError: when it is no URL, or contains a login.
    """
    parts = urlsplit(text)
    if text and (
        parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc
    ):
        raise UsageError(
            "The address of the S3 server is not valid.",
            hint="Write it as https://HOST:PORT, without a login.",
        )
    return text


def address_in(folder: Path) -> SharedAddress | None:
    """Return the address in a registry's folder; None for a local registry.

    Raises:
        StudioError: when the file cannot be read.
    """
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):  # no registry can be there
        return None
    except (OSError, ValueError):
        raise _unreadable(folder) from None
    try:
        found = from_json(SharedAddress, json.loads(text))
        return SharedAddress.of(found.database, found.blobs, found.endpoint)
    except (InvalidDocument, ValueError, UsageError):
        # An empty local registry in its place would make all data seem lost.
        raise _unreadable(folder) from None


def use(folder: Path, address: SharedAddress | None) -> None:
    """Store the address of a shared registry; None returns to the local one."""
    if address is None:
        (folder / FILE).unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / FILE, (json.dumps(asdict(address), indent=1) + "\n").encode())


def _unreadable(folder: Path) -> StudioError:
    return StudioError(
        f"The address of the shared registry in {folder / FILE} cannot be read.",
        hint="Write it again: studio registry use ADDRESS --blobs PLACE",
    )
