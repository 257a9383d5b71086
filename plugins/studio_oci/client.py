"""Verbs of OCI's distribution specification 1.1: blobs, manifests, tags and referrers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from studio.api import Progress, TargetError, UsageError
from studio_oci.address import is_digest, is_tag
from studio_oci.documents import Descriptor, OciManifest, index_of, manifest_of
from studio_oci.transport.channel import LARGEST_DOCUMENT, Channel, RegistryRefusal
from studio_oci.uploads import BlobContent, Uploads

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
_ACCEPT = ", ".join((MANIFEST, INDEX, _DOCKER))
_MOST_PAGES = 100
_MOST_NAMES = 20_000
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ReferredManifest:
    """What a referrer refers to: the descriptor of a manifest."""

    repository: str
    descriptor: Descriptor


class OciClient:
    """Speaks with one registry. The digest of everything that arrives is checked."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.host = channel.place.host
        self.uploads = Uploads(channel)

    def repositories(self) -> list[str]:
        """Return all repositories, where the registry lists them.

        Raises:
            UsageError: where it does not.
        """
        try:
            return self._pages("/v2/_catalog", "repositories", "registry:catalog:*")
        except RegistryRefusal as error:
            if error.status not in (401, 403, 404, 405):
                raise
            raise UsageError(
                f"The registry {self.host} does not list its repositories.",
                hint="Name the model: studio registry list NAME --registry oci://...",
            ) from None

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository; none where it does not exist."""
        try:
            found = self._pages(f"/v2/{repository}/tags/list", "tags", pull_scope(repository))
        except RegistryRefusal as error:
            if error.missing:
                return []
            raise
        return [tag for tag in found if is_tag(tag)]

    def manifest(self, repository: str, reference: str) -> OciManifest | None:
        """Return the manifest of a tag or digest; None where it does not exist.

        Raises:
            TargetError: when its digest is another one, or it cannot be read.
        """
        try:
            answer = self._channel.ask(
                "GET",
                f"/v2/{repository}/manifests/{reference}",
                scope=pull_scope(repository),
                headers={"Accept": _ACCEPT},
            )
        except RegistryRefusal as error:
            if error.missing:
                return None
            raise
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        claimed = answer.headers.get("docker-content-digest") or digest
        expected = reference if is_digest(reference) else claimed
        if digest != expected or digest != claimed:
            raise TargetError(
                f"The registry {self.host} sent another manifest than {reference}.",
                detail=f"expected {expected}, found {digest}",
            )
        return manifest_of(answer.body, digest, self.host)

    def put_manifest(self, repository: str, reference: str, content: bytes, media: str) -> bool:
        """Store a manifest under a tag or its digest.

        Returns:
            Whether the registry keeps lists of referrers itself.
        """
        answer = self._channel.ask(
            "PUT",
            f"/v2/{repository}/manifests/{reference}",
            scope=push_scope(repository),
            headers={"Content-Type": media},
            body=content,
        )
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if answer.headers.get("docker-content-digest", digest) != digest:
            raise TargetError(f"The registry {self.host} stored another manifest than it was sent.")
        return "oci-subject" in answer.headers

    def delete_tag(self, repository: str, tag: str) -> None:
        """Remove a tag.

        Raises:
            TargetError: when the registry removes none, as the specification allows.
        """
        try:
            self._channel.ask(
                "DELETE", f"/v2/{repository}/manifests/{tag}", scope=delete_scope(repository)
            )
        except RegistryRefusal as error:
            if error.status not in (400, 404, 405, 501):
                raise
            raise TargetError(
                f"The registry {self.host} does not remove tags.",
                hint="Point the alias to another version.",
                detail=error.detail,
            ) from None

    def has_blob(self, repository: str, digest: str) -> bool:
        """Return whether a repository has a blob."""
        try:
            self._channel.ask(
                "HEAD", f"/v2/{repository}/blobs/{digest}", scope=pull_scope(repository)
            )
        except RegistryRefusal as error:
            if error.missing:
                return False
            raise
        return True

    def put_blob(self, repository: str, content: BlobContent, progress: Progress) -> bool:
        """Store a blob unless it is there; returns whether it was sent."""
        if self.has_blob(repository, content.digest):
            return False
        self.uploads.put(repository, content, progress)
        return True

    def small_blob(self, repository: str, blob: Descriptor) -> bytes:
        """Return a blob of at most 4 MiB."""
        if blob.size > LARGEST_DOCUMENT:
            raise TargetError(f"A document of {blob.size:,} bytes is too large.")
        return b"".join(self.blob(repository, blob))

    def blob(self, repository: str, blob: Descriptor) -> Iterator[bytes]:
        """Yield the content of a blob; the last piece comes after the check of its digest.

        Raises:
            TargetError: when it is gone, or differs from the manifest.
        """
        digest, size = hashlib.sha256(), 0
        last = b""
        try:
            path = f"/v2/{repository}/blobs/{blob.digest}"
            with self._channel.fetch(path, scope=pull_scope(repository)) as pieces:
                for piece in pieces:
                    size += len(piece)
                    if size > blob.size:
                        break
                    digest.update(piece)
                    if last:
                        yield last
                    last = piece
        except RegistryRefusal as error:
            if error.missing:
                raise TargetError(
                    f"The registry {self.host} has lost the blob {blob.digest[:19]} of "
                    f"{repository}.",
                    hint="Push the version again.",
                ) from None
            raise
        if size != blob.size or f"sha256:{digest.hexdigest()}" != blob.digest:
            raise TargetError(
                f"The registry {self.host} sent another content than {blob.digest[:19]}.",
                detail=f"{blob.digest} with {blob.size:,} bytes",
            )
        if last:
            yield last

    def fetch(self, repository: str, blob: Descriptor, path: Path, progress: Progress) -> None:
        """Write a blob into a file, which is removed again when the content is wrong."""
        try:
            with path.open("wb") as file:
                for piece in self.blob(repository, blob):
                    progress.check()
                    file.write(piece)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise TargetError(f"{path} cannot be written: {error.strerror or error}.") from None
        except TargetError:
            path.unlink(missing_ok=True)
            raise

    def referrers(self, subject: ReferredManifest) -> list[Descriptor]:
        """Return what refers to a manifest, by the registry's list or by the tag in its place."""
        path = f"/v2/{subject.repository}/referrers/{subject.descriptor.digest}"
        try:
            answer = self._channel.ask("GET", path, scope=pull_scope(subject.repository))
            return index_of(answer.body, self.host)
        except RegistryRefusal as error:
            if error.status not in (400, 404, 405):
                raise
        return self._tagged_referrers(subject)

    def put_referrer(
        self, subject: ReferredManifest, content: bytes, media: str, about: Mapping[str, Any]
    ) -> None:
        """Store a manifest with a ``subject``, and list it where the registry does not.

        Args:
            about: Its descriptor, with ``artifactType`` and annotations.
        """
        listed = self.put_manifest(subject.repository, about["digest"], content, media)
        if listed or any(one.digest == about["digest"] for one in self._tagged_referrers(subject)):
            return
        before = self._fallback(subject)
        entries = [*(before.raw.get("manifests") or ()), about] if before else [about]
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        text = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
        self.put_manifest(subject.repository, _fallback_tag(subject), text, INDEX)

    def _tagged_referrers(self, subject: ReferredManifest) -> list[Descriptor]:
        found = self._fallback(subject)
        return index_of(json.dumps(found.raw).encode(), self.host) if found else []

    def _fallback(self, subject: ReferredManifest) -> OciManifest | None:
        return self.manifest(subject.repository, _fallback_tag(subject))

    def _pages(self, path: str, key: str, scope: str) -> list[str]:
        found: list[str] = []
        last = ""
        for _ in range(_MOST_PAGES):
            query = urlencode({"n": _PAGE, **({"last": last} if last else {})})
            answer = self._channel.ask("GET", f"{path}?{query}", scope=scope)
            names = _names(answer.body, key, self.host)
            found += names
            if "link" not in answer.headers or not names or names[-1] == last:
                return found
            if len(found) > _MOST_NAMES:
                break
            last = names[-1]
        raise TargetError(f"The registry {self.host} lists too many names to be read.")


def _names(body: bytes, key: str, host: str) -> Sequence[str]:
    try:
        found = json.loads(body).get(key) or []
    except (ValueError, AttributeError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise TargetError(
            f"What answers at {host} is not an OCI registry.", hint="Check the address."
        )
    return [name for name in found if isinstance(name, str)]


def _fallback_tag(subject: ReferredManifest) -> str:
    return subject.descriptor.digest.replace(":", "-")


def pull_scope(repository: str) -> str:
    """Return what a token must allow to read a repository."""
    return f"repository:{quote(repository)}:pull"


def push_scope(repository: str) -> str:
    """Return what a token must allow to write to a repository."""
    return f"repository:{quote(repository)}:pull,push"


def delete_scope(repository: str) -> str:
    """Return what a token must allow to remove a tag."""
    return f"repository:{quote(repository)}:delete,pull,push"
