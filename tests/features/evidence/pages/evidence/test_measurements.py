"""Explanations and groups on the Evidence page, as they were recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.features.evidence.pages.evidence.explanation_tiles import SHUFFLED
from studio.features.evidence.pages.evidence.explanations_card import ExplanationsCard
from studio.features.evidence.pages.evidence.group_findings import below, findings
from studio.features.evidence.pages.evidence.groups_card import GroupsCard, intervals
from studio.features.evidence.pages.evidence.page import (
    EXPLANATIONS_VIEW,
    GROUPS_VIEW,
    EvidencePage,
)
from studio.features.evidence.pages.evidence.quality_cards import heat_of
from studio.features.evidence.survey.views import MeasuredSamples
from studio.gui.charts.chart import Chart
from studio.gui.theme import Theming
from studio.workspace import VariantRecord
from tests.gui.page_rig import Rig, texts, visible_texts
from tests.rigs.evidence_results import explain_result, groups_result, robustness_result


def test_explained_samples_are_marked_right_or_wrong(measured: EvidencePage) -> None:
    tiles = measured.explanations.tiles.tiles
    assert [one.sample.name for one in tiles] == ["#2", "#3"]
    assert "✓ right" in visible_texts(tiles[0])
    assert "✗ wrong: 3" in visible_texts(tiles[1])
    assert tiles[1].accessibleName() == "Sample #3: class 1, score 0.90, ✗ wrong: 3"


def test_maps_are_drawn_over_their_pictures(measured: EvidencePage) -> None:
    picture = measured.explanations.tiles.tiles[0].picture
    assert picture is not None
    assert picture.shown_map == "sample-0"
    measured.explanations.overlay.setValue(100)
    drawn = picture.grab().toImage()
    measured.explanations.overlay.setValue(0)
    plain = picture.grab().toImage()
    middle = drawn.width() // 2, drawn.height() - 8
    assert plain.pixelColor(*middle) == QColor(80, 80, 80)
    assert drawn.pixelColor(*middle) != plain.pixelColor(*middle)


def test_the_map_of_another_variant_can_be_chosen(measured: EvidencePage) -> None:
    card = measured.explanations
    names = [card.map.itemText(place) for place in range(card.map.count())]
    assert names == ["digits:fp32", "digits:int8", "shuffled weights"]
    card.map.setCurrentIndex(1)
    picture = card.tiles.tiles[0].picture
    assert picture is not None
    assert picture.shown_map == "sample-0-int8"
    card.map.setCurrentIndex(card.map.findData(SHUFFLED))
    assert picture.shown_map == "sample-0-shuffled"


@pytest.mark.parametrize(
    ("passed", "word"), [(True, "✓ Sanity check passed"), (False, "✗ Sanity check failed")]
)
def test_the_sanity_check_is_told(qtbot: QtBot, tmp_path: Path, passed: bool, word: str) -> None:
    card = ExplanationsCard(Theming("light"))
    qtbot.addWidget(card)
    result = explain_result(tmp_path / "maps.npz", passed=passed)
    card.show_result(result, "2026-11-30T10:00:00+00:00", {}, MeasuredSamples())
    assert card.sanity.text().startswith(word)
    assert "digits:int8: rank correlation 0.90" in card.sanity.text()


def test_rows_are_bars_and_need_no_file(qtbot: QtBot, tmp_path: Path) -> None:
    card = ExplanationsCard(Theming("light"))
    qtbot.addWidget(card)
    card.resize(900, 500)
    card.show()
    card.show_result(explain_result(tmp_path / "maps.npz", rows=True), "", {}, MeasuredSamples())
    QApplication.processEvents()
    chart = card.tiles.tiles[0].findChild(Chart)
    assert chart is not None
    assert chart.accessibleDescription() == "Largest shares: age +0.3, weight -0.1."
    assert not card.overlay.isVisible()


def test_typical_and_worst_samples_are_explained(measured: EvidencePage, rig: Rig) -> None:
    measured.explain_samples()
    options = rig.shell.jobs[-1].options
    assert options["sample"] == list(measured.loader.samples.chosen)
    assert options["sample"][2] == "3", "the wrong one is the first of the worst"


def test_without_groups_no_sample_is_the_worst(page: EvidencePage) -> None:
    page.explaining.choice.setCurrentIndex(0)
    assert not page.explaining.explain.isEnabled()
    assert page.explaining.explain.toolTip().startswith("Measure the groups first")


def test_a_lost_file_of_maps_leaves_the_scores(
    rig: Rig, variant: VariantRecord, measured: EvidencePage, tmp_path: Path
) -> None:
    (tmp_path / "maps.npz").unlink()
    page = rig.page(EvidencePage, variant)
    assert [one.sample.name for one in page.explanations.tiles.tiles] == ["#2", "#3"]
    assert page.loader.pictures == {}


# Groups


def test_a_group_below_the_required_figure_is_marked(measured: EvidencePage) -> None:
    card = measured.groups
    assert "No required figure" in visible_texts(card)
    card.required.setText("85")
    card.required.editingFinished.emit()
    shown = visible_texts(card)
    assert "⚠ One group below limit" in shown
    assert "portable: 80.0 % [75.0–85.0], required 85.0 %." in shown
    drawing = intervals(groups_result(), 0.85)
    assert [one.name for one in drawing.rows if one.is_below] == ["portable"]
    assert "portable 80.0 %, below the required figure" in drawing.description()


def test_the_required_figure_stays_with_the_model(
    measured: EvidencePage, rig: Rig, variant: VariantRecord
) -> None:
    measured.groups.required.setText("85")
    measured.groups.required.editingFinished.emit()
    assert measured.grouping.card.required.text() == "85"
    again = rig.page(EvidencePage, variant)
    assert again.groups.limit() == 0.85


def test_groups_that_reach_the_figure_are_good() -> None:
    first = next(findings(groups_result(), 0.7))
    assert first.tone == "good"
    assert first.title == "✓ No group below limit"
    assert below(groups_result(), 0.7) == ()


def test_no_significant_difference_is_said_too() -> None:
    found = {one.title: one.text for one in findings(groups_result(4), None)}
    text = found["No significant difference"]
    assert "device: largest gap portable, −10.0 pt [−14.0, −6.0]." in text
    assert "age: largest gap" in text


def test_misses_of_a_group_are_listed_and_explained(measured: EvidencePage, rig: Rig) -> None:
    measured.groups.misses.emit("device", "portable")
    assert measured.stack.currentIndex() == GROUPS_VIEW
    card = measured.grouping.misses
    assert card.title.text() == "device: portable: 1 miss"
    assert texts(card.table) == [["#3", "3", "9", "0.60"]]
    card.explain.click()
    assert measured.stack.currentIndex() == EXPLANATIONS_VIEW
    assert rig.shell.jobs[-1].options["sample"] == ["3"]


def test_another_metric_is_measured(measured: EvidencePage, rig: Rig) -> None:
    card = measured.groups
    place = next(at for at in range(card.metrics.count()) if card.metrics.itemData(at) == "top5")
    card.metrics.setCurrentIndex(place)
    card.metrics.activated.emit(place)
    assert rig.shell.jobs[-1].step == "groups"
    assert rig.shell.jobs[-1].options["metric"] == "top5"
    assert rig.shell.jobs[-1].options["by"] == ["device"]


def test_calibration_and_robustness_have_their_charts(measured: EvidencePage) -> None:
    text = measured.grouping.calibration.text.text()
    assert text.startswith("Expected calibration error 0.030 [0.010, 0.050].")
    chart = measured.grouping.calibration.chart
    assert "Calibration: expected error 0.030" in chart.accessibleDescription()
    heat = heat_of(robustness_result())
    assert heat.severities == (1, 3)
    assert [one.name for one in heat.lines] == ["gaussian noise", "defocus"]
    assert heat.description() == "Clean 95%. Lowest: gaussian noise 70%, defocus 60%."
    assert "95.0% clean" in measured.grouping.robustness.text.text()


def test_empty_cards_say_what_comes_and_what_to_do(page: EvidencePage) -> None:
    assert "Groups not measured yet" in visible_texts(page.groups)
    assert "Nothing explained yet" in visible_texts(page.explanations)
    page.groups.hint.button.click()
    assert page.stack.currentIndex() == GROUPS_VIEW


def test_a_chart_can_be_read_without_a_picture(qtbot: QtBot) -> None:
    card = GroupsCard(Theming("light"))
    qtbot.addWidget(card)
    card.show_result(groups_result(), "2026-11-30T10:00:00+00:00")
    assert card.chart.accessibleDescription().startswith("Top-1 accuracy. All 90.0 %; fixed 95.0 %")
