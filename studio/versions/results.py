"""Results of the steps of versions, and what the window and the command line ask about versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.documents.dataclass_json import JsonValue, from_json, keyed, optional


@dataclass(frozen=True, slots=True)
class NamedGate:
    """A gate that stands in the evidence of a promotion."""

    name: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Grounds for the move of an alias: a run with its gates, or a reason in words."""

    run: str | None = None
    gates: tuple[NamedGate, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasMove:
    """An alias after its move; ``to`` is None for one that was removed.

    Attributes:
        before: Number of the version that it stood for; None where there was none.
        bundle: Folder of the bundle, empty for a removed alias.
        why: ``promoted``, ``rolled back``, ``set`` or ``removed``.
        evidence: The ground in its JSON form, as the registry stores it.
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
        """The evidence, as it can be read."""
        return from_json(Evidence, self.evidence)


@dataclass(frozen=True, slots=True)
class RemovedVersion:
    """A version whose bundle a collection removes."""

    name: str
    digest: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RemovedFolder:
    """A folder of the store that nothing refers to."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RetainedVersion:
    """A version that a collection leaves, with the reason."""

    name: str
    because: str


@dataclass(frozen=True, slots=True)
class GarbageResult:
    """Result of a collection, or of its plan.

    Attributes:
        bytes: Size of all that goes.
        spared: Number of folders that stay because a restore has forgotten them.
    """

    dry_run: bool
    versions: tuple[RemovedVersion, ...]
    orphans: tuple[RemovedFolder, ...]
    bytes: int
    spared: int
    kept: tuple[RetainedVersion, ...]


@dataclass(frozen=True, slots=True)
class ExportResult:
    """Content of an archive that was written.

    Attributes:
        output: Path of the archive; empty before it was put there.
    """

    models: tuple[str, ...]
    variants: int
    versions: int
    bytes: int
    output: str = optional("")


@dataclass(frozen=True, slots=True)
class ImportedModel:
    """A model of an archive, with the number of rows that are new here.

    Attributes:
        asked: Its name in the archive; another model may have that name here.
    """

    name: str
    asked: str
    variants: int
    versions: int


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Models that an import has taken in."""

    models: tuple[ImportedModel, ...]


# What is asked about versions


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in a list.

    Attributes:
        kept: Whether its bundle is still here.
        targets: Names of the targets that serve it now.
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
    """The packaging of a version: its options, digests of its data, and who asked for it."""

    options: Mapping[str, JsonValue]
    inputs: Mapping[str, str]
    by: str


@dataclass(frozen=True, slots=True)
class VariantOrigin:
    """A variant in a lineage, with the step that made it."""

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
    """A move of an alias in a lineage; None stands for no version."""

    alias: str
    to: int | None
    before: int | None = keyed("from")
    why: str
    evidence: Mapping[str, JsonValue]
    by: str
    at: str

    @property
    def ground(self) -> Evidence:
        """The evidence, as it can be read."""
        return from_json(Evidence, self.evidence)


@dataclass(frozen=True, slots=True)
class Lineage:
    """The origin of a version: bundle, variants up to the opened file, data, tools, moves.

    Attributes:
        content: Digest of the content alone; empty when the bundle is gone.
        variants: The packaged variant first, then what it was made from.
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
    """A release that a target served at a moment.

    Attributes:
        until: End of that time; None while it goes on.
        known: Whether the version is in this registry.
        on_trial: Whether it was on trial then, also when it was taken back later.
        canary: Version of another release that got a part of the requests.
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
    """A target and the release that it served; None for nothing."""

    target: str
    served: ServedRelease | None


@dataclass(frozen=True, slots=True)
class ReleasesAt:
    """Releases of all targets at one moment (``now``)."""

    at: str
    targets: tuple[TargetAt, ...]
