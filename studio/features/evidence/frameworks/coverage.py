"""The state of each section of a framework, and what frameworks have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from studio.features.evidence.frameworks.results import (
    CrosswalkRow,
    Framework,
    FrameworkCoverage,
    FrameworkSection,
    SectionCoverage,
    SubjectCoverage,
)
from studio.features.evidence.frameworks.subjects import (
    ASKED,
    FORM,
    MISSING,
    PRESENT,
    EvidenceSubject,
    subjects,
)

PARTIAL, OUTSIDE = "partial", "outside"
STATES = (PRESENT, PARTIAL, ASKED, MISSING, OUTSIDE)


def coverage(
    framework: Framework, states: Mapping[str, str], known: Sequence[Framework] = ()
) -> FrameworkCoverage:
    """Return the state of each section of a framework.

    Args:
        states: ``present``, ``asked`` or ``missing`` by subject. A subject that is not in it is
            ``asked`` where a person answers it, and ``missing`` where records do.
        known: All frameworks, for the sections that share a subject.
    """
    others = _sections_of([one for one in known if one.id != framework.id])
    sections = tuple(_section(framework, one, states, others) for one in framework.sections)
    counts = Counter(one.state for one in sections)
    return FrameworkCoverage(
        framework=framework.id,
        title=framework.title,
        source=framework.source,
        as_of=framework.as_of,
        note=framework.note,
        checked=framework.checked,
        verified=framework.verified,
        counts={state: counts[state] for state in STATES},
        sections=sections,
    )


def crosswalk(known: Sequence[Framework]) -> tuple[CrosswalkRow, ...]:
    """Return each subject with the sections of each framework that it answers."""
    answered = _sections_of(known)
    return tuple(
        CrosswalkRow(
            one.id,
            one.title,
            one.source,
            {
                framework.id: tuple(name for owner, name in answered[one.id] if owner is framework)
                for framework in known
            },
        )
        for one in subjects().values()
        if one.id in answered
    )


def state_of(one: EvidenceSubject, states: Mapping[str, str]) -> str:
    """Return the state of a subject, also of one that is not in the states.

    Raises:
        ValueError: for a word that is no state.
    """
    state = states.get(one.id, ASKED if one.source == FORM else MISSING)
    if state not in (PRESENT, ASKED, MISSING):
        raise ValueError(f"{state!r} is no state of a subject")
    return state


_Answered = dict[str, list[tuple[Framework, str]]]


def _sections_of(known: Iterable[Framework]) -> _Answered:
    """Return framework and id of all sections, by the subjects that they want."""
    found: _Answered = {}
    for framework in known:
        for section in framework.sections:
            for name in section.subjects:
                found.setdefault(name, []).append((framework, section.id))
    return found


def _section(
    framework: Framework, section: FrameworkSection, states: Mapping[str, str], others: _Answered
) -> SectionCoverage:
    wanted = [subjects()[name] for name in section.subjects]
    parts = tuple(SubjectCoverage(one.id, one.title, state_of(one, states)) for one in wanted)
    shared = dict.fromkeys(
        f"{owner.id}:{name}" for one in section.subjects for owner, name in others.get(one, ())
    )
    return SectionCoverage(
        id=section.id,
        cite=section.cite,
        heading=section.heading,
        wants=section.wants,
        state=_together([one.state for one in parts]),
        subjects=parts,
        applies=tuple(framework.date(name) for name in section.applies),
        verified=section.verified,
        shared=tuple(shared),
    )


def _together(states: Sequence[str]) -> str:
    """Return the state of a section from those of its subjects."""
    if not states:
        return OUTSIDE
    if PRESENT in states:
        return PRESENT if set(states) == {PRESENT} else PARTIAL
    return MISSING if MISSING in states else ASKED
