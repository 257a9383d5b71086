"""The window as a user meets it: by keyboard, by name, with errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.shell import PaletteEntry
from studio.gui.window.command_palette import SCATTERED, best, match
from studio.gui.window.main_window import MainWindow
from studio.gui.window.stages import BY_ID, STAGES
from tests.gui.conftest import DIGITS, MakeWindow, open_graph, shown_scene, visible

JOB_MS = 20_000
PAGES = [stage for stage in BY_ID if stage not in ("responsible", "welcome")]


def names(window: MainWindow) -> list[str]:
    return [
        item.accessibleName() or getattr(item, "text", str)()
        for item in visible(window, QAbstractButton)
    ]


def test_welcome_offers_to_open_and_samples(window: MainWindow, qtbot: QtBot) -> None:
    assert window.page() is not None
    assert window.page().stage == "welcome"
    assert "Open the sample Handwritten digits" in names(window)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is window.page().drop.choose)


def test_drop_opens_a_model_and_shows_its_project_then_its_graph(
    window: MainWindow, qtbot: QtBot
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(DIGITS))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier
    enter = QDragEnterEvent(QPointF(9, 9).toPoint(), copy, data, left, none.NoModifier)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), copy, data, left, none.NoModifier))
    qtbot.waitUntil(lambda: window.page().stage == "project", timeout=JOB_MS)
    qtbot.mouseClick(window.rail.buttons()[1], left)
    qtbot.waitUntil(lambda: shown_scene(window), timeout=JOB_MS)
    assert window.windowTitle() == "digits – Edgewright"
    assert [chip.text() or chip.variant.name for chip in window.topbar.chips()] == ["fp32"]
    assert window.rail.buttons()[1].accessibleName() == "Model: done, 7 nodes"


def test_bad_file_is_one_sentence_and_the_window_lives(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    bad = tmp_path / "notes.onnx"
    bad.write_text("not a model")
    window.open_model(bad)
    qtbot.waitUntil(lambda: bool(window.toasts.shown), timeout=JOB_MS)
    sentence = window.toasts.texts
    assert "notes.onnx" in sentence
    assert "Traceback" not in sentence + window.toasts.shown[0].hint.text()
    assert window.toasts.shown[0].property("tone") == "bad"
    assert window.page().stage == "welcome"
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.toasts.shown == []


@pytest.mark.slow
def test_an_error_is_gone_when_the_same_has_succeeded_since(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    bad = tmp_path / "notes.onnx"
    bad.write_text("not a model")
    window.open_model(bad)
    qtbot.waitUntil(lambda: bool(window.toasts.shown), timeout=JOB_MS)
    open_graph(window, qtbot, DIGITS)
    assert window.toasts.shown == []


@pytest.mark.slow
def test_an_error_stays_when_something_else_has_succeeded(window: MainWindow, qtbot: QtBot) -> None:
    window.toasts.show_message("It failed.", "bad", about="another.work:failed")
    open_graph(window, qtbot, DIGITS)
    assert window.toasts.shown


def test_missing_file_is_refused_without_a_job(window: MainWindow, tmp_path: Path) -> None:
    window.open_model(tmp_path / "gone.onnx")
    assert window.toasts.shown
    assert "gone.onnx" in window.toasts.texts
    assert window.workspace.jobs == []


@pytest.mark.parametrize("stage", PAGES)
def test_every_button_and_field_has_a_name(digits_window: MainWindow, stage: str) -> None:
    digits_window.go(stage)
    assert digits_window.toasts.shown == [], digits_window.toasts.texts
    nameless = [
        item
        for kind in (QAbstractButton, QLineEdit)
        for item in visible(digits_window, kind)
        if not (item.accessibleName() or getattr(item, "text", str)())
        and not item.objectName().startswith("qt_")
        and not isinstance(item.parent(), QLineEdit)
    ]
    assert nameless == []


@pytest.mark.parametrize("stage", PAGES)
def test_every_button_can_be_reached_by_tab(
    digits_window: MainWindow, qapp: QApplication, stage: str
) -> None:
    digits_window.go(stage)
    qapp.processEvents()
    wanted = {
        item
        for item in visible(digits_window, QAbstractButton)
        if item.isEnabled()
        and item.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not (item.isCheckable() and not item.isChecked() and item.group())
    }
    unreachable = {
        item.accessibleName()
        for item in visible(digits_window, QAbstractButton)
        if item.isEnabled()
        and not item.focusPolicy() & Qt.FocusPolicy.TabFocus
        and item.accessibleName()
    }
    seen = set()
    for _ in range(200):
        seen.add(QApplication.focusWidget())
        digits_window.focusNextChild()
    assert {item.accessibleName() for item in wanted - seen} == set()
    assert unreachable == set()


@pytest.mark.parametrize("stage", PAGES)
def test_page_has_at_most_one_primary_button(digits_window: MainWindow, stage: str) -> None:
    digits_window.go(stage)
    page = digits_window.page()
    primary = [b for b in visible(page, QAbstractButton) if b.property("kind") == "primary"]
    assert len(primary) <= 1


class Flashes(QObject):
    """Notes every window that is shown beside the main one."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.seen.append(f"{type(watched).__name__} {watched.accessibleName()}")
        return False


