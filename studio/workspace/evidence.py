"""Evidence about models as the window shows it; what it reads may take a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.evidence.dossier.card import HEADINGS
from studio.evidence.dossier.figure_texts import interval_text, value_text
from studio.evidence.dossier.outline import CHAPTERS, CHAPTERS_OF, Answer, Requested
from studio.evidence.dossier.statement import Statement
from studio.evidence.dossier.survey import LastMeasurements, survey
from studio.evidence.explanations.results import ExplainResult
from studio.evidence.form.forms import EvidenceForms
from studio.evidence.frameworks.catalogue import shipped
from studio.evidence.frameworks.subjects import FORM, EvidenceSubject, subjects
from studio.evidence.groups.results import GroupsResult
from studio.evidence.records.collect import collect
from studio.evidence.records.subject import Named
from studio.evidence.results import ASKED, MISSING, PRESENT
from studio.evidence.robustness.results import RobustnessResult
from studio.lazy_dataclass import dataclass
from studio.registry import Registry, VariantRecord

STATES = (PRESENT, ASKED, MISSING)
MODEL_CARD, DOSSIER, FURTHER = "Model card", "Dossier", "Further records"
_MOST_ROWS = 60

FormT = TypeVar("FormT")


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
        note: Where it comes from, who is asked since when, or what would make it present.
        question: For a person; empty where records answer it.
        who: Who should answer.
        kind: Of the answer: ``text``, ``choice`` or ``date``.
        answer: What a person has written.
        requested: Name of the person who was asked, and the time; empty without one.
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


class Evidence:
    """The evidence about the models of a registry."""

    def __init__(self, registry: Registry, forms: EvidenceForms) -> None:
        self._registry, self._forms = registry, forms

    def survey(self, variant: VariantRecord) -> EvidenceSurvey:
        """Return the sections about a variant; reads the folder of its project.

        Raises:
            StudioError: when the form of the model is damaged.
        """
        last = last_measurements(self._registry, variant.id)
        form = self._forms.of(variant.model_name)
        answers = {name: Answer(one.text, one.by, one.at) for name, one in form.latest().items()}
        requests = {name: Requested(one.of, one.at) for name, one in form.pending().items()}
        found = survey(
            collect(self._registry, _named(self._registry, variant)), last, answers, requests
        )
        sections = {
            name: _section(subjects()[name], one, answers.get(name), requests.get(name))
            for name, one in found.items()
        }
        card = tuple(SectionGroup(title, names) for title, names in HEADINGS.items())
        on_card = tuple(name for group in card for name in group.sections)
        rest = tuple(name for name in _in_chapters() if name not in on_card)
        overview = (SectionGroup(MODEL_CARD, on_card), SectionGroup(DOSSIER, rest))
        return EvidenceSurvey(
            variant.id,
            sections,
            overview,
            card,
            _chapters(),
            last.groups,
            last.robustness,
            last.explanations,
            last.times,
        )


def last_measurements(registry: Registry, variant: int) -> LastMeasurements:
    """Return the newest measurements of a variant; one in an unknown form is left out."""
    times: dict[str, str] = {}

    def read(step: str, form: type[FormT]) -> FormT | None:
        for run in registry.runs(step, variant, 1):
            try:
                found = from_json(form, run.result)
            except InvalidDocument:
                return None
            times[step] = run.created
            return found
        return None

    groups = read("groups", GroupsResult)
    robustness = read("robustness", RobustnessResult)
    return LastMeasurements(groups, robustness, read("explain", ExplainResult), times)


def _named(registry: Registry, variant: VariantRecord) -> Named:
    """Return a variant with its newest version, where it was packaged."""
    versions = registry.versions(variant.model)
    return Named(variant, next((one for one in versions if one.variant == variant.id), None))


def _chapters() -> tuple[SectionGroup, ...]:
    """Return the chapters of Annex IV, and what none of them names; each subject once."""
    framework = next(one for one in shipped() if one.id == CHAPTERS_OF)
    left = dict.fromkeys(subjects())
    found = []
    for section in framework.sections:
        if section.id.startswith(CHAPTERS):
            names = tuple(name for name in section.subjects if name in left)
            for name in names:
                del left[name]
            found.append(SectionGroup(f"{section.cite}  {section.heading}", names))
    found.append(SectionGroup(FURTHER, tuple(left)))
    return tuple(group for group in found if group.sections)


def _in_chapters() -> Iterator[str]:
    for group in _chapters():
        yield from group.sections


def _section(
    subject: EvidenceSubject,
    statement: Statement,
    answer: Answer | None,
    requested: Requested | None,
) -> EvidenceSection:
    asked = subject.source == FORM
    note = statement.note
    if asked and answer is None:
        note = f"for the {subject.who}"
    return EvidenceSection(
        subject.id,
        subject.title,
        statement.state,
        note,
        subject.question,
        subject.who,
        subject.kind if asked else "",
        subject.choices,
        answer.text if answer is not None else "",
        (requested.of, requested.at) if requested is not None else ("", ""),
        statement.paragraphs,
        tuple(_tables(statement)),
    )


def _tables(statement: Statement) -> Iterator[SectionTable]:
    if statement.figures:
        rows = tuple((one.title, value_text(one), interval_text(one)) for one in statement.figures)
        yield SectionTable("", ("figure", "value", "95 % interval"), rows[:_MOST_ROWS], " nn")
    for table in statement.tables:
        cells = (tuple(map(_cell, row)) for row in table.rows[:_MOST_ROWS])
        yield SectionTable(table.title, table.head, tuple(cells), table.numbers)


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


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


def read_pictures(result: ExplainResult) -> Mapping[str, SamplePicture]:
    """Return the pictures of explained samples by the names of their maps; reads a file.

    Raises:
        OSError: when the file of maps is gone.
        ValueError: when it is damaged.
    """
    import numpy

    from studio.evidence.explanations.heat import scaled
    from studio.evidence.explanations.map_file import PIXELS

    found: dict[str, SamplePicture] = {}
    with numpy.load(Path(result.maps), allow_pickle=False) as file:
        for one in result.samples:
            if f"{one.map}{PIXELS}" not in file:
                continue
            pixels = file[f"{one.map}{PIXELS}"]
            height, width = pixels.shape[:2]
            maps = {}
            for name in _map_names(one.map, [other.map for other in one.against]):
                if name in file and file[name].shape == (height, width):
                    shares = (scaled(file[name]).clip(0, 1) * 255).round()
                    maps[name] = shares.astype(numpy.uint8).tobytes()
            found[one.map] = SamplePicture(width, height, pixels.tobytes(), maps)
    return found


def _map_names(own: str, others: Sequence[str]) -> Iterable[str]:
    return own, *others, f"{own}-shuffled"
