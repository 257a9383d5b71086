"""The Try it page: what it sends, and how the answers are shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from studio.gui.pages.try_it.page import TryItPage
from studio.jobs import End
from studio.monitoring.endpoint.results import Percentiles
from studio.monitoring.stream.results import StreamResult
from studio.monitoring.stream.run import thumbnail
from studio.workspace import JobOutcome
from tests.gui.page_rig import Rig, opened, visible_texts

PICTURE = thumbnail(numpy.full((40, 80, 3), 255, dtype=numpy.uint8))[0]
FIGURES = {"number": 3, "name": "seven.png", "answered": 3, "dropped": 2, "failed": 0, "fps": 9.5}
CLASSES = {
    "kind": "classes",
    "classes": [
        {"label": "seven", "index": 7, "score": 0.9},
        {"label": "one", "index": 1, "score": 0.1},
    ],
}
BOXES = {"kind": "boxes", "boxes": [{"box": [0.25, 0.25, 0.75, 0.75], "label": "cat", "score": 1}]}


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        details = {"version": 3, "variant_name": "int8", "endpoint": "http://127.0.0.1:8477"}
        made.registry.add_release("local", None, "ab" * 32, "serving", details)
        yield made


def frame(rig: Rig, page: TryItPage, answer: dict[str, Any]) -> None:
    rig.message(page, "frame", answer=answer, latency_ms=1.234, **FIGURES, picture=PICTURE)


def test_nothing_deployed_leads_to_the_deploy_page(
    qtbot: QtBot, studio_home: Path, tmp_path: Path
) -> None:
    with opened(studio_home, tmp_path) as rig:
        page = rig.page(TryItPage)
        assert "No deployments yet" in visible_texts(page)
        assert page.primary is not None
        assert not page.primary.isEnabled()


def test_the_endpoint_of_the_current_model_is_the_default_and_named(rig: Rig) -> None:
    for name, model in (("local", "doors"), ("local/digits", "digits")):
        rig.registry.endpoints.add(name)
        details = {"version": 4, "name": model, "variant_name": "int8"}
        rig.registry.add_release(name, None, "cd" * 32, "serving", details)
    rig.workspace.endpoints.chosen = "local"
    page = rig.page(TryItPage, rig.variant())
    assert page.choice.currentText() == "digits · This computer/digits"
    page.choice.choose("local")
    page.refresh()
    assert page.choice.currentText() == "doors · This computer", "a choice stays"


def test_dropped_picture_is_sent_and_the_classes_are_shown(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(TryItPage)
    assert page.primary is not None
    assert page.primary.toolTip() == "Choose an input first."
    page.send(tmp_path / "seven.png")
    (job,) = rig.shell.jobs
    assert job.options == {"source": str(tmp_path / "seven.png"), "target": "local"}
    assert page.primary.text() == "Stop"
    frame(rig, page, CLASSES)
    shown = visible_texts(page)
    for words in ("seven", "1.23 ms", "9.5 frames/s"):
        assert words in shown
    assert page.bars.accessibleName() == "Classes: seven 90.0 %, one 10.0 %"
    assert page.picture.image.width() == 80
    page.primary.click()
    assert job.cancelled
    result = StreamResult(
        target="local",
        model="digits",
        version="3",
        source="seven.png",
        frames=5,
        answered=3,
        dropped=2,
        failed=0,
        failures={},
        seconds=0.3,
        fps=9.5,
        latency_ms=Percentiles(2.5, 3.0, 4.0),
        answer=None,
    )
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    assert page.primary.text() == "Start"
    assert "2.50 ms" in visible_texts(page)


def test_boxes_are_drawn_where_they_are(rig: Rig, qtbot: QtBot) -> None:
    page = rig.page(TryItPage)
    page.send(Path("/picture.png"))
    frame(rig, page, BOXES)
    assert "1 object" in visible_texts(page)
    page.picture.resize(400, 400)
    image = page.picture.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    accent = page.shell.theming.current.color("accent").rgb()
    scale = image.width() / 400
    # 80 x 40 pixels fill the width: the box's left side is a quarter in, its middle half way down.
    assert image.pixel(round(100 * scale), round(200 * scale)) == accent
    assert image.pixel(round(200 * scale), round(200 * scale)) != accent


CELLS = {"width": 2, "height": 1, "runs": [1, 1]}
BONE = [
    {"x": 0.3, "y": 0.5, "score": 0.9, "name": "left_hip"},
    {"x": 0.7, "y": 0.5, "score": 0.9, "name": "right_hip"},
]


def pixel(page: TryItPage, x: float, y: float) -> tuple[int, int, int]:
    """Return the colour of the shown picture (80 x 40, white) at a place in fractions of it."""
    page.picture.resize(400, 400)
    image = page.picture.grab().toImage()
    scale = image.width() / 400
    color = image.pixelColor(round(400 * x * scale), round((100 + 200 * y) * scale))
    return color.red(), color.green(), color.blue()


def test_a_mask_tints_its_part_of_the_box(rig: Rig) -> None:
    page = rig.page(TryItPage)
    page.send(Path("/picture.png"))
    box = {**BOXES["boxes"][0], "index": 1, "mask": CELLS}  # type: ignore[index]
    frame(rig, page, {"kind": "boxes", "boxes": [box], "task": "instances"})
    assert pixel(page, 0.3, 0.5) == (255, 255, 255)
    red, green, _ = pixel(page, 0.6, 0.5)
    assert red > green + 40


def test_key_points_are_joined_by_bones(rig: Rig) -> None:
    page = rig.page(TryItPage)
    page.send(Path("/picture.png"))
    box = {**BOXES["boxes"][0], "index": 1, "points": BONE}  # type: ignore[index]
    frame(rig, page, {"kind": "boxes", "boxes": [box], "task": "keypoints", "recognised": True})
    assert pixel(page, 0.5, 0.5) == (207, 34, 46)
    assert "Objects with key points, recognised from the outputs" in visible_texts(page)


def test_a_map_lies_over_the_picture(rig: Rig) -> None:
    page = rig.page(TryItPage)
    page.send(Path("/picture.png"))
    cells = {"width": 1, "height": 2, "runs": [0, 1, 1, 1], "box": [0.0, -1.0, 1.0, 1.0]}
    classes = [{"label": "road", "index": 1, "score": 0.5}]
    frame(rig, page, {"kind": "map", "map": cells, "classes": classes, "task": "segmentation"})
    assert pixel(page, 0.5, 0.5) != (255, 255, 255)
    assert "A map of classes, by outputs.toml" in visible_texts(page)


@pytest.mark.parametrize("runs", [[], [1], [-1, 3], [10**9]])
def test_cells_that_do_not_fit_are_not_drawn(rig: Rig, runs: list[int]) -> None:
    page = rig.page(TryItPage)
    page.send(Path("/picture.png"))
    box = {**BOXES["boxes"][0], "mask": {**CELLS, "runs": runs}}  # type: ignore[index]
    frame(rig, page, {"kind": "boxes", "boxes": [box], "task": "instances"})
    assert pixel(page, 0.6, 0.5) == (255, 255, 255)


def test_raw_tensors_are_behind_a_button(rig: Rig) -> None:
    page = rig.page(TryItPage)
    page.send(Path("/picture.png"))
    frame(rig, page, {**CLASSES, "raw": ["scores: 1×10, 0 to 0.9, mean 0.1"]})
    assert "scores: 1×10" not in " ".join(visible_texts(page))
    page.raw.toggle.click()
    assert "scores: 1×10, 0 to 0.9, mean 0.1" in visible_texts(page)
    assert page.raw.toggle.text() == "Hide raw tensors"


def test_text_is_shown_with_its_score(rig: Rig) -> None:
    page = rig.page(TryItPage)
    page.send(Path("/line.png"))
    frame(rig, page, {"kind": "text", "text": "Hello", "score": 0.987})
    assert "Hello\n98.7 %" in visible_texts(page)


def test_sample_is_sent_at_a_pace_that_can_be_watched(rig: Rig, tmp_path: Path) -> None:
    model = tmp_path / "sample" / "digits.onnx"
    model.parent.mkdir()
    (model.parent / "heldout.npz").touch()
    original = rig.variant()
    page = rig.page(TryItPage)
    assert not page.sample_button.isVisible()
    opened_there = rig.registry.add_variant(
        original.model,
        "other",
        rig.registry.adopt(_file(tmp_path)),
        format="onnx",
        precision="fp32",
        parent=None,
        step="open",
        options={"model": str(model)},
        summary={},
        graph=None,
    )
    bundle = rig.registry.adopt(_file(tmp_path))
    version = rig.registry.add_version(original.model, opened_there.id, bundle, "cd" * 32, 5)
    rig.registry.add_release("local", version.id, version.digest, "serving", {"version": 1})
    page.refresh()
    assert page.sample_button.isVisible()
    page.sample_button.click()
    (job,) = rig.shell.jobs
    assert job.options == {
        "source": str(model.parent / "heldout.npz"),
        "target": "local",
        "fps": 4,
    }


def _file(folder: Path) -> Path:
    path = folder / "some.onnx"
    path.write_bytes(b"some")
    return path


def test_an_answer_is_overridden(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(TryItPage)
    page.send(tmp_path / "seven.png")
    frame(rig, page, CLASSES)
    assert not page.override_button.isVisible()
    named = {"picture": PICTURE, "request": "1a-2b3c4d5e6f70-1"}
    rig.message(page, "frame", answer=CLASSES, latency_ms=1.0, **FIGURES, **named)
    assert page.override_button.isVisible()
    page.override_button.click()
    sheet = page.override
    assert sheet.answer.text() == "local answered: seven"
    assert sheet.primary.toolTip() == "The decision is missing."
    sheet.decision.setText("one")
    sheet.reason.setPlainText("seen by eye")
    sheet.person.setText("Ada")
    sheet.primary.click()
    job = rig.shell.jobs[-1]
    assert job.options == {
        "target": "local",
        "request": "1a-2b3c4d5e6f70-1",
        "decision": "one",
        "reason": "seen by eye",
        "by": "Ada",
    }
