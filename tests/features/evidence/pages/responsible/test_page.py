"""The table of all models: its columns, order, filter, and what it opens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.features.evidence.pages.responsible.model_rows import (
    COLUMNS,
    incidents_text,
    worst_text,
)
from studio.features.evidence.pages.responsible.page import ResponsiblePage
from studio.features.evidence.survey.facade import Evidence
from studio.features.evidence.survey.views import ModelEvidence
from studio.workspace import VariantRecord
from tests.gui.page_rig import Rig, opened, visible_texts
from tests.rigs.evidence_results import groups_result, record


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def add(rig: Rig, name: str, folder: Path, *, measured: bool) -> VariantRecord:
    """A model with one variant."""
    path = folder / f"{name}.onnx"
    path.write_bytes(name.encode() * 50)
    registry = rig.registry
    variant = registry.add_variant(
        registry.add_model(name),
        "fp32",
        registry.adopt(path),
        format="onnx",
        precision="fp32",
        options={},
        summary={},
        graph=None,
    )
    if measured:
        record(registry, variant, folder, groups_result(required=0.85))
    return variant


@pytest.fixture
def page(rig: Rig, tmp_path: Path) -> ResponsiblePage:
    add(rig, "ward", tmp_path, measured=True)
    add(rig, "gate", tmp_path, measured=False)
    return rig.page(ResponsiblePage)


def names(page: ResponsiblePage) -> list[str]:
    return [row.texts[0] for row in page.table.content.rows]


def texts(page: ResponsiblePage, name: str) -> dict[str, str]:
    row = next(one for one in page.table.content.rows if one.texts[0] == name)
    return dict(zip(COLUMNS, row.texts, strict=True))


def test_each_model_has_a_line(page: ResponsiblePage) -> None:
    assert names(page) == ["gate", "ward"]
    ward = texts(page, "ward")
    assert ward["Worst group"] == "device: portable"
    assert ward["Figure [95 % CI]"] == "▼ 80.0 % [75–85]"
    assert ward["ECE"] == "0.030"
    assert ward["Robustness"] == "72.0 %"
    assert ward["State"] == "not served"
    assert ward["Evidence"] == "never"
    assert texts(page, "gate")["Worst group"] == "not measured"


def test_the_number_of_sections_is_that_of_the_page(page: ResponsiblePage, rig: Rig) -> None:
    for model in page.models:
        found = rig.workspace.service(Evidence).survey(rig.registry.variant(model.variant))
        assert (model.name, model.present) == (model.name, found.count("present"))
        assert model.sections == len(found.sections)


def test_lines_are_sorted_by_a_column(page: ResponsiblePage) -> None:
    page.table.sort_by(COLUMNS.index("Sections"))
    assert names(page) == ["ward", "gate"]
    page.table.sort_by(COLUMNS.index("Sections"))
    assert names(page) == ["gate", "ward"]
    page.table.sort_by(COLUMNS.index("ECE"))
    assert names(page) == ["ward", "gate"], "one that is not known comes last"


def test_a_filter_leaves_what_matches(page: ResponsiblePage) -> None:
    page.filter.setText("portable")
    assert names(page) == ["ward"]
    assert "1 of 2 models" in visible_texts(page.header)
    page.filter.setText("nothing")
    assert names(page) == []
    assert page.primary is not None
    assert page.primary.toolTip() == "Select a model in the table."
    assert "No model matches the filter." in visible_texts(page)


def test_the_selected_model_opens_its_evidence(page: ResponsiblePage, rig: Rig) -> None:
    page.table.select(next(one.variant for one in page.models if one.name == "ward"))
    page._chosen()
    assert page.detail.heading.text() == "ward"
    assert page.primary is not None
    page.primary.click()
    assert rig.shell.selected == [next(m.variant for m in page.models if m.name == "ward")]
    assert rig.shell.went == ["evidence"]


def test_without_models_the_next_step_is_offered(rig: Rig) -> None:
    page = rig.page(ResponsiblePage)
    assert "No models yet" in visible_texts(page)
    assert "Open a model" in visible_texts(page)


def test_a_narrow_table_hides_what_the_details_have(page: ResponsiblePage) -> None:
    page.resize(876, 520)
    hidden = [name for at, name in enumerate(COLUMNS) if page.table.isColumnHidden(at)]
    assert hidden == ["Version", "Robustness", "Rollbacks", "Overrides"]
    page.resize(1196, 676)
    hidden = [name for at, name in enumerate(COLUMNS) if page.table.isColumnHidden(at)]
    assert hidden == ["Rollbacks"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "—"),
        ({"incidents": 0}, "none open"),
        ({"incidents": 2}, "2 open"),
        ({"incidents": 2, "days_left": 3}, "2 open, 3 d left"),
        ({"incidents": 1, "days_left": 0}, "1 open, due today"),
        ({"incidents": 1, "days_left": -4}, "▼ 1 open, 4 d over"),
        ({"incidents_problem": True}, "file damaged"),
    ],
)
def test_incidents_are_shown_with_the_nearest_deadline(
    given: dict[str, Any], expected: str
) -> None:
    assert incidents_text(ModelEvidence("a", 1, "fp32", None, 1, 2, 1, **given)) == expected


def test_what_was_not_recorded_is_a_dash_and_never_a_zero(page: ResponsiblePage) -> None:
    assert texts(page, "ward")["Overrides"] == "—"
    assert texts(page, "ward")["Incidents"] == "—"


def test_the_nearest_deadline_comes_first(page: ResponsiblePage, rig: Rig) -> None:
    rig.workspace.service(Evidence).incidents.open(
        "ward", "T", "x", "Ada", "2026-11-01", kind="death"
    )
    page.refresh()
    page.table.sort_by(COLUMNS.index("Incidents"))
    assert names(page) == ["ward", "gate"]
    assert texts(page, "ward")["Incidents"] == "1 open, 10 d left"


def test_a_figure_that_is_no_share_has_no_percent() -> None:
    model = ModelEvidence("a", 1, "fp32", None, 1, 2, 1, worst=3.2, low=3.0, high=3.4)
    assert worst_text(model) == "3.200"


def test_the_table_is_named_for_a_screen_reader(page: ResponsiblePage) -> None:
    assert page.table.accessibleName() == "Evidence of all models"
    assert page.table.focusPolicy() & Qt.FocusPolicy.TabFocus
