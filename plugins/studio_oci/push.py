"""The push of one bundle: blobs that are missing, manifests, tags and attachments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from studio.api import InvalidData, Progress, Publication, UsageError
from studio_oci.address import is_digest, is_repository
from studio_oci.artefacts.modelcar import (
    CONFIG,
    BaseImage,
    ModelCar,
    base_of,
    empty_bases,
    modelcar,
)
from studio_oci.artefacts.modelpack import IMAGE_MANIFEST, SIGNATURE, modelpack
from studio_oci.artefacts.referrers import SSH_SIGNATURE, attachment
from studio_oci.artefacts.sbom import bill_of, kind_of
from studio_oci.client import INDEX, OciClient, ReferredManifest
from studio_oci.documents import OciManifest, index_of
from studio_oci.uploads import BlobContent

MODELPACK, MODELCAR = "modelpack", "modelcar"
CAR_SUFFIX = "-modelcar"
_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"


class Push:
    """One bundle on its way to one repository."""

    def __init__(
        self, client: OciClient, repository: str, publication: Publication, progress: Progress
    ) -> None:
        self._client = client
        self._repository = repository
        self._publication = publication
        self._progress = progress
        self._artefact = modelpack(publication)
        self._sent = self._there = 0

    def run(self, options: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        """Push everything; a tag is set only after all that it names.

        Returns:
            The tag of the version, and references by digest.
        """
        bill = self._bill(options.get("sbom"))
        bases = self._bases(str(options.get("base") or "")) if options.get("modelcar") else None
        self._blobs(self._artefact.blobs)
        digest = self._artefact.descriptor.digest
        self._client.put_manifest(self._repository, digest, self._artefact.content, IMAGE_MANIFEST)
        self._attach(kind_of(bill), "sbom.json", bill)
        self._sign()
        version = self._free_tag()
        found = {} if bases is None else {MODELCAR: self._car(version, bases)}
        self.tag(version)
        self._progress.log(f"Sent {self._sent:,} bytes; {self._there:,} bytes were there already.")
        return version, found

    def tag(self, tag: str) -> None:
        """Point a tag to the artefact."""
        self._client.put_manifest(self._repository, tag, self._artefact.content, IMAGE_MANIFEST)

    def _free_tag(self) -> str:
        """Return the number of the bundle, with its digest where another one has the number."""
        number = int(self._publication.manifest.get("version") or 0)
        known = self._client.manifest(self._repository, str(number))
        if known is None or known.digest == self._artefact.descriptor.digest:
            return str(number)
        return f"{number}-{self._artefact.descriptor.digest.removeprefix('sha256:')[:8]}"

    def _blobs(self, blobs: Iterable[BlobContent]) -> None:
        for blob in {one.digest: one for one in blobs}.values():
            self._progress.check()
            if self._client.put_blob(self._repository, blob, self._progress):
                self._sent += blob.size
            else:
                self._there += blob.size

    def _attach(self, kind: str, name: str, content: bytes) -> None:
        made = attachment(self._artefact.descriptor, kind, name, content)
        self._blobs(made.blobs)
        subject = ReferredManifest(self._repository, self._artefact.descriptor)
        about = made.descriptor.to_json()
        self._client.put_referrer(subject, made.content, IMAGE_MANIFEST, about)

    def _sign(self) -> None:
        path = self._publication.bundle / SIGNATURE
        if path.is_file():
            self._attach(SSH_SIGNATURE, SIGNATURE, path.read_bytes())

    def _bill(self, path: Any) -> bytes:
        if not path:
            return bill_of(self._publication)
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise InvalidData(f"{path} cannot be read: {error.strerror or error}.") from None
        kind_of(content)
        return content

    def _car(self, version: str, bases: list[BaseImage]) -> str:
        car = modelcar(self._publication, self._artefact.descriptor, bases)
        self._blobs(car.blobs)
        for digest, document in car.manifests.items():
            self._client.put_manifest(self._repository, digest, document, IMAGE_MANIFEST)
        self._client.put_manifest(self._repository, version + CAR_SUFFIX, car.content, INDEX)
        return self._reference(car)

    def _reference(self, car: ModelCar) -> str:
        return f"{self._client.host}/{self._repository}@{car.descriptor.digest}"

    def _bases(self, reference: str) -> list[BaseImage]:
        """Return the images below ``/models``; their layers are taken over from their repository.

        Raises:
            UsageError: for a reference without a digest, or of what is no image.
        """
        if not reference:
            return empty_bases()
        name, _, digest = reference.removeprefix(f"{self._client.host}/").partition("@")
        if not is_repository(name) or not is_digest(digest):
            raise UsageError(
                f"{reference[:200]!r} is no base of this registry.",
                hint="Write REPOSITORY@sha256:...",
            )
        manifest = self._client.manifest(name, digest)
        if manifest is None:
            raise UsageError(f"The registry {self._client.host} has no {reference}.")
        return [self._base(name, one) for one in self._images(name, manifest)]

    def _images(self, name: str, manifest: OciManifest) -> list[OciManifest]:
        if manifest.config is not None:
            return [manifest]
        found = []
        for entry in index_of(manifest.content, self._client.host):
            one = self._client.manifest(name, entry.digest)
            if one is not None and one.config and one.config.media in (CONFIG, _DOCKER_CONFIG):
                found.append(one)
        return found

    def _base(self, name: str, manifest: OciManifest) -> BaseImage:
        assert manifest.config is not None
        base = base_of(manifest, self._client.small_blob(name, manifest.config))
        for layer in manifest.layers:
            self._take_over(name, layer.digest)
        return base

    def _take_over(self, name: str, digest: str) -> None:
        if self._client.has_blob(self._repository, digest):
            return
        if not self._client.uploads.mount(self._repository, digest, name):
            raise UsageError(
                f"The registry {self._client.host} does not share layers between repositories.",
                hint=f"Push the base into {self._repository} first.",
            )
