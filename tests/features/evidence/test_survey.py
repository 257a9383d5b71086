"""Evidence as the window reads it: states, notes, samples, pictures, and the table of models."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.features.evidence.survey.facade import Evidence
from studio.features.evidence.survey.models import read_models
from studio.workspace import VariantRecord, Workspace
from tests.rigs.evidence_results import explain_result, groups_result, record


@pytest.fixture
def workspace(studio_home: Path) -> Iterator[Workspace]:
    with Workspace.open(studio_home) as made:
        yield made


@pytest.fixture
def variant(workspace: Workspace, tmp_path: Path) -> VariantRecord:
    path = tmp_path / "digits.onnx"
    path.write_bytes(b"digits" * 50)
    registry = workspace.registry
    return registry.add_variant(
        registry.add_model("digits"),
        "fp32",
        registry.adopt(path),
        format="onnx",
        precision="fp32",
        options={},
        summary={},
        graph=None,
    )


def test_each_subject_is_in_one_group_of_each_document(
    workspace: Workspace, variant: VariantRecord
) -> None:
    found = workspace.service(Evidence).survey(variant)
    for groups in (found.overview, found.chapters):
        names = [name for group in groups for name in group.sections]
        assert sorted(names) == sorted(set(names))
    assert {name for group in found.chapters for name in group.sections} == set(found.sections)
    on_card = {name for group in found.card for name in group.sections}
    assert on_card <= set(found.sections)


def test_measurements_make_sections_present(
    workspace: Workspace, variant: VariantRecord, tmp_path: Path
) -> None:
    before = workspace.service(Evidence).survey(variant)
    assert before.sections["quality.groups"].state == "missing"
    explained = explain_result(tmp_path / "maps.npz")
    record(workspace.registry, variant, tmp_path, groups_result(), explained)
    found = workspace.service(Evidence).survey(variant)
    changed = {
        name
        for name, one in found.sections.items()
        if one.state == "present" and before.sections[name].state != "present"
    }
    assert changed == {
        "data.evaluation",
        "explanations",
        "quality.calibration",
        "quality.groups",
        "quality.metrics",
        "quality.robustness",
    }
    assert found.sections["quality.groups"].note.startswith("measured 20")
    (table,) = found.sections["quality.groups"].tables
    assert table.rows[1][0] == "device: portable"
    assert found.by == ("device",)


def test_requests_and_answers_are_in_the_survey(
    workspace: Workspace, variant: VariantRecord
) -> None:
    workspace.service(Evidence).forms.request("digits", "oversight.human", "Ward lead")
    asked = workspace.service(Evidence).survey(variant).sections["oversight.human"]
    assert asked.requested[0] == "Ward lead"
    assert asked.is_open
    workspace.service(Evidence).forms.answer("digits", "oversight.human", "The ward lead.", "Ada")
    answered = workspace.service(Evidence).survey(variant).sections["oversight.human"]
    assert answered.requested == ("", "")
    assert answered.answer == "The ward lead."
    assert not answered.is_open


def test_the_next_open_section_follows_the_selected_one(
    workspace: Workspace, variant: VariantRecord
) -> None:
    found = workspace.service(Evidence).survey(variant)
    first = found.next_open()
    assert first is not None
    assert first.id == "provider.identity"
    after = found.next_open("quality.groups")
    assert after is not None
    assert after.id == "data.bias"
    last = found.overview[-1].sections[-1]
    assert found.next_open(last) is not None


def test_samples_are_those_of_the_newest_measurement(
    workspace: Workspace, variant: VariantRecord, tmp_path: Path
) -> None:
    assert workspace.service(Evidence).samples(variant.id).rows == ()
    record(workspace.registry, variant, tmp_path, groups_result())
    found = workspace.service(Evidence).samples(variant.id)
    assert [one.name for one in found.rows] == ["#0", "#1", "#2", "#3"]
    assert [one.name for one in found.misses("device", "portable")] == ["#3"]
    assert found.misses("device", "fixed") == ()
    assert found.chosen[2] == "3"


def test_pictures_have_their_maps(tmp_path: Path, workspace: Workspace) -> None:
    result = explain_result(tmp_path / "maps.npz")
    found = workspace.service(Evidence).pictures(result)
    picture = found["sample-0"]
    assert (picture.width, picture.height, len(picture.pixels)) == (4, 3, 36)
    assert set(picture.maps) == {"sample-0", "sample-0-int8", "sample-0-shuffled"}
    assert picture.maps["sample-0"][0] == 0, "what lowers the score has no colour"
    assert picture.maps["sample-0"][-1] == 255
    (tmp_path / "maps.npz").write_bytes(b"none")
    with pytest.raises(ValueError, match="pickle"):
        workspace.service(Evidence).pictures(result)


def test_the_table_of_models_counts_like_the_survey(
    workspace: Workspace, variant: VariantRecord, tmp_path: Path
) -> None:
    record(workspace.registry, variant, tmp_path, groups_result(required=0.85))
    workspace.service(Evidence).forms.answer("digits", "incidents", "None so far.", "Ada")
    workspace.registry.add_run("evidence", variant.id, {}, {})
    (line,) = workspace.service(Evidence).models()
    found = workspace.service(Evidence).survey(variant)
    assert line.present == found.count("present")
    assert line.open == sum(one.is_open for one in found.sections.values())
    assert line.is_below
    assert line.incidents is None
    assert line.overrides is None
    assert line.evidence
    assert (line.worst_group, line.worst, line.ece) == ("device: portable", 0.8, 0.03)


def test_the_table_of_models_has_open_incidents_with_the_nearest_deadline(
    workspace: Workspace, variant: VariantRecord
) -> None:
    today = datetime.now(UTC).date()
    files = workspace.service(Evidence).incidents
    for kind, aware in (("health", 0), ("death", 3), ("not-serious", 0)):
        day = (today - timedelta(days=aware)).isoformat()
        files.open("digits", kind, "x", "Ada", day, day, kind)
    (line,) = workspace.service(Evidence).models()
    assert (line.incidents, line.days_left) == (3, 7)
    files.add("digits", 2, "close", "A lamp.", "Ada")
    (line,) = workspace.service(Evidence).models()
    assert (line.incidents, line.days_left) == (2, 15)
    found = workspace.service(Evidence).survey(variant)
    assert [one.number for one in found.incidents] == [1, 2, 3]
    assert found.sections["incidents"].state == "asked"
    assert found.sections["incidents"].tables[-1].rows[0][1] == "health"


def test_a_damaged_file_of_incidents_leaves_the_table_of_models(
    workspace: Workspace, variant: VariantRecord
) -> None:
    file = workspace.service(Evidence).incidents.file("digits")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{", encoding="utf-8")
    (line,) = workspace.service(Evidence).models()
    assert line.incidents_problem
    assert line.incidents is None
    with pytest.raises(StudioError, match="is not a file of incidents"):
        workspace.service(Evidence).survey(variant)


def test_recorded_overrides_of_a_model_are_added(
    workspace: Workspace, variant: VariantRecord
) -> None:
    forms = workspace.service(Evidence).forms
    (line,) = read_models(workspace.registry, forms, lambda model: [len(model), 2])
    assert line.overrides == len("digits") + 2


def test_a_damaged_form_leaves_the_table_of_models(
    workspace: Workspace, variant: VariantRecord
) -> None:
    file = workspace.service(Evidence).forms.file("digits")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{", encoding="utf-8")
    (line,) = workspace.service(Evidence).models()
    assert line.open == 37
