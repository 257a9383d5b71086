"""What the registry knows of a subject, in one document that travels to the worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.deployment.results import LogHead, TrialEvidence
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json, optional
from studio.features.evidence.incidents.results import IncidentState
from studio.features.evidence.market.grid import GridFactor
from studio.features.evidence.market.setup import MonitoringSetup
from studio.features.evidence.results import AssessedVersion
from studio.lazy_dataclass import dataclass
from studio.projects.results import Project
from studio.registry import ModelRef
from studio.versions.results import Lineage, RecordedMove, VariantOrigin

DECISIONS = "decisions-export"
"""The step whose run holds a period of a target's record of decisions."""


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file that a run has kept in the store."""

    path: str
    digest: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run of a step on a variant."""

    step: str
    number: int
    variant: str
    options: Mapping[str, JsonValue]
    result: Mapping[str, JsonValue]
    files: Mapping[str, RecordedFile]
    at: str

    @property
    def name(self) -> str:
        """Name of the run in file names and in the dossier: ``profile-2``."""
        return f"{self.step}-{self.number}"


@dataclass(frozen=True, slots=True)
class RecordedRelease:
    """A change of a target's release.

    Attributes:
        version: Name of the version (``digits:2``).
        trial: Evidence of its trial; None without one.
        log: The target's chained log after the change, where the target sent it.
    """

    target: str
    version: str
    digest: str
    state: str
    at: str
    by: str = ""
    reason: str = ""
    trial: TrialEvidence | None = None
    log: LogHead | None = None

    @property
    def was_on_trial(self) -> bool:
        """Whether a trial of it has ended."""
        return self.trial is not None and self.trial.decision is not None


@dataclass(frozen=True, slots=True)
class ReleaseDetails:
    """The details of a release that evidence reads."""

    by: str | None = None
    reason: str | None = None
    soak: TrialEvidence | None = None
    log: LogHead | None = optional()

    @classmethod
    def read(cls, details: Mapping[str, JsonValue]) -> ReleaseDetails:
        """Return the details; none where they have another form."""
        try:
            return from_json(cls, details)
        except InvalidDocument:
            return cls()


@dataclass(frozen=True, slots=True)
class RecordedVariant:
    """A variant with the summary of its file."""

    ref: ModelRef
    step: str
    options: Mapping[str, JsonValue]
    summary: Mapping[str, JsonValue]
    created: str


@dataclass(frozen=True, slots=True)
class Records:
    """All records of one subject.

    Attributes:
        variant: The variant of the subject.
        reference: The variant that it was made of first; the same one for an original.
        ancestors: The variant, then what it was made of.
        lineage: Of the version; None for a variant that was not packaged.
        runs: The newest run of each step, of the variant and of its reference.
        releases: Changes on all targets that concern this model, the oldest first.
        signed: Whether the bundle of the version is signed.
        by: Who had the evidence made.
        incidents: Of the model, as they are today.
        setup: What is configured for the watch of the model's targets.
        grid: Factor of emissions; None where none was chosen.
    """

    subject: AssessedVersion
    variant: RecordedVariant
    reference: RecordedVariant
    ancestors: tuple[VariantOrigin, ...]
    project: Project
    lineage: Lineage | None = None
    runs: tuple[RecordedRun, ...] = ()
    releases: tuple[RecordedRelease, ...] = ()
    moves: tuple[RecordedMove, ...] = ()
    signed: bool = False
    by: str = ""
    tools: Mapping[str, str] = field(default_factory=dict)
    incidents: tuple[IncidentState, ...] = ()
    setup: MonitoringSetup = MonitoringSetup()
    grid: GridFactor | None = None

    def run(self, step: str, variant: str = "") -> RecordedRun | None:
        """Return the newest run of a step; of a variant, where one is named."""
        wanted = (one for one in self.runs if one.step == step and variant in ("", one.variant))
        return next(wanted, None)

    @property
    def is_original(self) -> bool:
        """Whether the variant is the opened model itself."""
        return self.variant.ref.variant == self.reference.ref.variant
