"""The check for a chip in the drawer: chosen, run by a real worker, listed, painted, remedied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages.model.chips.choice import remembered
from studio.gui.pages.model.chips.view import ChipView
from studio.gui.pages.model.drawer import CHIPS
from studio.gui.pages.model.page import ModelPage
from studio.gui.pages.quantize.page import QuantizePage
from studio.gui.window.main_window import MainWindow
from tests.e2e.example_toolchain import installed_studio
from tests.gui.conftest import MakeWindow, open_graph
from tests.rigs import toolchain as rig

pytestmark = [pytest.mark.slow, pytest.mark.needs("bwrap")]

JOB_MS = 60_000
CHIP = "example-chip"
OpenModel = Callable[[str], ChipView]


@pytest.fixture(scope="module")
def chip_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace's folder in which the compiler of the example plugin is installed."""
    return installed_studio(tmp_path_factory.mktemp("chips")).home / "edgewright"


@pytest.fixture
def window(
    make_window: MakeWindow, chip_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MainWindow:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(chip_home))
    (tmp_path / "home").symlink_to(chip_home)
    return make_window()


@pytest.fixture
def open_model(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> OpenModel:
    """``open_model(description)``: the tool Chips of a model that the compiler treats so."""

    def opened(description: str) -> ChipView:
        model = rig.linear_model(hidden=True)
        model.doc_string = description
        for node, name in zip(model.graph.node, ("product", "sum"), strict=True):
            node.name = name
        path = tmp_path / f"{tmp_path.name[-20:]} {description or 'plain'}.onnx"
        onnx.save(model, path)
        open_graph(window, qtbot, path)
        page_of(window).drawer.open(CHIPS)
        return page_of(window).drawer.chips.view

    return opened


def page_of(window: MainWindow) -> ModelPage:
    page = window.page()
    assert isinstance(page, ModelPage)
    return page


def choose(view: ChipView, chip: str = CHIP) -> None:
    view.combo.setCurrentIndex(view.combo.findData(chip))
    view.combo.activated.emit(view.combo.currentIndex())


def titles(view: ChipView) -> dict[str, bool]:
    """The entries of the list, and whether each can be chosen."""
    content = view.combo.model()
    return {
        content.index(at, 0).data(): bool(content.index(at, 0).flags())
        for at in range(view.combo.count())
    }


def rows(view: ChipView) -> list[tuple[str, ...]]:
    return [row.texts for row in view.answer.table.content.rows]


def check(view: ChipView, qtbot: QtBot) -> None:
    choose(view)
    assert view.check.isEnabled(), view.check.toolTip()
    view.check.click()
    assert view.strip.running
    assert not view.check.isEnabled()
    qtbot.waitUntil(lambda: not view.strip.running, timeout=JOB_MS)


def test_a_model_is_checked_and_the_verdict_is_shown_and_painted(
    open_model: OpenModel, window: MainWindow, qtbot: QtBot
) -> None:
    view = open_model("")
    assert view.hint.isVisible()
    assert view.check.toolTip() == "Choose a chip first."
    check(view, qtbot)
    answer = view.answer
    assert answer.isVisible()
    assert answer.verdict.state == ("runs", "good")
    assert answer.sentence.text() == (
        "All 2 nodes run on Example chip. Simulated, not measured on the device."
    )
    assert not answer.table.isVisible()
    assert not answer.remedies.isVisible()
    overlay = page_of(window).pane.canvas._overlay
    assert overlay is not None
    assert overlay.title == "Placement on Example chip"
    assert dict(overlay.counts) == {"on chip": 2}


def test_chips_are_listed_by_family_and_remembered_for_each_model(
    open_model: OpenModel, window: MainWindow
) -> None:
    view = open_model("first")
    entries = titles(view)
    assert not entries["Qualcomm Hexagon NPUs"]
    assert not entries["Example compiler"], "the heading of a chip without a family"
    order = list(entries)
    assert order[order.index("Example compiler") + 1] == "Example chip"
    choose(view, "nvidia-t4")
    first = window.current.variant
    assert first is not None
    view = open_model("second")
    assert view.combo.chip == ""
    choose(view)
    window.select(first.id)
    assert view.combo.chip == "nvidia-t4"
    assert remembered(window.workspace.settings, first.model_name) == "nvidia-t4"


def test_a_missing_toolchain_is_a_sentence_and_a_button(
    open_model: OpenModel, window: MainWindow
) -> None:
    view = open_model("missing")
    choose(view, "ethos-u55-128")
    assert view.state.text().startswith("Installed first: Arm Ethos-U")
    assert "2.8 GB. Licences: " in view.state.text()
    assert view.check.toolTip() == "Install the compiler first."
    assert view.install.isVisible()
    choose(view)
    assert not view.install.isVisible()
    assert not view.state.isVisible()
    assert view.check.isEnabled()


def test_a_refused_node_is_listed_and_found_in_the_graph(
    open_model: OpenModel, window: MainWindow, qtbot: QtBot
) -> None:
    view = open_model("partly")
    check(view, qtbot)
    answer = view.answer
    assert answer.verdict.state == ("runs in part", "warning")
    assert answer.sentence.text().startswith(
        "Example chip runs 1 of 2 nodes. The processor next to it runs 1."
    )
    assert rows(view) == [("Add", "sum", "no adder")]
    assert answer.remedies.isVisible()
    assert not answer.remedies.buttons, "a remedy that the user has to do"
    canvas = page_of(window).pane.canvas
    assert canvas._overlay is not None
    assert dict(canvas._overlay.counts) == {"on chip": 1, "processor": 1}
    answer.table.selectRow(0)
    assert canvas.scene is not None
    assert canvas.selected is not None
    assert canvas.scene.boxes[canvas.selected].name == "sum"
    page_of(window).colors.set_index(0)
    assert canvas._overlay is None
    answer.paint.click()
    assert canvas._overlay is not None


def test_a_preset_that_helps_is_chosen_on_the_page_optimize(
    open_model: OpenModel, window: MainWindow, qtbot: QtBot
) -> None:
    view = open_model("partly preset")
    check(view, qtbot)
    preset, keep = view.answer.remedies.buttons
    assert (preset.text(), keep.text()) == ("Optimize…", "Keep in float")
    qtbot.waitUntil(lambda: window.project.value is not None)
    keep.click()
    floats = page_of(window).drawer.floats.nodes
    qtbot.waitUntil(lambda: window.project.value.float_nodes == ("sum",), timeout=JOB_MS)
    assert floats.names == ("sum",)
    preset.click()
    page = window.page()
    assert page is not None
    assert page.stage == "quantize"
    qtbot.waitUntil(lambda: page.preset.chosen_name == "fp16", timeout=JOB_MS)
    assert page.stack.currentIndex() == 0


def test_a_preset_that_this_studio_lacks_is_said(
    open_model: OpenModel, window: MainWindow, qtbot: QtBot
) -> None:
    view = open_model("partly unknown preset")
    check(view, qtbot)
    view.answer.remedies.buttons[0].click()
    assert "This studio has no preset int8-of-tomorrow." in window.toasts.texts
    page = window.page()
    assert page is not None
    assert page.stage == "model"


@pytest.mark.parametrize("description", ["partly edit", "refused, as its sizes are open"])
def test_an_edit_that_helps_makes_a_variant(
    open_model: OpenModel, window: MainWindow, qtbot: QtBot, description: str
) -> None:
    view = open_model(description)
    check(view, qtbot)
    before = window.current.variant
    assert before is not None
    (apply,) = view.answer.remedies.buttons
    assert apply.text() == "Apply edit"
    apply.click()
    assert not apply.isEnabled()
    qtbot.waitUntil(lambda: window.current.variant.id != before.id, timeout=JOB_MS)
    after = window.current.variant
    assert after is not None
    assert (after.parent, after.step) == (before.id, "edit")
    assert view.combo.chip == CHIP
    qtbot.waitUntil(view.hint.isVisible, timeout=JOB_MS)  # it was not checked yet


def test_a_refusal_has_its_reason_and_is_read_again_later(
    open_model: OpenModel, window: MainWindow, qtbot: QtBot
) -> None:
    view = open_model("refused")
    check(view, qtbot)
    assert view.answer.verdict.state == ("refused", "bad")
    sentence = view.answer.sentence.text()
    assert sentence.startswith("Example chip refuses the model. The chip has no operator MatMul.")
    assert not view.answer.paint.isVisible()
    refused = window.current.variant
    assert refused is not None
    open_model("another")
    assert view.hint.isVisible()
    window.select(refused.id)
    qtbot.waitUntil(view.answer.isVisible, timeout=JOB_MS)
    assert view.answer.sentence.text() == sentence


def test_a_check_that_fails_is_said_where_the_result_would_be(
    open_model: OpenModel, window: MainWindow, qtbot: QtBot
) -> None:
    view = open_model("")
    choose(view)
    view.form.set_values({"input": ["4"]})
    check(view, qtbot)
    assert view.hint.isVisible()
    assert view.hint.title.text() == "The check failed"
    assert view.hint.text.text() == "'4' is not a shape. Write x=1,3,224,224."
    assert view.check.isEnabled()


def test_a_check_is_cancelled_and_can_be_started_again(
    open_model: OpenModel, window: MainWindow, qtbot: QtBot
) -> None:
    view = open_model("waits")
    choose(view)
    view.check.click()
    qtbot.waitUntil(lambda: view.strip.text.full_text() == "Placing the nodes", timeout=JOB_MS)
    assert (view.strip.bar.value(), view.strip.bar.maximum()) == (250, 1000)
    view.strip.cancel.click()
    qtbot.waitUntil(lambda: not view.strip.running, timeout=JOB_MS)
    assert view.hint.title.text() == "Check for a chip"
    assert view.check.isEnabled()


def test_a_result_of_a_model_that_was_left_is_a_message(
    open_model: OpenModel, window: MainWindow, qtbot: QtBot
) -> None:
    open_model("shown")
    shown = window.current.variant
    view = open_model("partly left")
    left = window.current.variant
    assert shown is not None
    assert left is not None
    choose(view)
    view.check.click()
    window.select(shown.id)  # at once, as a check that ends first would show its result here
    qtbot.waitUntil(lambda: not view.strip.running, timeout=JOB_MS)
    assert view.hint.isVisible()
    qtbot.waitUntil(lambda: "runs 1 of 2 nodes" in window.toasts.texts)
    window.select(left.id)
    qtbot.waitUntil(view.answer.isVisible, timeout=JOB_MS)
    assert rows(view) == [("Add", "sum", "no adder")]


def test_a_chip_is_optimized_for_with_its_preset(
    window: MainWindow, open_model: OpenModel, qtbot: QtBot
) -> None:
    view = open_model("")
    choose(view)
    assert not view.optimize.isVisible(), "the example chip names no preset"
    choose(view, "qcs8550")
    view.optimize.click()
    page = window.page()
    assert isinstance(page, QuantizePage)
    qtbot.waitUntil(lambda: page.form.fields["for"].editor.value() == "qcs8550")
    qtbot.waitUntil(lambda: page.preset.chosen_name == "int8-qnn")
    qtbot.waitUntil(lambda: page.cards.card_of("int8-qnn") is page.cards.cards[0])
    open_model("another")
    assert page.form.fields["for"].editor.value() in ("", None)
