"""The registry's verbs in OCI's terms: repositories, tags, digests and referrers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.api import (
    ModelVersion,
    Progress,
    Publication,
    RegisteredModel,
    RegistryEvent,
    TargetError,
    UsageError,
)
from studio_oci.address import RegistryPlace, is_digest, is_tag
from studio_oci.artefacts.modelpack import ARTIFACT, COUNTER, CREATED, RELEASE
from studio_oci.client import OciClient
from studio_oci.documents import OciManifest
from studio_oci.pull import pull_bundle
from studio_oci.push import CAR_SUFFIX, MODELPACK, Push

_VERSION = re.compile(r"\d{1,9}(?:-[0-9a-f]{8})?")
_FALLBACK = re.compile(r"sha256-[0-9a-f]{64}")
_MOST_TAGS = 2000


class OciSession:
    """One registry. Nothing is kept open between calls."""

    def __init__(self, place: RegistryPlace, client: OciClient) -> None:
        self._place = place
        self._client = client
        self.address = place.text

    def close(self) -> None:
        """Close nothing: no connection is open."""

    def models(self) -> list[RegisteredModel]:
        """Return the repositories below the address that hold models."""
        found = []
        start = f"{self._place.prefix}/" if self._place.prefix else ""
        for repository in sorted(self._client.repositories()):
            if not repository.startswith(start):
                continue
            name = repository.removeprefix(start)
            if versions := self._versions(name):
                found.append(_model(name, versions))
        return found

    def versions(self, name: str) -> list[ModelVersion]:
        """Return the versions of a model, the newest first."""
        found = self._versions(name)
        if not found:
            raise UsageError(
                f"The registry {self._place.host} has no model {name[:200]!r}.",
                hint="studio registry list shows them, where the registry lists them.",
            )
        return found

    def find(self, name: str, version: str = "", alias: str = "") -> ModelVersion:
        """Return the version of a number, a tag or a digest, or the newest without either."""
        wanted = version or alias
        if not wanted:
            return self.versions(name)[0]
        repository = self._place.repository(name)
        found = self._described(repository, name, self._manifest(repository, wanted))
        if is_digest(wanted):
            return found
        listed = {one.references[MODELPACK]: one for one in self._versions(name)}
        return listed.get(found.references[MODELPACK], found)

    def set_alias(self, name: str, alias: str, version: str, by: str) -> ModelVersion:
        """Point a tag to a version."""
        repository = self._place.repository(name)
        found = self._manifest(repository, version)
        tag = checked_alias(alias)
        self._client.put_manifest(repository, tag, found.content, found.media)
        return replace(self._described(repository, name, found, version), aliases=(tag,))

    def remove_alias(self, name: str, alias: str, by: str) -> None:
        """Remove a tag."""
        repository = self._place.repository(name)
        self._manifest(repository, checked_alias(alias))
        self._client.delete_tag(repository, alias)

    def history(self, name: str) -> list[RegistryEvent]:
        """Return when each version was made; registries keep no history of tags."""
        return [
            RegistryEvent(one.created, "registered", one.version, one.release[:12])
            for one in self.versions(name)
        ]

    def push(
        self, publication: Publication, options: Mapping[str, Any], progress: Progress
    ) -> ModelVersion:
        """Push a bundle as an artefact, its attachments, and its image on request."""
        name = publication.name.lower()
        repository = self._place.repository(name)
        aliases = [checked_alias(alias) for alias in publication.aliases]
        push = Push(self._client, repository, publication, progress)
        version, references = push.run(options)
        for alias in aliases:
            push.tag(alias)
        found = self._described(repository, name, self._manifest(repository, version), version)
        return replace(
            found,
            aliases=tuple(aliases),
            references={**found.references, **references},
        )

    def pull(self, version: ModelVersion, folder: Path, progress: Progress) -> Path:
        """Fetch a version by its digest."""
        repository = self._place.repository(version.name)
        reference = version.references.get(MODELPACK, "").rpartition("@")[2] or version.version
        manifest = self._manifest(repository, reference)
        return pull_bundle(self._client, repository, manifest, folder, progress)

    def _versions(self, name: str) -> list[ModelVersion]:
        repository = self._place.repository(name)
        tags = [tag for tag in self._client.tags(repository) if _is_of_model(tag)]
        if len(tags) > _MOST_TAGS:
            raise TargetError(
                f"The repository {repository} has {len(tags):,} tags, too many to list.",
                hint="Name a version, a tag or a digest.",
            )
        by_digest: dict[str, tuple[OciManifest, list[str]]] = {}
        for tag in tags:
            found = self._client.manifest(repository, tag)
            if found is not None and found.artifact == ARTIFACT:
                by_digest.setdefault(found.digest, (found, []))[1].append(tag)
        versions = [self._tagged(repository, name, one, tags) for one, tags in by_digest.values()]
        return sorted(versions, key=_age, reverse=True)

    def _tagged(
        self, repository: str, name: str, found: OciManifest, tags: Sequence[str]
    ) -> ModelVersion:
        numbers = sorted(tag for tag in tags if _VERSION.fullmatch(tag))
        aliases = tuple(sorted(set(tags) - set(numbers[:1])))
        number = numbers[0] if numbers else found.digest
        return replace(self._described(repository, name, found, number), aliases=aliases)

    def _manifest(self, repository: str, reference: str) -> OciManifest:
        if not is_tag(reference) and not is_digest(reference):
            raise UsageError(f"{reference[:200]!r} is neither a tag nor a digest.")
        found = self._client.manifest(repository, reference)
        if found is None:
            raise UsageError(
                f"The registry {self._place.host} has no {repository} with {reference}.",
                hint="studio registry list NAME shows its versions.",
            )
        return found

    def _described(
        self, repository: str, name: str, found: OciManifest, version: str = ""
    ) -> ModelVersion:
        reference = f"{self._place.host}/{repository}@{found.digest}"
        notes = found.annotations
        return ModelVersion(
            name=name,
            version=version or found.digest,
            created=notes.get(CREATED, ""),
            release=notes.get(RELEASE, ""),
            tags={COUNTER: notes.get(COUNTER, "")},
            references={MODELPACK: reference},
        )


def _model(name: str, versions: Sequence[ModelVersion]) -> RegisteredModel:
    aliases = {alias: one.version for one in reversed(versions) for alias in one.aliases}
    return RegisteredModel(name, versions[0].version, aliases)


def _is_of_model(tag: str) -> bool:
    return not tag.endswith(CAR_SUFFIX) and _FALLBACK.fullmatch(tag) is None


def _age(version: ModelVersion) -> tuple[str, int, int]:
    counter = version.tags.get(COUNTER, "")
    number = version.version.partition("-")[0]
    return (
        version.created,
        int(counter) if counter.isdecimal() and len(counter) < 20 else 0,
        int(number) if number.isdecimal() else 0,
    )


def checked_alias(alias: str) -> str:
    """Return an alias that can be a tag.

    Raises:
        UsageError: for one that cannot, or that is the tag of a version or of an image.
    """
    if not is_tag(alias) or _VERSION.fullmatch(alias) or not _is_of_model(alias):
        raise UsageError(
            f"{alias[:200]!r} cannot be an alias in an OCI registry.",
            hint="It is a tag, such as champion, with letters, digits, dots, dashes and _.",
        )
    return alias
