"""Frameworks, and how far the evidence of a version answers them."""

from __future__ import annotations

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ApplicationDate:
    """A day from which sections of a framework apply.

    Attributes:
        day: As ``2027-12-02``.
        text: What applies from then.
        source: The provision that sets the day.
        verified: Whether it was checked against the source.
    """

    id: str
    day: str
    text: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class FrameworkSection:
    """One section of a law or standard.

    Attributes:
        id: Within its framework: ``annex-iv.2.g``.
        cite: As the source names it: ``Annex IV(2)(g)``.
        wants: A paraphrase in one sentence; empty where the framework has headings alone.
        applies: Ids of the application dates.
        subjects: Ids of the subjects of evidence that answer it; empty where the studio keeps
            nothing about it.
        verified: Whether heading and paraphrase were checked against the source.
        cites: Sections of other frameworks that it refers to, as ``framework:section``.
    """

    id: str
    cite: str
    heading: str
    wants: str
    applies: tuple[str, ...]
    subjects: tuple[str, ...]
    verified: bool
    cites: tuple[str, ...] = optional(())


@dataclass(frozen=True, slots=True)
class Framework:
    """A law or standard as data of one day.

    Attributes:
        source: Its official name, with the place of publication.
        as_of: The day for which the data was collected.
        note: What the data is and is not.
        checked: What it was compared with.
        own: Whether it is a file of the user.
    """

    id: str
    title: str
    jurisdiction: str
    source: str
    url: str
    as_of: str
    note: str
    checked: str
    verified: bool
    dates: tuple[ApplicationDate, ...]
    sections: tuple[FrameworkSection, ...]
    own: bool = optional(False)

    def section(self, name: str) -> FrameworkSection | None:
        """Return a section by its id."""
        return next((one for one in self.sections if one.id == name), None)

    def date(self, name: str) -> ApplicationDate:
        """Return an application date by its id, which must exist."""
        return next(one for one in self.dates if one.id == name)


@dataclass(frozen=True, slots=True)
class SubjectCoverage:
    """A subject of evidence with its state: ``present``, ``asked`` or ``missing``."""

    id: str
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class SectionCoverage:
    """The state of one section.

    Attributes:
        state: ``present``, ``partial``, ``asked``, ``missing``, or ``outside`` where the studio
            keeps nothing about it.
        applies: The days from which it applies, with what applies then.
        shared: Sections of other frameworks that one of the same subjects answers.
    """

    id: str
    cite: str
    heading: str
    wants: str
    state: str
    subjects: tuple[SubjectCoverage, ...]
    applies: tuple[ApplicationDate, ...]
    verified: bool
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FrameworkCoverage:
    """How far the evidence of a version answers the sections of a framework.

    Attributes:
        counts: Number of sections by state.
    """

    framework: str
    title: str
    source: str
    as_of: str
    note: str
    checked: str
    verified: bool
    counts: dict[str, int]
    sections: tuple[SectionCoverage, ...]


@dataclass(frozen=True, slots=True)
class CrosswalkRow:
    """A subject of evidence, with the sections of each framework that it answers."""

    subject: str
    title: str
    source: str
    sections: dict[str, tuple[str, ...]]
