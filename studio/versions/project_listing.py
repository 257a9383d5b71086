"""The listing of a project's archive: models with variants, versions, aliases and moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from studio.api import InvalidData, Refused
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json
from studio.lazy_dataclass import dataclass
from studio.registry import component, counters
from studio.registry.activity import external_time
from studio.runtime.shared.files import plain_name

_LONGEST_TEXT = 4096

ArchivedFile = tuple[str, str, int]
"""The name of a file below its row's folder, its digest and its size."""


@dataclass(frozen=True, slots=True)
class ArchivedVariant:
    """A variant of a model.

    Attributes:
        main: Path of the file to load, below the variant's folder.
        folder: Whether the digest is of the folder, not of the file.
        parent: Position of the parent variant.
        inputs: Digests of the step's input data.
        quantize: Result of its quantization.
    """

    name: str
    digest: str
    main: str
    folder: bool
    format: str
    precision: str
    parent: int | None
    step: str
    options: Mapping[str, JsonValue]
    inputs: Mapping[str, str]
    files: tuple[ArchivedFile, ...]
    quantize: Mapping[str, JsonValue] | None = None
    created: str | None = None


@dataclass(frozen=True, slots=True)
class ArchivedVersion:
    """A version of a model; ``variant`` is the position of its variant."""

    number: int
    variant: int
    digest: str
    counter: int
    files: tuple[ArchivedFile, ...]
    created: str | None = None


@dataclass(frozen=True, slots=True)
class ArchivedMove:
    """A move of an alias, in the order of an archive's keys."""

    alias: str
    at: str
    by: str
    evidence: Mapping[str, JsonValue]
    to: int | None
    why: str


@dataclass(frozen=True, slots=True)
class ArchivedModel:
    """A model whose aliases point to numbers of its versions."""

    name: str
    variants: tuple[ArchivedVariant, ...]
    versions: tuple[ArchivedVersion, ...]
    aliases: Mapping[str, int]
    moves: tuple[ArchivedMove, ...]

    @property
    def rows(self) -> tuple[ArchivedVariant | ArchivedVersion, ...]:
        """The rows with files: the variants, then the versions."""
        return (*self.variants, *self.versions)


@dataclass(frozen=True, slots=True)
class ProjectListing:
    """The content of an archive."""

    format: int
    models: tuple[ArchivedModel, ...]
    edgewright: str = ""

    @classmethod
    def read(cls, document: Mapping[str, JsonValue]) -> ProjectListing:
        """Parse the listing of an untrusted archive.

        Raises:
            InvalidData: when it is malformed.
            Refused: when a name would lead outside the folder.
        """
        try:
            listing = from_json(cls, document)
            return replace(listing, models=tuple(map(_checked_model, listing.models)))
        except (InvalidDocument, ValueError) as error:
            raise InvalidData(
                "The listing of the archive is not well formed.", detail=str(error)
            ) from None


@dataclass(frozen=True, slots=True)
class PlannedFiles:
    """The files of a row, and their folder."""

    place: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """A model to export, with the files of its rows in order."""

    model: ArchivedModel
    files: tuple[PlannedFiles, ...]


@dataclass(frozen=True, slots=True)
class UnpackedModel:
    """An extracted model, with the summaries of its variants."""

    model: ArchivedModel
    summaries: tuple[Mapping[str, JsonValue], ...]


@dataclass(frozen=True, slots=True)
class UnpackedProject:
    """The models of an archive with verified files."""

    models: tuple[UnpackedModel, ...]


def _checked_model(model: ArchivedModel) -> ArchivedModel:
    for position, one in enumerate(model.variants):
        # Parents come first, so that a lineage cannot contain a cycle.
        if one.parent is not None and not 0 <= one.parent < position:
            raise ValueError("a variant comes before what it was made from")
    _check_texts([model.name, *model.aliases])
    component(model.name, "A model")
    return replace(
        model,
        variants=tuple(map(_checked_variant, model.variants)),
        versions=tuple(_checked_version(one, len(model.variants)) for one in model.versions),
    )


def _checked_variant(row: ArchivedVariant) -> ArchivedVariant:
    _check_texts([row.name, row.digest, row.main, row.format, row.precision, row.step])
    _check_files(row.files)
    if row.main not in [name for name, *_ in row.files]:
        raise ValueError("a variant lacks its main file")
    return replace(row, created=external_time(row.created))


def _checked_version(row: ArchivedVersion, variants: int) -> ArchivedVersion:
    if not (row.number > 0 and 0 <= row.variant < variants):
        raise ValueError("a version of no variant")
    _check_texts([row.digest])
    _check_files(row.files)
    counters.foreign(row.counter)
    return replace(row, created=external_time(row.created))


def _check_files(files: Iterable[ArchivedFile]) -> None:
    for name, digest, _size in files:
        _check_texts([name, digest])
        if not plain_name(name):
            raise Refused(
                f"The archive names a file {name[:80]!r}, which is not one below a folder."
            )


def _check_texts(texts: Iterable[str]) -> None:
    for text in texts:
        if not text or len(text) > _LONGEST_TEXT or "\0" in text:
            raise ValueError("a text was expected")
