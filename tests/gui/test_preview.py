"""A large model that is being opened: its layers early, the same picture when all is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.graph.scene import Scene
from studio.gui.pages.model import ModelPage
from studio.gui.window import MainWindow
from tests.benchmarks.generated import transformer, write_onnx

pytestmark = pytest.mark.slow

JOB_MS = 30_000
NODES = 2_100


@pytest.fixture
def on_preview(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[ModelPage], None]], None]:
    """Do something as soon as a preview is shown."""

    def wish(act: Callable[[ModelPage], None]) -> None:
        shown = ModelPage.show_preview

        def show(page: ModelPage, scene: Scene) -> None:
            shown(page, scene)
            act(page)

        monkeypatch.setattr(ModelPage, "show_preview", show)

    return wish


def names(page: ModelPage) -> list[str]:
    scene = page.pane.canvas.scene
    return [] if scene is None else [box.name for box in scene.boxes]


def test_the_layers_are_there_before_the_model(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, on_preview: Callable[..., None]
) -> None:
    seen: dict[str, object] = {}

    def look(page: ModelPage) -> None:
        canvas = page.pane.canvas
        canvas.zoom_to(0.8)
        canvas.pan(0, 90)
        canvas.select(3, reveal=False)
        seen.update(names=names(page), area=canvas.area(), variant=page.variant)
        assert window.topbar.model.text().startswith("large")

    on_preview(look)
    write_onnx(transformer(NODES), tmp_path / "large.onnx")
    window.open_model(tmp_path / "large.onnx")
    qtbot.waitUntil(lambda: getattr(window.page(), "view", None) is not None, timeout=JOB_MS)
    page = window.page()
    assert isinstance(page, ModelPage)
    qtbot.waitUntil(lambda: page._preview is None)
    assert seen["variant"] is None
    assert seen["names"] == names(page)
    assert len(names(page)) == NODES // 49 + 1 + 3
    assert (page.pane.canvas.area(), page.pane.canvas.selected) == (seen["area"], 3)
    assert page.pane.canvas.scene is not None
    assert page.pane.canvas.scene.boxes[3].opens


def test_a_model_that_does_not_come_leaves_no_preview(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, on_preview: Callable[..., None]
) -> None:
    seen: list[int] = []

    def give_up(page: ModelPage) -> None:
        seen.append(len(names(page)))
        window.workspace.jobs[-1].cancel()

    on_preview(give_up)
    write_onnx(transformer(NODES), tmp_path / "large.onnx")
    window.open_model(tmp_path / "large.onnx")
    qtbot.waitUntil(lambda: bool(seen) and not _model_page(window), timeout=JOB_MS)
    shown = window.page()
    assert shown is not None
    assert shown.stage == "welcome"
    assert seen[0] > NODES // 49
    made = next(page for page in window.pages() if isinstance(page, ModelPage))
    assert made.pane.canvas.scene is None
    assert window.topbar.model.text() == "No model open"


def _model_page(window: MainWindow) -> bool:
    return isinstance(window.page(), ModelPage)