@pytest.mark.slow
def test_no_part_flashes_as_a_window_of_its_own(
    digits_window: MainWindow, qapp: QApplication
) -> None:
    flashes = Flashes()
    qapp.installEventFilter(flashes)
    for stage in PAGES:
        digits_window.go(stage)
        digits_window.select(1)  # what was just made is made anew
        qapp.processEvents()
    digits_window.toggle_jobs()
    digits_window.open_palette()
    digits_window.current.close()
    qapp.processEvents()
    qapp.removeEventFilter(flashes)
    assert flashes.seen == []


def test_shortcuts_go_through_the_stages(digits_window: MainWindow, qtbot: QtBot) -> None:
    numbers = [f"Ctrl+{number}" for number in range(1, 10)]
    by_place = [stage for stage in STAGES if stage.shortcut and "Shift" not in stage.shortcut]
    assert [stage.shortcut for stage in by_place] == [*numbers, "Ctrl+,"]
    for stage in BY_ID.values():
        if stage.shortcut:
            keys = QKeySequence(stage.shortcut)[0]
            qtbot.keyClick(digits_window, keys.key(), keys.keyboardModifiers())
            assert digits_window.page().stage == stage.id


def test_palette_finds_a_node_and_goes_there(digits_window: MainWindow, qtbot: QtBot) -> None:
    digits_window.go("quantize")
    qtbot.keyClick(digits_window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = digits_window._palette
    assert palette is not None
    qtbot.keyClicks(palette.input, "conv2")
    qtbot.keyClick(palette.input, Qt.Key.Key_Return)
    assert not palette.isVisible()
    page = digits_window.page()
    assert page.stage == "model"
    canvas = page.pane.canvas
    assert canvas.scene.boxes[canvas.selected].name == "conv2"


def test_palette_says_why_an_action_cannot_be_taken(window: MainWindow, qtbot: QtBot) -> None:
    window.open_palette()
    palette = window._palette
    assert palette is not None
    qtbot.keyClicks(palette.input, "cancel")
    assert palette.model.entries[0].reason == "No job is running."
    qtbot.keyClick(palette.input, Qt.Key.Key_Return)
    assert palette.isVisible()
    qtbot.keyClick(palette.input, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_palette_gives_the_focus_back(digits_window: MainWindow, qtbot: QtBot) -> None:
    canvas = digits_window.page().pane.canvas
    canvas.setFocus()
    digits_window.open_palette()
    qtbot.keyClick(digits_window._palette.input, Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is canvas


def test_theme_is_remembered(window: MainWindow) -> None:
    assert window.theming.current.dark
    window.toggle_theme()
    assert not window.theming.current.dark
    assert window.workspace.settings["theme"] == "light"


def test_size_and_model_are_remembered(
    make_window: MakeWindow, digits_home: Path, qtbot: QtBot
) -> None:
    first = make_window(digits_home)
    first.select(1)
    first.resize(970, 650)  # the screen that there is without a display is 800 wide
    first.inspector.toggle()
    first.close()
    second = make_window()
    assert (second.width(), second.height()) == (960, 650)
    assert not second.inspector.wanted
    qtbot.waitUntil(lambda: shown_scene(second))
    assert second.current.variant.model_name == "digits"


def test_damaged_memory_is_no_obstacle(make_window: MakeWindow, tmp_path: Path) -> None:
    config = tmp_path / "home" / "config"
    config.mkdir(parents=True)
    (config / "settings.json").write_text(
        '{"window": "{\\"geometry\\": \\"%%%\\", \\"variant\\": 99}"}'
    )
    window = make_window()
    assert window.page().stage == "welcome"


def test_inspector_tells_of_a_node_and_goes_to_its_neighbour(
    digits_window: MainWindow, qtbot: QtBot
) -> None:
    page = digits_window.page()
    page.show_box(page.pane.canvas.scene.index_of("conv2"))
    # Zero-width spaces tell a long text where it may be broken.
    labels = page.inspector().findChildren(QLabel)
    texts = [item.text().replace("\u200b", "") for item in labels]
    assert "1.18 M MACs (97.6 % of the model)" in texts
    assert "float32 64×32×3×3 · constant" in texts
    go = next(
        item
        for item in page.inspector().findChildren(QAbstractButton)
        if item.accessibleName() == "Go to Relu relu1"
    )
    qtbot.mouseClick(go, Qt.MouseButton.LeftButton)
    assert page.pane.canvas.scene.boxes[page.pane.canvas.selected].name == "relu1"


def test_cost_colours_the_nodes_that_have_one(digits_window: MainWindow) -> None:
    page = digits_window.page()
    page.colors.set_index(1)
    overlay = page.pane.canvas._overlay
    scene = page.pane.canvas.scene
    assert {scene.boxes[box].title for box in overlay.texts} == {"Conv", "Gemm"}
    assert overlay.most == "1.18 M MACs"


def test_summary_adds_up(digits_window: MainWindow) -> None:
    page = digits_window.page()
    page.show_view(1)
    table = page.summary._operators
    rows = {
        table.item(y, 0).text(): (table.item(y, 1).text(), table.item(y, 2).text())
        for y in range(table.rowCount())
    }
    assert rows["Conv"] == ("2", "99.2 %")
    assert rows["Flatten"] == ("1", "—")
    assert not digits_window.inspector.isVisible()


def test_other_theme_repaints_the_canvas(digits_window: MainWindow, qtbot: QtBot) -> None:
    canvas = digits_window.page().pane.canvas
    corner = canvas.grab().toImage().pixelColor(2, canvas.height() // 2)
    with qtbot.waitSignal(digits_window.theming.changed):
        digits_window.toggle_theme()
    after = canvas.grab().toImage().pixelColor(2, canvas.height() // 2)
    assert corner != after == digits_window.theming.current.color("background")


def test_jobs_list_tells_how_jobs_ended(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    bad = tmp_path / "empty.onnx"
    bad.touch()
    window.open_model(bad)
    qtbot.waitUntil(lambda: bool(window.toasts.shown), timeout=JOB_MS)
    window.toggle_jobs()
    panel = window.side.shown
    qtbot.waitUntil(lambda: bool(panel.rows))
    row = next(iter(panel.rows.values()))
    assert row.words.text() == "Failed."
    assert row.accessibleName().startswith("Open empty.onnx: Failed. ")
    assert window.jobbar.count.text() == "1 failed"


def test_the_badge_names_the_walls_of_workers(window: MainWindow, qtbot: QtBot) -> None:
    badge, held = window.jobbar.sandbox, window.workspace.sandbox
    qtbot.waitUntil(lambda: bool(badge.text()), timeout=JOB_MS)
    assert badge.text() == f"Worker sandbox: {held.value}"
    assert badge.toolTip() == held.explanation


def test_rail_says_what_was_done(digits_window: MainWindow) -> None:
    states = {button.stage.id: button.state.value for button in digits_window.rail.buttons()}
    assert states["model"] == "done"
    assert states["quantize"] == states["deploy"] == "nothing yet"


@pytest.mark.parametrize(
    ("typed", "text", "fits"),
    [
        ("quant", "Go to Quantize", True),
        ("gtq", "Go to Quantize", True),
        ("qtg", "Go to Quantize", False),
        ("", "anything", True),
        ("x(", "f(x)", False),
        ("o z", "Go to Quantize", True),
        ("oo", "Go to Quantize", True),
        ("ooo", "Go to Quantize", False),
    ],
)
def test_matching(typed: str, text: str, fits: bool) -> None:
    assert (match(typed, text) is not None) is fits


def test_the_span_of_scattered_letters_decides() -> None:
    assert match("gq", "Go to Quantize") == (SCATTERED, 7, 14)
    assert match("oz", "Go to Quantize") == (SCATTERED, 12, 14)


def test_beginnings_come_before_insides() -> None:
    entries = [
        PaletteEntry(title, "Action", lambda: None)
        for title in ("unopened", "Re open", "Open a model")
    ]
    assert [entry.title for entry in best(entries, "open")] == [
        "Open a model",
        "Re open",
        "unopened",
    ]


def test_scattered_letters_do_not_find_nodes() -> None:
    node = PaletteEntry("Conv", "Node", lambda: None, detail="/backbone/layer1")
    assert best([node], "cblr") == []
    assert best([node], "layer1") == [node]
