"""Results of the steps on the record of decisions."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RecordFault:
    """The first place at which a record is not what was written.

    Attributes:
        file, line: The segment or file, and the line in it from 1.
        at: Time of the entry, or of the last whole one before it (ISO 8601, UTC).
    """

    file: str
    line: int
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class EntryCounts:
    """Numbers of entries, by what they are.

    Attributes:
        lost: Decisions that were counted and not recorded.
        forgotten: Entries whose content was deleted on request.
        deleted: Entries in segments that were deleted by age, by the record itself.
    """

    decisions: int = 0
    overrides: int = 0
    gaps: int = 0
    lost: int = 0
    forgotten: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class ServedPeriod:
    """Answers of one version in a period.

    Attributes:
        digest: Digest of the release.
        first, last: Times of its first and last decision in the period (ISO 8601, UTC).
    """

    model: str
    version: str
    digest: str
    decisions: int
    overrides: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision or an override as a list shows it.

    Attributes:
        event: Kind of the entry, such as ``decision``, ``override`` or ``gap``.
        text: The short meaning of the answer, or what a person decided and why.
    """

    at: str
    event: str
    request: str
    version: str
    input: str
    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class ListResult:
    """The newest entries of a record, the newest first."""

    target: str
    on: bool
    days: int
    counts: EntryCounts
    rows: tuple[DecisionRow, ...]
    fault: RecordFault | None = None


@dataclass(frozen=True, slots=True)
class DecisionsResult:
    """A record that was verified.

    Attributes:
        target: Name of the target, or of the file.
        entries: Whole entries, up to the first fault.
        first, last: Hashes at the two ends.
        last_number: Number of the last entry among all that there ever were.
        anchors: Earlier ends of this record that the registry knows, and that agree.
    """

    target: str
    entries: int
    counts: EntryCounts
    first: str
    last: str
    last_number: int
    anchors: int = 0
    fault: RecordFault | None = None


@dataclass(frozen=True, slots=True)
class ExportedDecisions:
    """A period of a record in a file.

    Attributes:
        begin, end: The chosen period; empty where it is open.
        models: The versions that answered in it.
        whole: Whether the chain of the whole record was unbroken.
    """

    target: str
    output: str
    begin: str
    end: str
    at: str
    entries: int
    counts: EntryCounts
    models: tuple[ServedPeriod, ...]
    first: str
    last: str
    whole: bool
    bytes: int
    sha256: str
    fault: RecordFault | None = None


@dataclass(frozen=True, slots=True)
class ForgottenDecisions:
    """Contents that were deleted from a record."""

    target: str
    by: str
    forgotten: int


@dataclass(frozen=True, slots=True)
class KeptData:
    """A place with data that may be about persons.

    Attributes:
        place: ``target`` or ``desk``.
        what: What is there, without any of its content.
        where: Path there.
        kept: How long, and what limits it.
        delete: The command that deletes it.
    """

    place: str
    what: str
    where: str
    bytes: int
    kept: str
    delete: str


@dataclass(frozen=True, slots=True)
class WhereResult:
    """The places with data that may be about persons, on a target and on the desk."""

    target: str
    places: tuple[KeptData, ...]
