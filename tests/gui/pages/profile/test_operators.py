"""The operators of a profile: by type and by node, on the timeline, and in the graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.documents.dataclass_json import from_json
from studio.gui.charts.timeline import Bar, Timeline
from studio.gui.pages.profile import operator_rows
from studio.gui.pages.profile.operators_card import BY_NODE, BY_TYPE
from studio.gui.pages.profile.page import ProfilePage
from studio.profiling.results import OperatorTimes
from studio.registry import VariantRecord
from studio.workspace import NodeAsked, NodeTimeAsked
from tests.gui.page_rig import Rig, opened, visible_texts
from tests.gui.pages.profile.test_page import RESULT, run, verdict


def node(name: str, operator: str, us: float, start: float | None, **more: Any) -> dict[str, Any]:
    made = {"name": name, "operator": operator, "us": us, "kernels": [operator], **more}
    return made if start is None else {**made, "start_us": start}


def times(name: str, *nodes: dict[str, Any]) -> dict[str, Any]:
    total = sum(each["us"] for each in nodes)
    return {"run": f"digits:{name}", "total_us": total, "nodes": list(nodes), "overhead": 0.04}


FP32 = times("fp32", node("conv2", "Conv", 6000, 3000), node("conv1", "Conv", 2000, 0))
INT8 = times(
    "int8",
    node("conv2", "Conv", 3000, 2000, kernels=["QLinearConv"]),
    node("conv1", "Conv", 1000, 500),
    node("quantize", "QuantizeLinear", 500, 0),
)


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def profiled(rig: Rig, operators: list[dict[str, Any]]) -> tuple[VariantRecord, VariantRecord]:
    first = rig.variant()
    second = rig.variant("int8", first)
    runs = [run("fp32", 20.0, variant_id=first.id), run("int8", 11.0, variant_id=second.id)]
    verdicts = [verdict("int8", "faster", 0.54, 0.53, 0.56)]
    document = {**RESULT, "runs": runs, "verdicts": verdicts, "operators": operators}
    rig.registry.add_run("profile", first.id, {"models": [first.id, second.id]}, document)
    return first, second


def test_types_are_summed_and_held_against_the_baseline() -> None:
    mine, baseline = from_json(OperatorTimes, INT8), from_json(OperatorTimes, FP32)
    conv, quantize = operator_rows.by_type(mine, baseline)
    assert conv.texts == ("Conv", "2", "4.00", "88.9 %", "0.50", "QLinearConv, Conv")
    assert conv.token == "op_convolution"
    assert mine.nodes[conv.node].name == "conv2", "its slowest node"
    assert quantize.texts[4] == operator_rows.NEW
    assert [row.texts[4] for row in operator_rows.by_node(baseline, baseline)] == ["—", "—"]


def test_nodes_of_blocks_lead_to_the_node_around_them() -> None:
    document = times("fp32", node("conv", "Conv", 5, 0, within=["loop"]))
    found = from_json(OperatorTimes, document)
    (row,) = operator_rows.by_node(found, None)
    assert row.texts[0] == "loop/conv"
    assert operator_rows.position_of(found, "loop") == 0
    assert operator_rows.position_of(found, "other") == -1


def test_the_page_shows_the_operators_of_the_selected_run(rig: Rig) -> None:
    first, _ = profiled(rig, [FP32, INT8])
    page = rig.page(ProfilePage, first)
    card = page.results.operators.table
    assert card.about.full_text() == "int8, 3 nodes, 4.50 ms"
    assert [row.texts[0] for row in card.tables[BY_TYPE].content.rows] == ["Conv", "QuantizeLinear"]
    description = page.results.operators.timeline.chart.accessibleDescription()
    assert description.startswith("3 nodes in 5 ms. Longest: conv2 3 ms")
    assert "profiling adds 4 %" in page.results.operators.timeline.about.full_text()
    page.results.table.selectRow(0)
    assert card.about.full_text() == "fp32, 2 nodes, 8.00 ms"
    assert card.tables[BY_TYPE].isColumnHidden(4), "the baseline has nothing to be held against"


def test_a_row_leads_to_its_node_in_the_graph(rig: Rig, qtbot: QtBot) -> None:
    first, second = profiled(rig, [FP32, INT8])
    page = rig.page(ProfilePage, first)
    asked: list[object] = []
    rig.workspace.events.subscribe(asked.append)
    card = page.results.operators.table
    assert not card.to_graph.isEnabled()
    card.tables[BY_TYPE].selectRow(0)
    card.to_graph.click()
    assert rig.shell.selected == [second.id]
    assert rig.shell.went == ["model"]
    qtbot.wait_until(lambda: asked == [NodeAsked("conv2")])


def test_table_and_timeline_have_one_selection(rig: Rig) -> None:
    first, _ = profiled(rig, [FP32, INT8])
    page = rig.page(ProfilePage, first)
    views = page.results.operators
    views.timeline.chart.picked.emit(1)
    assert views.table.mode.index() == BY_NODE
    assert views.table.tables[BY_NODE].selected() == 1
    chosen = views.table.selected()
    assert chosen is not None
    assert chosen.texts[0] == "conv1"


def test_the_graph_asks_for_the_time_of_a_node(rig: Rig) -> None:
    first, _ = profiled(rig, [FP32, INT8])
    page = rig.page(ProfilePage, first)
    page.on_event(NodeTimeAsked("conv1"))
    assert page.results.selected_key() == "digits:fp32", "the run of the current variant"
    chosen = page.results.operators.table.selected()
    assert chosen is not None
    assert chosen.texts[0] == "conv1"


def test_why_there_are_no_operators(rig: Rig) -> None:
    first, _ = profiled(rig, [])
    page = rig.page(ProfilePage, first)
    assert "Tick Operators in the settings" in visible_texts(page)


def test_a_runtime_without_operators_and_one_without_starts(rig: Rig) -> None:
    unknown = times("int8", node("conv1", "Conv", 1000, None))
    first, _ = profiled(rig, [unknown])
    page = rig.page(ProfilePage, first)
    assert "No start times of nodes" in visible_texts(page)
    page.results.table.selectRow(0)
    assert "reports no times of its operators" in visible_texts(page)


def test_a_bar_can_be_clicked_anywhere_and_zoomed(rig: Rig, qtbot: QtBot) -> None:
    first, _ = profiled(rig, [FP32, INT8])
    page = rig.page(ProfilePage, first)
    card = page.results.operators.timeline
    card.chart.grab()  # which paints it
    (bar,) = (spot for spot in card.chart.spots if spot.key == 0)
    edge = card.chart.rect().topLeft()
    edge.setX(round((bar.x + 0.9 * bar.half_width) * card.chart.width()))
    edge.setY(round((bar.y - 0.9 * bar.half_height) * card.chart.height()))
    with qtbot.waitSignal(card.node_selected) as picked:
        qtbot.mouseClick(card.chart, Qt.MouseButton.LeftButton, pos=edge)
    assert picked.args == [0]
    card.closer.click()
    card.chart.grab()
    assert card.whole.isEnabled()
    (closer,) = (spot for spot in card.chart.spots if spot.key == 0)
    assert closer.half_width > bar.half_width
    card.whole.click()
    assert not card.whole.isEnabled()


def test_zoom_stays_within_the_inference() -> None:
    bars = (
        Bar("a", "Conv", 0.0, 1.0, "op_convolution", 0),
        Bar("b", "Add", 1.0, 9.0, "op_other", 1),
    )
    first = Timeline(bars, selected=0).zoomed(closer=True)
    assert first.view == (0.0, 0.5)
    last = Timeline(bars, selected=1).zoomed(closer=True)
    assert last.view == pytest.approx((0.3, 0.8))
    assert last.zoomed(closer=False).view == (0.0, 1.0)
    assert Timeline(bars).tooltip(1).startswith("b\nAdd, 9 ms, starts at 1 ms")
