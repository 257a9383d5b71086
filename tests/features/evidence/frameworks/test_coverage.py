"""The state of a section follows from its subjects, and frameworks share evidence."""

from __future__ import annotations

import pytest

from studio.documents.dataclass_json import from_json, to_json
from studio.features.evidence.frameworks.catalogue import framework, shipped
from studio.features.evidence.frameworks.coverage import coverage, crosswalk
from studio.features.evidence.frameworks.results import FrameworkCoverage, SectionCoverage
from studio.features.evidence.frameworks.subjects import subjects

PRESENT = dict.fromkeys(subjects(), "present")


def covered(name: str, states: dict[str, str]) -> FrameworkCoverage:
    return coverage(framework(name, shipped()), states, shipped())


def section(name: str, states: dict[str, str], of: str = "eu-ai-act") -> SectionCoverage:
    return next(one for one in covered(of, states).sections if one.id == name)


def test_without_any_evidence_nothing_is_present() -> None:
    counts = covered("eu-ai-act", {}).counts
    assert counts["present"] == 0
    assert counts["partial"] == 0
    assert counts["asked"] > 0
    assert counts["missing"] > 0


def test_with_all_evidence_every_section_is_present() -> None:
    found = covered("eu-ai-act", PRESENT)
    assert found.counts["present"] == len(found.sections)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, "missing"),
        ({"metric.choice": "present"}, "partial"),
        ({"quality.metrics": "present"}, "partial"),
        ({"quality.metrics": "present", "metric.choice": "present"}, "present"),
        ({"quality.metrics": "missing", "metric.choice": "asked"}, "missing"),
    ],
)
def test_a_section_of_a_record_and_a_question(states: dict[str, str], expected: str) -> None:
    assert section("annex-iv.4", states).state == expected


def test_a_section_of_questions_alone_is_asked() -> None:
    assert section("annex-iv.5", {}).state == "asked"


def test_a_section_about_which_nothing_is_kept_is_outside() -> None:
    assert section("clause-9.2", PRESENT, "iso-42001").state == "outside"
    assert section("govern-3.1", PRESENT, "nist-ai-rmf").state == "outside"


def test_a_word_that_is_no_state_is_an_error() -> None:
    with pytest.raises(ValueError, match="'done' is no state"):
        covered("eu-ai-act", {"intended.use": "done"})


def test_logs_are_shared_by_the_frameworks() -> None:
    shared = section("art-12", {}).shared
    assert "iso-42001:annex-a.6.2.8" in shared
    assert "nist-ai-rmf:measure-2.8" in shared
    assert "us-co-sb26-189:crs-1703" in shared
    assert not [name for name in shared if name.startswith("eu-ai-act:")]


def test_the_crosswalk_has_each_subject_with_all_its_sections() -> None:
    rows = {one.subject: one for one in crosswalk(shipped())}
    assert set(rows) == set(subjects())
    assert rows["explanations"].sections["us-co-sb26-189"] == ("crs-1704.3",)
    assert "art-14" in rows["explanations"].sections["eu-ai-act"]
    assert rows["energy"].sections["us-tx-hb149"] == ()


def test_coverage_survives_json() -> None:
    found = covered("us-tx-hb149", {"intended.use": "present"})
    assert from_json(FrameworkCoverage, to_json(found)) == found
