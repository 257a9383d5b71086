"""A bucket of an S3-compatible server as the common place of files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, Protocol, TypeVar
from urllib.parse import urlsplit

from studio.api import StudioError

_INSTALL = "Install the extra: edgewright[shared]."
_LOGIN = "Check the profile: AWS_PROFILE, ~/.aws/credentials or AWS_ACCESS_KEY_ID."
_TRUST = "Its owner renews it. AWS_CA_BUNDLE names a file with the authorities that you trust."
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
_REFUSED = frozenset(
    {"401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}
)
_SENTENCES = {
    "NoSuchBucket": ("The bucket does not exist.", "Create it, or choose another."),
    "RequestTimeTooSkewed": ("The clock of this computer is wrong.", "Set it, then try again."),
    "EntityTooLarge": ("The shared store refuses a file of this size.", ""),
    "QuotaExceeded": ("The shared store is full.", "Free space there, then try again."),
    "InternalError": (
        "The shared store failed, and has not stored or sent the file.",
        "Look at the disk and the log of its server, then try again.",
    ),
    "SlowDown": ("The shared store is too busy.", "Try again in a moment."),
    "ServiceUnavailable": ("The shared store is too busy.", "Try again in a moment."),
    "XMinioStorageFull": ("The shared store is full.", "Free space there, then try again."),
}

_IN_TEXT = re.compile(r"\((\w+)\) when calling")

_IN_PARTS = 64 << 20
"""The size in bytes above which a file is uploaded in parts, by several threads."""


T = TypeVar("T")


class ObjectBody(Protocol):
    """The content of an object, as boto3 returns it."""

    def iter_chunks(self, size: int) -> Iterable[bytes]:
        """Yield the content in pieces."""


class BucketClient(Protocol):
    """The methods that are used of boto3's client; their names of arguments are those of S3."""

    def head_bucket(self, **names: str) -> object:
        """Ask for a bucket."""

    def head_object(self, **names: str) -> object:
        """Ask for an object."""

    def get_object(self, **names: str) -> Mapping[str, ObjectBody]:
        """Return an object, with its content as ``Body``."""

    def put_object(self, **names: str | IO[bytes]) -> object:
        """Store an object."""

    def upload_file(self, path: str, bucket: str, key: str) -> object:
        """Store a file in parts."""


class Bucket:
    """A bucket, with the login of the AWS profile or environment, never of the address.

    Args:
        address: ``s3://bucket/prefix``.
        endpoint: URL of the server; empty for the one of the profile.
    """

    def __init__(self, address: str, endpoint: str = "") -> None:
        parts = urlsplit(address)
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/")
        self._address, self._endpoint = address, endpoint
        self._client: BucketClient | None = None

    def require(self) -> None:
        """Ask for the bucket."""
        with self._errors_reported() as client:
            if _found(client.head_bucket, Bucket=self._bucket) is None:
                raise self._sentence("NoSuchBucket", self._address)

    def has(self, key: str) -> bool:
        """Return whether an object exists."""
        with self._errors_reported() as client:
            return _found(client.head_object, Bucket=self._bucket, Key=self._key(key)) is not None

    def put(self, key: str, source: Path) -> None:
        """Store a file; a large one in parts, which appear together."""
        with self._errors_reported() as client:
            if source.stat().st_size > _IN_PARTS:
                client.upload_file(str(source), self._bucket, self._key(key))
                return
            with source.open("rb") as file:
                client.put_object(Bucket=self._bucket, Key=self._key(key), Body=file)

    def get(self, key: str, target: Path) -> bool:
        """Write an object to a new file; return False if it does not exist."""
        with self._errors_reported() as client:
            found = _found(client.get_object, Bucket=self._bucket, Key=self._key(key))
            if found is None:
                return False
            with target.open("wb") as file:
                for part in found["Body"].iter_chunks(1 << 20):
                    file.write(part)
        return True

    def describe(self) -> str:
        """Return its address, for people."""
        return f"{self._address} at {self._endpoint}" if self._endpoint else self._address

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    @contextmanager
    def _errors_reported(self) -> Iterator[BucketClient]:
        library = _library()
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._client is None:
                self._client = self._connected(library)
            yield self._client
        except ClientError as error:
            raise self._sentence(_code(error), str(error)) from None
        except (BotoCoreError, library.exceptions.Boto3Error) as error:
            found = _IN_TEXT.search(str(error))  # an upload in parts reports no code
            raise self._sentence(found[1] if found else "", str(error)) from None

    def _connected(self, library: ModuleType) -> BucketClient:
        from botocore.config import Config

        # Newer checksums are unknown to many servers; each content has its digest as its name.
        config = Config(
            connect_timeout=10,
            read_timeout=60,
            retries={"max_attempts": 4, "mode": "standard"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"} if self._endpoint else {},
        )
        session = library.session.Session()  # the default one would keep an earlier login
        client: BucketClient = session.client(
            "s3", endpoint_url=self._endpoint or None, config=config
        )
        return client

    def _sentence(self, code: str, detail: str) -> StudioError:
        text, hint = _SENTENCES.get(code, ("", ""))
        if code in _REFUSED or "credentials" in detail.lower():
            text, hint = "The shared store refused the login.", _LOGIN
        if "CERTIFICATE_VERIFY_FAILED" in detail:
            text, hint = "The certificate of the shared store has ended, or is not trusted.", _TRUST
        if not text:
            text = f"The shared store {self._address} cannot be reached."
            hint = "Check the network and the address: studio registry use"
        return StudioError(text, hint=hint, detail=detail)


def _library() -> ModuleType:
    try:
        import boto3
        import boto3.exceptions
        import boto3.session
    except ImportError:
        raise StudioError("A bucket needs the library boto3.", hint=_INSTALL) from None
    found: ModuleType = boto3
    return found


def _found(call: Callable[..., T], **names: str) -> T | None:
    """Return the answer of a call; None for an object that does not exist."""
    from botocore.exceptions import ClientError

    try:
        return call(**names)
    except ClientError as error:
        if _code(error) in _ABSENT:
            return None
        raise


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
