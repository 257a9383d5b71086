"""Evidence about a model in the form in which the window shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:  # the start of the window needs none of them
    from studio.features.evidence.explanations.results import ExplainResult
    from studio.features.evidence.groups.results import GroupsResult
    from studio.features.evidence.incidents.results import IncidentState
    from studio.features.evidence.robustness.results import RobustnessResult

PRESENT = "present"
"""The state of a section with evidence (``studio.features.evidence.results``)."""


@dataclass(frozen=True, slots=True)
class SectionTable:
    """A table of a section, as texts; ``numbers`` marks right-aligned columns with ``n``."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceSection:
    """A subject of evidence about a variant.

    Attributes:
        state: ``present``, ``asked`` or ``missing``.
        note: Where it comes from, for whom the question is, or what would make it present.
        question: For a person; empty where records answer it.
        who: Who should answer.
        kind: Of the answer: ``text``, ``choice`` or ``date``.
        answer: What a person has written.
        requested: Name of the person who is to answer, and the time; empty without one.
    """

    id: str
    title: str
    state: str
    note: str
    question: str = ""
    who: str = ""
    kind: str = ""
    choices: tuple[str, ...] = ()
    answer: str = ""
    requested: tuple[str, str] = ("", "")
    paragraphs: tuple[str, ...] = ()
    tables: tuple[SectionTable, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether a person has to answer it."""
        return bool(self.question) and self.state != PRESENT


@dataclass(frozen=True, slots=True)
class SectionGroup:
    """A heading with the ids of its sections."""

    title: str
    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceSurvey:
    """All sections about a variant, and the newest measurements.

    Attributes:
        overview, card, chapters: The sections in the order of three documents.
        times: UTC time of each measurement, by its step.
        by: What the newest groups were made by, as it was given.
        incidents: Of the model, by number.
    """

    variant: int
    sections: Mapping[str, EvidenceSection]
    overview: tuple[SectionGroup, ...]
    card: tuple[SectionGroup, ...]
    chapters: tuple[SectionGroup, ...]
    groups: GroupsResult | None
    robustness: RobustnessResult | None
    explanations: ExplainResult | None
    times: Mapping[str, str]
    by: tuple[str, ...] = ()
    incidents: tuple[IncidentState, ...] = ()

    def count(self, state: str) -> int:
        """Return the number of sections in a state."""
        return sum(one.state == state for one in self.sections.values())

    def next_open(self, after: str = "") -> EvidenceSection | None:
        """Return the section itself where a person has to answer it, else the next such one."""
        order = [name for group in self.overview for name in group.sections]
        start = order.index(after) if after in order else 0
        for name in (*order[start:], *order[:start]):
            if self.sections[name].is_open:
                return self.sections[name]
        return None


@dataclass(frozen=True, slots=True)
class SamplePicture:
    """The picture of an explained sample, and its maps.

    Attributes:
        pixels: RGB, ``3 * width`` bytes a row.
        maps: Influence by the name of the map, 0 to 255 a place, ``width`` bytes a row.
    """

    width: int
    height: int
    pixels: bytes
    maps: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class SampleAnswer:
    """The answer of a model to a labelled sample.

    Attributes:
        number: Of the sample in the data, from 0.
        value: The metric's figure; ``is_right`` where it is as high as any.
    """

    number: int
    name: str
    label: str
    answer: str
    value: float
    is_right: bool
    confidence: float | None
    groups: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MeasuredSamples:
    """The samples of the newest measurement by group.

    Attributes:
        chosen: Numbers of samples to explain: typical ones, then the worst.
    """

    rows: tuple[SampleAnswer, ...] = ()
    chosen: tuple[str, ...] = ()

    def named(self, name: str) -> SampleAnswer | None:
        """Return a sample by its name."""
        return next((one for one in self.rows if one.name == name), None)

    def misses(self, column: str, group: str) -> tuple[SampleAnswer, ...]:
        """Return the samples of a group that the model answered wrong."""
        return tuple(
            one for one in self.rows if not one.is_right and one.groups.get(column) == group
        )


@dataclass(frozen=True, slots=True)
class ModelEvidence:
    """A line of the table of all models.

    Attributes:
        variant: Number of the variant that the line is about: of the newest version, or the
            newest one.
        version: Number of the newest version; None for a model that was not packaged.
        present, sections: Number of sections with evidence, and of all.
        open: Number of questions that a person has to answer.
        worst_group: Name of the group with the lowest figure; empty where nothing was measured.
        worst, low, high: Its figure with its 95 % interval.
        is_below: Whether a group is below the required figure.
        ece: Expected calibration error.
        robustness: Lowest mean figure of a family of corruptions.
        targets: Names of the targets that serve it now.
        rollbacks: Number of releases that were rolled back.
        overrides: Number of answers that persons replaced; None where nothing was recorded.
        incidents: Number of open incidents; None where none was ever opened.
        days_left: Days to the nearest deadline; None where no clock runs.
        incidents_problem: Whether the file of incidents is damaged.
        evidence: UTC time of the newest evidence folder; empty without one.
    """

    name: str
    variant: int
    variant_name: str
    version: int | None
    present: int
    sections: int
    open: int
    worst_group: str = ""
    worst: float | None = None
    low: float | None = None
    high: float | None = None
    is_below: bool = False
    ece: float | None = None
    robustness: float | None = None
    targets: tuple[str, ...] = ()
    rollbacks: int = 0
    overrides: int | None = None
    incidents: int | None = None
    days_left: int | None = None
    incidents_problem: bool = False
    evidence: str = ""
