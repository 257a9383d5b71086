"""The Project page in the real window: what was found, changed by a click, used everywhere."""

from __future__ import annotations

from pathlib import Path

from onnx import TensorProto, helper
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from studio.gui.forms.project_editor import ProjectEditor
from studio.gui.pages.deploy.page import DeployPage
from studio.gui.pages.project.page import ProjectPage
from studio.gui.pages.quantize.page import QuantizePage
from studio.gui.widgets.basics import ElidedLabel
from studio.gui.window.main_window import MainWindow
from tests.gui.page_rig import visible_texts
from tests.gui.pages.project.conftest import JOB_MS, opened


def entries(page: ProjectPage, field: str) -> dict[str, QMenu]:
    menu = page.table.buttons[field].menu()
    menu.aboutToShow.emit()
    return {action.text(): action for action in menu.actions() if action.text()}


def settled(page: ProjectPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not page.strip.running, timeout=JOB_MS)


def _other_model() -> bytes:
    """A model with three outputs and no data."""
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "other",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
    )
    opset = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())


def form_value(window: MainWindow, stage: str, name: str) -> object:
    window.go(stage)
    page = window.page()
    assert isinstance(page, QuantizePage | DeployPage)
    return page.form.fields[name].editor.value()


def test_all_is_found_and_used_without_a_click(
    window: MainWindow, page: ProjectPage, folder: Path
) -> None:
    assert page.state.text() == "5 of 5 ready"
    texts = visible_texts(page)
    assert "Classification" in texts
    assert "labels.txt" in texts
    assert page.primary is not None
    assert page.primary.text() == "Optimize"
    assert form_value(window, "quantize", "data") == str(folder / "calibration.npz")
    assert form_value(window, "quantize", "eval_data") == str(folder / "heldout.npz")
    assert form_value(window, "deploy", "labels") == str(folder / "labels.txt")
    assert form_value(window, "deploy", "preprocess") == str(folder / "preprocess.toml")


def test_a_value_is_changed_by_its_menu_and_given_back(
    window: MainWindow, page: ProjectPage, qtbot: QtBot
) -> None:
    entries(page, "metric")["F1"].trigger()
    settled(page, qtbot)
    qtbot.waitUntil(lambda: "f1" in visible_texts(page))
    assert window.project.value is not None
    assert window.project.value.metric == "f1"
    entries(page, "metric")["Remove this choice"].trigger()
    settled(page, qtbot)
    qtbot.waitUntil(lambda: "top1" in visible_texts(page))
    assert "Remove this choice" not in entries(page, "metric")


def test_a_contradiction_stands_below_its_row_and_is_not_used(
    window: MainWindow, qtbot: QtBot, folder: Path
) -> None:
    (folder / "labels.txt").write_text("cat\ndog\n")
    page = opened(window, qtbot, folder / "digits.onnx")
    assert page.state.text() == "4 of 5 ready"
    assert "The labels have 2 names, and the model 10 classes." in visible_texts(page)
    assert form_value(window, "deploy", "labels") is None


def test_nothing_leaks_into_the_next_model(
    window: MainWindow, page: ProjectPage, qtbot: QtBot, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "perceptron.onnx"
    other.parent.mkdir()
    other.write_bytes(_other_model())
    assert form_value(window, "quantize", "data") is not None
    page = opened(window, qtbot, other)
    assert page.state.text() == "0 of 5 ready"
    assert form_value(window, "quantize", "data") is None
    assert form_value(window, "deploy", "labels") is None


def test_files_that_come_later_are_seen(
    window: MainWindow, page: ProjectPage, qtbot: QtBot, folder: Path
) -> None:
    (folder / "labels.txt").unlink()
    window.go("model")
    window.go("project")
    qtbot.waitUntil(lambda: page.state.text() == "4 of 5 ready", timeout=JOB_MS)
    assert "Not set. Classes are shown as numbers." in visible_texts(page)
    assert page.table.buttons["labels"].text() == "Add"


def test_change_on_another_page_leads_here(window: MainWindow, page: ProjectPage) -> None:
    window.go("quantize")
    shown = window.page()
    assert isinstance(shown, QuantizePage)
    shown.form.fields["data"].editor.change.click()  # type: ignore[attr-defined]
    assert window.page() is page


def test_without_a_model_it_says_what_to_do(window: MainWindow) -> None:
    window.go("project")
    assert "No model to describe yet" in visible_texts(window.page())


def test_held_out_data_judges_only_where_other_data_chooses(
    window: MainWindow, page: ProjectPage, qtbot: QtBot, folder: Path
) -> None:
    assert form_value(window, "quantize", "heldout_data") is None
    shown = window.page()
    assert isinstance(shown, QuantizePage)
    shown.show_options()
    shown.sheet.show_view(1)
    assert shown.form._more is not None
    shown.form._more.unfold()
    editor = shown.form.fields["heldout_data"].editor
    assert isinstance(editor, ProjectEditor)
    qtbot.waitUntil(editor.isVisible)
    assert editor.text.full_text() == "Used as evaluation data"
    (folder / "calibration.npz").rename(folder / "evaluation.npz")
    opened(window, qtbot, folder / "digits.onnx")
    qtbot.waitUntil(lambda: window.project.value.evaluation is not None, timeout=JOB_MS)  # type: ignore[union-attr]
    assert form_value(window, "quantize", "eval_data") == str(folder / "evaluation.npz")
    assert form_value(window, "quantize", "heldout_data") == str(folder / "heldout.npz")


def test_no_sentence_about_a_missing_value_is_cut(
    window: MainWindow, page: ProjectPage, qtbot: QtBot
) -> None:
    window.resize(1280, 800)
    found = page.table.findChildren(ElidedLabel)
    sentences = [one for one in found if one.full_text().startswith("Not set. ")]
    assert any("groups" in one.full_text() for one in sentences)
    qtbot.waitUntil(lambda: all(one.text() == one.full_text() for one in sentences))


def test_a_path_longer_than_the_header_is_shortened_in_its_middle(
    window: MainWindow, qtbot: QtBot, folder: Path
) -> None:
    window.resize(960, 600)
    deep = folder.parent.joinpath(*["models of the north"] * 6)
    deep.parent.mkdir(parents=True)
    path = folder.rename(deep) / "digits.onnx"
    page = opened(window, qtbot, path)
    (note,) = (
        each for each in page.header.findChildren(ElidedLabel) if each.full_text() == str(path)
    )
    qtbot.waitUntil(lambda: note.text().endswith("digits.onnx"))
    assert note.text() != str(path)
    assert note.fontMetrics().horizontalAdvance(note.text()) <= note.width()
    page.set_note("/short.onnx")
    qtbot.waitUntil(lambda: note.text() == "/short.onnx")
    page.set_note(str(path))
    qtbot.waitUntil(lambda: note.text().endswith("north/digits.onnx"))
