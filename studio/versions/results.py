"""Results of the steps of versions, and queries of the window and the command line."""

from __future__ import annotations

from collections.abc import Mapping

from studio.documents.dataclass_json import JsonValue, from_json, keyed, optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class NamedGate:
    """A gate in the evidence of a promotion."""

    name: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence for the move of an alias: a run with its gates, or a reason."""

    run: str | None = None
    gates: tuple[NamedGate, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasMove:
    """A moved alias; ``to`` is None after a removal.

    Attributes:
        before: Number of its previous version; None without one.
        bundle: Folder of the bundle, empty for a removed alias.
        why: ``promoted``, ``rolled back``, ``set`` or ``removed``.
        evidence: The evidence in its JSON form, as the registry stores it.
    """

    model: str
    alias: str
    before: int | None = keyed("from")
    to: int | None
    digest: str
    bundle: str
    why: str
    evidence: Mapping[str, JsonValue]
    at: str

    @property
    def ground(self) -> Evidence:
        """The evidence, parsed."""
        return from_json(Evidence, self.evidence)


@dataclass(frozen=True, slots=True)
class RemovedVersion:
    """A version whose bundle a collection removes."""

    name: str
    digest: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RemovedFolder:
    """A folder of the store without references."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RetainedVersion:
    """A version that a collection keeps, with the reason."""

    name: str
    because: str


@dataclass(frozen=True, slots=True)
class GarbageResult:
    """The result of a collection, or its plan.

    Attributes:
        bytes: Size of all removed files.
        spared: Number of folders kept because a restore left them without references.
    """

    dry_run: bool
    versions: tuple[RemovedVersion, ...]
    orphans: tuple[RemovedFolder, ...]
    bytes: int
    spared: int
    kept: tuple[RetainedVersion, ...]


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The content of a written archive.

    Attributes:
        output: Path of the archive; empty before it was moved there.
    """

    models: tuple[str, ...]
    variants: int
    versions: int
    bytes: int
    output: str = optional("")


@dataclass(frozen=True, slots=True)
class ImportedModel:
    """A model of an archive, with the number of new rows.

    Attributes:
        asked: Its name in the archive, which another local model may have.
    """

    name: str
    asked: str
    variants: int
    versions: int


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The models of an import."""

    models: tuple[ImportedModel, ...]


# Queries about versions


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in a list.

    Attributes:
        kept: Whether its bundle still exists.
        targets: Names of the targets with this version.
    """

    model: str
    version: int
    aliases: tuple[str, ...]
    variant: str
    digest: str
    counter: int
    created: str
    kept: bool
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Packaging:
    """The packaging of a version: its options, digests of its data, and the user."""

    options: Mapping[str, JsonValue]
    inputs: Mapping[str, str]
    by: str


@dataclass(frozen=True, slots=True)
class VariantOrigin:
    """A variant in a lineage, with the step that created it."""

    variant: str
    digest: str
    bytes: int
    step: str
    options: Mapping[str, JsonValue]
    inputs: Mapping[str, str]
    by: str
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMove:
    """A recorded move of an alias; None means no version."""

    alias: str
    to: int | None
    before: int | None = keyed("from")
    why: str
    evidence: Mapping[str, JsonValue]
    by: str
    at: str

    @property
    def ground(self) -> Evidence:
        """The evidence, parsed."""
        return from_json(Evidence, self.evidence)


@dataclass(frozen=True, slots=True)
class Lineage:
    """The lineage of a version: bundle, variants back to the opened file, data, tools, moves.

    Attributes:
        content: Digest of the content alone; empty if the bundle was removed.
        variants: The packaged variant, then its ancestors.
    """

    model: str
    version: int
    aliases: tuple[str, ...]
    digest: str
    content: str
    counter: int
    created: str
    bundle: str
    tools: Mapping[str, JsonValue]
    packaged: Packaging | None
    variants: tuple[VariantOrigin, ...]
    targets: tuple[str, ...]
    moves: tuple[RecordedMove, ...]


@dataclass(frozen=True, slots=True)
class ServedRelease:
    """The release of a target at a time.

    Attributes:
        until: End of the release; None if it is current.
        known: Whether the version is in this registry.
        on_trial: Whether it was in trial then, even if it was rolled back later.
        canary: Version of a canary at that time.
    """

    target: str
    release: str
    version: int | None
    name: str
    variant: str | None
    since: str
    until: str | None
    by: str
    known: bool
    on_trial: bool
    canary: int | None


@dataclass(frozen=True, slots=True)
class TargetAt:
    """A target with its release; None without one."""

    target: str
    served: ServedRelease | None


@dataclass(frozen=True, slots=True)
class ReleasesAt:
    """The releases of all targets at one time (``now``)."""

    at: str
    targets: tuple[TargetAt, ...]
