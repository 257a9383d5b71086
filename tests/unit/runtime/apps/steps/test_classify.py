"""Names and texts of objects: the crops that a model is shown, and those that it is spared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from studio.runtime.apps.crops import crop_of
from studio.runtime.apps.items import FrameStamp, Objects
from studio.runtime.apps.settings import AppError
from studio.runtime.apps.steps.classify import (
    Classify,
    ClassifySettings,
    Read,
    ReadSettings,
)
from tests.unit.runtime.apps.parts import Context


class Reader:
    """A recogniser that reads the mean of a picture."""

    batch = 1

    def __init__(self, task: str = "text", score: float = 0.9) -> None:
        self.task = task
        self.score = score
        self.seen: list[np.ndarray] = []
        self.groups: list[int] = []

    def pictures(self, pixels: Sequence[np.ndarray]) -> list[dict[str, Any]]:
        self.seen += pixels
        if self.task == "text":
            return [{"text": str(round(float(one.mean()))), "score": self.score} for one in pixels]
        names = {"label": "red", "score": self.score}, {"label": "blue", "score": 0.05}
        return [{"classes": list(names)} for _ in pixels]

    def lines(self, pixels: Sequence[np.ndarray], most: int) -> list[dict[str, Any]]:
        self.groups.append(most)
        return self.pictures(pixels)

    def arrays(self, feeds: Any) -> Any:
        raise AssertionError("a picture is wanted")


class WithModel(Context):
    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def predictor(self, name: str) -> Any:
        return self.reader


def stamp(at: float = 0.0) -> FrameStamp:
    return FrameStamp("shelf", int(at * 10), at, at, 0.0)


def objects(*values: int, size: int = 20) -> Objects:
    """Squares next to each other, each with a striped content of its own."""
    pixels = np.zeros((size, size * len(values), 3), np.uint8)
    for at, value in enumerate(values):
        pixels[:, at * size : at * size + size] = 100
        pixels[4 : 4 + value, at * size + 3 : at * size + 17] = 200
    corners = np.array([[at * size, 0, at * size + size, size] for at in range(len(values))], float)
    return Objects(pixels, corners, np.ones(len(values)), ("label",) * len(values))


def read(reader: Reader, **settings: float) -> Read:
    return Read("prices", ReadSettings("reader", **settings), WithModel(reader))


def test_each_object_gets_its_text() -> None:
    reader = Reader()
    found = read(reader).process(stamp(), objects(2, 8)).value
    assert [one["text"] for one in found.details] == [
        str(round(float(one.mean()))) for one in reader.seen
    ]
    assert len(reader.seen) == 2


def test_unchanged_places_are_not_read_again() -> None:
    reader = Reader()
    step = read(reader, unchanged=0.05)
    for at in range(50):
        found = step.process(stamp(at / 10), objects(2, 8)).value
    assert len(reader.seen) == 2
    assert found.details[0]["text"]
    assert found.details[1]["text"]
    changed = step.process(stamp(6.0), objects(2, 12)).value
    assert len(reader.seen) == 3
    assert changed.details[0] == found.details[0]
    assert changed.details[1] != found.details[1]


def test_light_on_all_pixels_is_no_change() -> None:
    reader = Reader()
    step = read(reader, unchanged=0.05)
    step.process(stamp(0.0), objects(2))
    brighter = objects(2)
    step.process(stamp(0.1), brighter._replace(pixels=brighter.pixels + np.uint8(40)))
    assert len(reader.seen) == 1


def test_unchanged_places_are_read_again_after_a_while() -> None:
    reader = Reader()
    step = read(reader, unchanged=0.05, again_s=10.0)
    for at in range(25):
        step.process(stamp(float(at)), objects(2))
    assert len(reader.seen) == 3


def test_a_text_that_is_not_sure_is_empty() -> None:
    found = read(Reader(score=0.4)).process(stamp(), objects(2)).value
    assert found.details[0] == {"text": "", "text_score": 0.4}


def test_a_whole_picture_is_read_as_one_object() -> None:
    found = read(Reader()).process(stamp(), objects(2).pixels).value
    assert found.labels == ("picture",)
    assert found.details[0]["text"]


def test_objects_are_classified_and_pictures_too() -> None:
    settings = ClassifySettings("colours", threshold=0.5)
    step = Classify("kind", settings, WithModel(Reader("classification")))
    found = step.process(stamp(), objects(2, 3)).value
    assert [one["class"] for one in found.details] == ["red", "red"]
    assert step.process(stamp(), objects(2).pixels).value == {"red": 0.9, "blue": 0.05}
    shy = Classify("kind", settings, WithModel(Reader("classification", 0.4)))
    assert shy.process(stamp(), objects(2)).value.details == ({},)


def test_a_model_that_does_something_else_is_refused() -> None:
    with pytest.raises(
        AppError, match=r"the model reader does detection, and this step needs text"
    ):
        Read("prices", ReadSettings("reader"), WithModel(Reader("detection")))


@pytest.mark.parametrize(
    "corners", [[5, 5, 5, 9], [-9, -9, -1, -1], [30, 0, 40, 9], [np.nan, 0, 4, 4], [9, 9, 1, 1]]
)
def test_an_object_without_pixels_is_not_shown_to_the_model(corners: list[float]) -> None:
    reader = Reader()
    empty = objects(2)._replace(corners=np.array([corners], float))
    crop = crop_of(empty, 0)
    assert crop is None or crop.size
    assert len(read(reader).process(stamp(), empty).value.details) == 1


def test_a_tilted_box_is_set_upright() -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[10:20, 5:35] = (250, 0, 0)
    turned = np.ascontiguousarray(np.rot90(pixels))
    outline = np.array([[10.0, 35.0], [10.0, 5.0], [20.0, 5.0], [20.0, 35.0]])
    tilted = Objects(turned, np.array([[10, 5, 20, 35.0]]), np.ones(1), ("text",))
    crop = crop_of(tilted._replace(outlines=outline[None]), 0)
    assert crop is not None
    assert crop.shape == (10, 30, 3)
    assert crop[:, :, 0].mean() > 200


def test_lines_run_together_where_that_is_set() -> None:
    reader = Reader()
    alone = Read("texts", ReadSettings("reader"), WithModel(reader))
    alone.process(stamp(), objects(10, 200))
    assert reader.groups == []
    shared = Read("texts", ReadSettings("reader", together=6), WithModel(reader))
    found = shared.process(stamp(), objects(10, 200)).value
    assert reader.groups == [6]
    assert len({one["text"] for one in found.details}) == 2


@pytest.mark.parametrize("together", [-1, 65])
def test_a_group_has_a_sensible_size(together: int) -> None:
    with pytest.raises(AppError, match="together is from 0 to 64"):
        Read("texts", ReadSettings("reader", together=together), WithModel(Reader()))
