"""The rows of the registry, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from studio.documents.dataclass_json import from_json


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or a folder in the store.

    Attributes:
        digest: SHA-256 of the file, or of the folder's listing of names and digests.
        path: Where it lies: ``store/<digest>/<name>``.
        size: In bytes; a folder's files added up.
    """

    digest: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model: a name for its variants."""

    id: int
    name: str
    created: str


@dataclass(frozen=True, slots=True)
class VariantRecord:
    """One file of a model: the original, or what a transform made of it.

    Attributes:
        path: The file to load; in the store, or where it was opened if it is too large to copy.
        parent: The variant that it was made from.
        step, options: What made it.
        summary: Figures of the open step, and those of the step that made it.
        graph_path: The graph with its layout.
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


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A step that was run, and what came of it."""

    id: int
    step: str
    variant: int | None
    options: Mapping[str, Any]
    result: Mapping[str, Any]
    artifacts: Mapping[str, Artifact]
    created: str


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A bundle that was made of a variant.

    Attributes:
        number: Counts the versions of the model from 1.
        counter: The release counter of the manifest, which never goes back on a target.
        path: The bundle's folder in the store.
        digest: Of the manifest; the release's name on a target.
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
    """Recorded facts of a release, as far as they are known.

    Attributes:
        version: Number of the bundle.
        name, variant_name: Of the model, and of its variant.
        endpoint: Where it answers.
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
    """What was done on a target, in the order in which it was done."""

    id: int
    target: str
    version: int | None
    digest: str
    state: str
    details: Mapping[str, Any]
    created: str

    @property
    def facts(self) -> ReleaseFacts:
        """The details that are common to all targets."""
        return from_json(ReleaseFacts, self.details)


class Change(NamedTuple):
    """A release without its details.

    Attributes:
        until: When it was taken back; of one that failed after it had answered clients.
    """

    id: int
    target: str
    digest: str
    state: str
    created: str
    until: str


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """A step that somebody asked for, and the options as they were given.

    Attributes:
        source: Where it was asked for: ``window``, ``command`` or ``recipe RUN``.
    """

    id: int
    step: str
    options: Mapping[str, Any]
    result: Mapping[str, Any]
    source: str
    created: str

    @property
    def inputs(self) -> Mapping[str, str]:
        """Digests of the data that it was given, by option."""
        return dict(self.result.get("inputs") or {})

    @property
    def variant(self) -> object:
        """Number of the variant that it made, or None."""
        return self.result.get("variant")

    @property
    def target(self) -> object:
        """The target, or the targets, that it was given; None for a step without one."""
        return self.options.get("target")


@dataclass(frozen=True, slots=True)
class KeptResult:
    """The result of a step, to be taken again when its inputs are the same."""

    key: str
    step: str
    run: str
    result: Mapping[str, Any]
    created: str


@dataclass(frozen=True, slots=True)
class AliasRecord:
    """A name that stands for a version of a model."""

    model: int
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class MoveRecord:
    """An alias that was moved.

    Attributes:
        version, before: What it stands for since, and stood for; None for nothing.
        why: ``promoted``, ``rolled back``, ``set`` or ``removed``.
        evidence: The gates that were met, and the run that judged them.
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
    """What a worker needs to know of a variant; travels as JSON."""

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
        """The reference to a variant."""
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
        """The reference that ``to_json`` wrote."""
        return cls(**value)

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)
