"""Rows of the registry as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from studio.documents.dataclass_json import from_json
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or a folder in the store.

    Attributes:
        digest: SHA-256 of the file, or of the folder's listing of names and digests.
        path: Path in the store: ``store/<digest>/<name>``.
        size: Size in bytes; the sum of all files for a folder.
    """

    digest: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model, which groups variants under a name."""

    id: int
    name: str
    created: str


@dataclass(frozen=True, slots=True)
class VariantRecord:
    """A variant: the original file of a model, or the output of a step.

    Attributes:
        path: Path of the file: in the store, or the original one if it is too large to copy.
        parent: Number of the parent variant.
        step, options: Step that created it, with its options.
        summary: Results of opening it, and of the step that created it.
        graph_path: Path of the graph with its layout.
    """

    id: int
    model: int
    model_name: str
    name: str
    digest: str
    path: Path
    size: int
    format: str
    precision: str
    parent: int | None
    step: str
    options: Mapping[str, Any]
    summary: Mapping[str, Any]
    graph_path: Path | None
    created: str

    @property
    def source_file(self) -> Path | None:
        """The file that an original was opened or converted from; None for a variant of one."""
        source = self.options.get("model") if self.step in ("open", "convert") else None
        return Path(str(source)) if source else None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run of a step with its result."""

    id: int
    step: str
    variant: int | None
    options: Mapping[str, Any]
    result: Mapping[str, Any]
    artifacts: Mapping[str, Artifact]
    created: str


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version: a bundle of a variant.

    Attributes:
        number: Number within the model, from 1.
        counter: The release counter of the manifest, which never decreases on a target.
        path: Folder of the bundle in the store.
        digest: Digest of the manifest, which names the release on a target.
    """

    id: int
    model: int
    number: int
    variant: int
    digest: str
    path: Path
    counter: int
    created: str


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """Recorded facts of a release; unknown ones are None.

    Attributes:
        version: Number of the version.
        name, variant_name: Names of the model and of its variant.
        endpoint: Address of the endpoint.
        root: The folder of releases on the target.
    """

    version: int | None = None
    name: str | None = None
    variant_name: str | None = None
    by: str | None = None
    reason: str | None = None
    endpoint: str | None = None
    root: str | None = None
    fingerprint: str | None = None
    certificate_file: str | None = None
    token_required: bool | None = None


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """A change of a target's release; the rows are in the order of the changes."""

    id: int
    target: str
    version: int | None
    digest: str
    state: str
    details: Mapping[str, Any]
    created: str

    @property
    def facts(self) -> ReleaseFacts:
        """The details that all kinds of targets have."""
        return from_json(ReleaseFacts, self.details)


class Change(NamedTuple):
    """A change of a target's release, without its details.

    Attributes:
        until: Time of the rollback, for a release that failed after it had answered clients.
    """

    id: int
    target: str
    digest: str
    state: str
    created: str
    until: str


class ChangeWindow(NamedTuple):
    """The changes of a target around a time, in order.

    Attributes:
        whole: Whether all changes before that time are among them.
    """

    changes: tuple[Change, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """A step that the user started, with the given options.

    Attributes:
        source: Place of the start: ``window``, ``command`` or ``recipe RUN``.
    """

    id: int
    step: str
    options: Mapping[str, Any]
    result: Mapping[str, Any]
    source: str
    created: str

    @property
    def inputs(self) -> Mapping[str, str]:
        """Digests of the step's input data, by option."""
        return dict(self.result.get("inputs") or {})

    @property
    def variant(self) -> object:
        """Number of the variant that the step created; None without one."""
        return self.result.get("variant")

    @property
    def target(self) -> object:
        """The target or targets of the step; None for a step without one."""
        return self.options.get("target")


@dataclass(frozen=True, slots=True)
class KeptResult:
    """A cached result of a step, for reuse with equal inputs."""

    key: str
    step: str
    run: str
    result: Mapping[str, Any]
    created: str


@dataclass(frozen=True, slots=True)
class AliasRecord:
    """An alias that points to a version of a model."""

    model: int
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class MoveRecord:
    """A move of an alias.

    Attributes:
        version, before: The new and the previous version; None for no version.
        why: ``promoted``, ``rolled back``, ``set`` or ``removed``.
        evidence: The passed gates, and the run that evaluated them.
    """

    id: int
    model: int
    alias: str
    version: int | None
    before: int | None
    why: str
    evidence: Mapping[str, Any]
    by: str
    created: str


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A variant's data for a worker, in JSON form."""

    path: str
    digest: str
    variant: int
    model: int
    model_name: str
    name: str
    format: str
    precision: str

    @classmethod
    def of(cls, variant: VariantRecord) -> ModelRef:
        """Return the reference to a variant."""
        return cls(
            str(variant.path),
            variant.digest,
            variant.id,
            variant.model,
            variant.model_name,
            variant.name,
            variant.format,
            variant.precision,
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ModelRef:
        """Return the reference from the JSON form."""
        return cls(**value)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)
