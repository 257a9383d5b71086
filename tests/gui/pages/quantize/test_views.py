"""The parts of the Optimize page: preset in two views, the look ahead, layers, samples."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.datasets.results import DataPreview, DataProblem
from studio.documents.dataclass_json import from_json
from studio.gui.charts.chart import Chart
from studio.gui.charts.histogram import Histogram
from studio.gui.charts.tradeoff import Point, Tradeoff
from studio.gui.pages.quantize.layers_view import LayersView
from studio.gui.pages.quantize.page import AHEAD, LAYERS, LINEAGE, QuantizePage
from studio.gui.pages.quantize.preset_editor import PresetEditor
from studio.gui.pages.quantize.rows import tradeoff
from studio.gui.pages.quantize.run_state import StageProgress
from studio.gui.pages.quantize.samples_view import SamplesView
from studio.gui.theme import Theming
from studio.jobs import End
from studio.quantization.results import (
    ComparedSample,
    LayerDetail,
    PreflightResult,
    SpeedupOutlook,
    ValueHistogram,
)
from studio.workspace import JobOutcome, NodeAsked
from tests.gui.page_rig import Rig, opened, visible_texts

LAYER = {
    "name": "conv",
    "operator": "Conv",
    "precision": "int8",
    "why": "",
    "weights": {"low": -1.0, "high": 0.5, "counts": [1, 3, 2], "range": [-1.0, 1.0]},
    "activations": {"low": 0.0, "high": 9.0, "counts": [5, 0, 1], "range": [0.0, 6.0]},
}
KEPT = {"name": "head", "operator": "Gemm", "precision": "float", "why": "asked for"}
LAYERS_FOUND = from_json(tuple[LayerDetail, ...], [LAYER, KEPT])


def sample(name: str, state: str, before: str, after: str) -> dict[str, Any]:
    said = [
        {"kind": "classes", "classes": [{"label": x, "index": 0, "score": 0.9}]}
        for x in (before, after)
    ]
    drawn = {"kind": "curve", "values": [0.0, 1.0, 0.5, 0.2], "lines": ["x: 4, 0 to 1"]}
    return {
        "name": name,
        "state": state,
        "label": before,
        "sqnr_db": 11.0,
        "input": drawn,
        "before": said[0],
        "after": said[1],
    }


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


@pytest.fixture
def editor(rig: Rig, qtbot: QtBot) -> PresetEditor:
    editor = PresetEditor(rig.workspace, rig.shell.theming)
    qtbot.addWidget(editor)
    return editor


# The preset


def test_the_form_writes_into_the_text_and_leaves_the_rest_alone(editor: PresetEditor) -> None:
    before = editor.text
    assert "# " in before
    assert editor.form is not None
    editor.form.set_values({"samples": 32, "keep": ["head", "conv*"]})
    assert editor.text == before.replace("samples = 128", "samples = 32").replace(
        "per_channel = true\n", 'per_channel = true\nkeep = ["head", "conv*"]\n'
    )
    assert editor.source.toPlainText() == editor.text
    assert editor.option_value() == editor.text
    editor.choose("int8")
    assert editor.option_value() == "int8"


def test_the_text_writes_into_the_form(editor: PresetEditor, qtbot: QtBot) -> None:
    with qtbot.waitSignal(editor.changed):
        editor.source.setPlainText(editor.text.replace("samples = 128", "samples = 7"))
    assert editor.form is not None
    assert editor.form.values()["samples"] == 7
    assert editor.check()


def test_a_wrong_line_is_marked_and_said(editor: PresetEditor, qtbot: QtBot) -> None:
    good = editor.text
    with qtbot.waitSignal(editor.changed):
        editor.source.setPlainText(good.replace("calibration =", "calibraton ="))
    assert "line 7, column 1: unknown key 'calibraton'" in editor.complaint.text()
    (mark,) = editor.source.extraSelections()
    assert mark.cursor.blockNumber() == 6
    assert not editor.check()
    assert editor.views.index() == 1  # where it can be mended
    assert not editor.keep.isEnabled()
    with qtbot.waitSignal(editor.changed):
        editor.source.setPlainText(good)
    assert editor.check()
    assert not editor.source.extraSelections()


def test_another_preset_brings_its_own_form(editor: PresetEditor) -> None:
    editor.choose("int4-weights")
    assert editor.form is not None
    assert editor.form.values()["bits"] == "4"
    assert "calibration" not in editor.form.fields
    assert "no data needed" in editor.summary.text()


def test_a_preset_of_ones_own_is_saved_and_offered(editor: PresetEditor, rig: Rig) -> None:
    assert editor.keep.toolTip() == "Enter a name first."
    editor.name.setText("int8")
    editor.keep.click()
    assert "ships with the studio" in editor.saved.text()
    editor.name.setText("mine")
    editor.keep.click()
    assert "studio quantize --preset mine" in editor.saved.text()
    assert editor.combo.currentData() == "mine"
    assert rig.workspace.presets.find("mine").text == editor.text


# Ahead of the work


def test_the_look_ahead_says_what_the_data_hold(rig: Rig, tmp_path: Path, qtbot: QtBot) -> None:
    page = rig.page(QuantizePage, rig.variant())
    page.form.set_values({"data": str(tmp_path)})
    qtbot.waitUntil(lambda: bool(rig.shell.jobs))
    (job,) = rig.shell.jobs
    assert (job.step, job.options["data"]) == (AHEAD, str(tmp_path))
    found = {
        "count": 12,
        "inputs": [{"name": "image", "found": "float32 1×1×8×8"}],
        "labels": {"kind": "class", "different": 3},
        "samples": [{"name": "#0", "label": "1", "input": {"kind": "text", "lines": ["x"]}}],
    }
    outlook = SpeedupOutlook(
        (), None, 0.3, 0.4, False, "Yes: about 0.30 to 0.40 of the float time."
    )
    result = PreflightResult(from_json(DataPreview, found), None, outlook)
    rig.finish(page, JobOutcome(End.SUCCEEDED, "", result))
    shown = visible_texts(page.ahead)
    assert "12 samples, fits: image float32 1×1×8×8; 3 different classes." in shown
    assert "Yes: about 0.30 to 0.40" in shown
    assert "Add labelled samples" in shown


def test_data_that_do_not_fit_are_said_before_the_work(rig: Rig, qtbot: QtBot) -> None:
    page = rig.page(QuantizePage, rig.variant())
    qtbot.waitUntil(lambda: bool(rig.shell.jobs))
    problem = DataProblem("Input 'image' has data of shape 4×9×9.", "Give others.")
    rig.finish(page, JobOutcome(End.SUCCEEDED, "", PreflightResult(problem)))
    assert "has data of shape 4×9×9" in visible_texts(page.ahead)
    assert "Give others." in visible_texts(page.ahead)


def test_the_button_says_what_is_missing(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(QuantizePage, rig.variant())
    assert page.primary is not None
    assert page.primary.toolTip().startswith("Calibrated int8 needs calibration data")
    page.preset.choose("fp16")
    assert page.primary.isEnabled()
    page.preset.choose("int8")
    page.form.set_values({"data": str(tmp_path)})
    assert page.primary.isEnabled()


def test_what_was_measured_stands_beside_the_prediction(rig: Rig) -> None:
    parent = rig.variant()
    rig.variant("int8", parent, latency_ratio=0.41)
    page = rig.page(QuantizePage, parent)
    assert "Measured, time over float: int8 0.41." in visible_texts(page.ahead)


def test_one_begins_with_the_preset(rig: Rig) -> None:
    page = rig.page(QuantizePage, rig.variant())
    page.activateWindow()
    page.take_focus()
    card = page.cards.card_of(page.preset.chosen_name)
    assert card is not None
    assert page.focusWidget() is card.radio


def test_a_quantized_variant_is_not_quantized_again(rig: Rig) -> None:
    parent = rig.variant()
    page = rig.page(QuantizePage, rig.variant("int8", parent))
    page.preset.choose("fp16")
    page.run()
    assert rig.shell.jobs[-1].options["model"] == f"#{parent.id}"
    assert "2 variants from fp32" in visible_texts(page)


def test_what_a_search_has_tried_is_on_the_chart(rig: Rig) -> None:
    parent = rig.variant()
    metric = {"name": "top1", "title": "Top-1", "before": 0.99, "after": 0.98, "drop": 0.01}
    trials = [{"kept": [], "drop": 0.02, "latency_ratio": 0.4, "bytes": 5_000_000}]
    made = rig.variant(
        "int8", parent, metric=metric, latency_ratio=0.5, search={"trials": trials, "layers": {}}
    )
    found = tradeoff(rig.registry.variants(), made.id, by_latency=True)
    assert found is not None
    assert found.trials == ((0.4, pytest.approx(0.97)),)
    assert not found.is_error
    assert [point.cost for point in found.points] == [1.0, 0.5]
    by_size = tradeoff(rig.registry.variants(), made.id)
    assert by_size is not None
    assert by_size.trials[0][0] == 5.0
    assert tradeoff(rig.registry.variants(), parent.id).trials == ()


# The stages


def test_stages_are_listed_with_their_time_and_what_is_left(qtbot: QtBot) -> None:
    now = [0.0]
    stages = StageProgress(lambda: now[0])
    qtbot.addWidget(stages)
    stages.begin()
    for seconds, share, text in (
        (1.0, 0.02, "Preparing the graph"),
        (2.0, 0.1, "Calibrating (1 of 128)"),
        (4.0, 0.25, "Calibrating (90 of 128)"),
        (5.0, 0.5, "Comparing the outputs"),
    ):
        now[0] = seconds
        stages.advance(share, text)
    assert [name for name, _ in stages.rows()] == [
        "Preparing the graph",
        "Calibrating",
        "Comparing the outputs",
    ]
    assert stages.rows()[1][1] == "3.0 s"
    assert stages.left.text() == "about 5.0 s left"


# What was made


def test_layers_and_samples_are_read_from_the_file(rig: Rig, tmp_path: Path) -> None:
    parent = rig.variant()
    costs = {"conv": {"sqnr_db": 44.4, "float_us": 20.0, "int8_us": 9.5}}
    made = rig.variant("int8", parent, size_ratio=0.3, search={"layers": costs})
    details = tmp_path / "details.json"
    samples = [sample("#3", "lost", "7", "1")]
    details.write_text(json.dumps({"layers": [LAYER, KEPT], "samples": samples}))
    kept = {"details": rig.registry.adopt(details)}
    rig.registry.add_run("quantize", made.id, {}, {}, kept)
    page = rig.page(QuantizePage, parent)
    page.variants.select(made.id)
    rows = [row.texts for row in page.layers.table.content.rows]
    assert rows[0] == ("conv", "Conv", "8", "44.4", "20.0", "9.5", "")
    assert rows[1][-1] == "asked for"
    assert page.layers.costs.isHidden()
    assert [row.texts[:2] for row in page.samples.table.content.rows] == [("#3", "regressed")]
    page.variants.select(parent.id)
    assert not page.layers.table.content.rows
    page.show_view(LAYERS)
    assert "No layers to show" in visible_texts(page)


def test_a_layer_is_shown_in_the_graph(rig: Rig) -> None:
    page = rig.page(QuantizePage, rig.variant())
    heard: list[object] = []
    rig.workspace.events.subscribe(heard.append)
    page.layers.show_layers(LAYERS_FOUND, {})
    assert not page.layers.costs.isHidden(), "dashes are explained"
    page.layers.table.selectRow(1)
    page.layers.show_in_graph.click()
    assert rig.shell.went == ["model"]
    assert heard == [NodeAsked("head")]


def test_a_variant_is_held_against_its_parent(rig: Rig) -> None:
    parent = rig.variant()
    made = rig.variant("int8", parent)
    page = rig.page(QuantizePage, parent)
    assert not page.lineage.compare.isEnabled()
    page.variants.select(made.id)
    heard: list[object] = []
    rig.workspace.events.subscribe(heard.append)
    page.lineage.compare.click()
    assert rig.shell.selected == [made.id]
    assert heard == [NodeAsked("", compare=True)]


def test_histograms_of_a_layer_are_drawn_with_its_range(qtbot: QtBot) -> None:
    view = LayersView(Theming("dark"))
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show_layers(LAYERS_FOUND, {})
    view.show()
    assert "activations from 0 to 6" in visible_texts(view)
    assert view.activations.accessibleDescription().endswith("the levels span 0 to 6.")
    qtbot.waitUntil(lambda: view.activations.image() is not None)
    view.table.selectRow(1)
    assert "in float: asked for" in visible_texts(view)
    assert "No calibration data for this layer" in visible_texts(view)


def test_a_constant_value_has_a_histogram_too() -> None:
    drawing = Histogram.of("w", ValueHistogram(2.0, 2.0, (9,)))
    assert drawing.description() == "w: values from 2 to 2, in float."


def test_samples_show_both_answers(qtbot: QtBot) -> None:
    view = SamplesView(Theming("dark"))
    qtbot.addWidget(view)
    rows = [sample("#3", "lost", "7", "1"), sample("#5", "gained", "2", "2")]
    view.show_samples(from_json(tuple[ComparedSample, ...], rows))
    assert "#3, label 7" in visible_texts(view)
    assert [bars.classes[0]["label"] for bars in (a.bars for a in view.answers)] == ["7", "1"]
    view.table.selectRow(1)
    assert "improved" in visible_texts(view)
    assert view.input.values


def test_a_click_on_a_point_selects_its_variant(qtbot: QtBot) -> None:
    chart = Chart(Theming("dark"), "Quality")
    qtbot.addWidget(chart)
    chart.resize(QSize(400, 300))
    chart.show_drawing(
        Tradeoff((Point("a", 1.0, 0.9, key=11), Point("b", 2.0, 0.95, key=12)), "MB", "top-1")
    )
    with qtbot.waitSignal(chart.drawn):
        chart.show()
    spot = next(spot for spot in chart.spots if spot.key == 12)
    place = QPoint(round(spot.x * chart.width()), round(spot.y * chart.height()))
    with qtbot.waitSignal(chart.picked) as picked:
        qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=place)
    assert picked.args == [12]
    with qtbot.assertNotEmitted(chart.picked):
        qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))


def test_every_view_of_the_page_has_something_to_say_without_a_model(rig: Rig) -> None:
    page = rig.page(QuantizePage)
    for index in range(LINEAGE, 5):
        page.show_view(index)
        assert "No model to optimize yet" in visible_texts(page)
        assert [b for b in page.findChildren(QPushButton) if b.isVisibleTo(page)]
