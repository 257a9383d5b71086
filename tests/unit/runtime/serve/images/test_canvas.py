"""Drawings in numpy: the font, the PNG, lines and tints, and pictures with answers on them."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image

from studio.runtime.serve.contracts.answer_picture import (
    JPEG,
    MOST_SIDE,
    PNG,
    drawn,
    kind_of_drawing,
)
from studio.runtime.serve.decoders.decoder import Decoder, PictureInInput
from studio.runtime.serve.decoders.keypoints import COCO
from studio.runtime.serve.decoders.settings import OutputSettings
from studio.runtime.serve.images.canvas import COLORS, Canvas
from studio.runtime.serve.images.font import bitmap, plain
from studio.runtime.serve.images.png_writer import encode_png
from studio.runtime.serve.images.preprocess import Preprocess

Array = numpy.ndarray
RED = (207, 34, 46)


def blank(height: int = 40, width: int = 60) -> Array:
    return numpy.zeros((height, width, 3), numpy.uint8)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (9, 1), (31, 64)])
def test_a_png_has_the_very_pixels(height: int, width: int) -> None:
    pixels = numpy.random.default_rng(1).integers(0, 256, (height, width, 3), numpy.uint8)
    with Image.open(io.BytesIO(encode_png(pixels))) as image:
        assert image.format == "PNG"
        assert numpy.asarray(image).tolist() == pixels.tolist()


def test_every_printable_character_has_a_shape_of_its_own() -> None:
    shapes = {bitmap(chr(code)).tobytes() for code in range(0x20, 0x7F)}
    assert len(shapes) == 95


def test_an_a_looks_like_one() -> None:
    rows = ["".join("#" if dot else "." for dot in row[:5]) for row in bitmap("A")]
    assert rows[:7] == [".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"]


@pytest.mark.parametrize(
    ("text", "shown"), [("Straße", "Stra?e"), ("café", "cafe"), ("猫 1", "? 1"), ("a\nb", "a?b")]
)
def test_a_text_is_drawn_with_the_characters_there_are(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_the_edges_of_a_box_are_those_of_opencv() -> None:
    canvas, theirs = Canvas(blank()), blank()
    canvas.box((5, 7, 30, 20), RED)
    cv2.rectangle(theirs, (5, 7), (30, 20), RED, 1)
    assert canvas.pixels.tolist() == theirs.tolist()


def test_a_tint_covers_what_the_mask_covers() -> None:
    canvas = Canvas(blank())
    mask = numpy.array([[False, True], [True, False]])
    canvas.tint(mask, (10, 10, 30, 20), RED)
    wanted = numpy.zeros((40, 60), bool)
    wanted[10:15, 20:30] = True
    wanted[15:20, 10:20] = True
    assert (canvas.pixels.sum(axis=2) > 0).tolist() == wanted.tolist()


numbers = some.floats(allow_nan=True, allow_infinity=True, width=32)


@settings(max_examples=80, deadline=None)
@given(numbers, numbers, numbers, numbers, some.text(max_size=200))
def test_what_is_outside_is_cut_off(a: float, b: float, c: float, d: float, text: str) -> None:
    canvas = Canvas(blank())
    canvas.box((a, b, c, d), RED)
    canvas.disc((a, b), 3, RED)
    canvas.tint(numpy.ones((3, 3), bool), (a, b, c, d), RED)
    canvas.text((a, b) if numpy.isfinite([a, b]).all() else (0, 0), text, RED)
    assert canvas.pixels.shape == (40, 60, 3)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("image/png", PNG),
        ("IMAGE/JPEG; q=1", JPEG),
        ("image/png, application/json", PNG),
        ("application/json, image/png", ""),
        ("text/html,application/xhtml+xml,image/png;q=0.8,*/*", ""),
        ("image/*", ""),
        ("", ""),
    ],
)
def test_a_drawing_is_made_where_the_first_type_is_one(accept: str, kind: str) -> None:
    assert kind_of_drawing(accept) == kind


def picture(height: int = 240, width: int = 320) -> PictureInInput:
    steps = Preprocess(resize="stretch", height=96, width=128)
    pixels = numpy.full((height, width, 3), 90, numpy.uint8)
    return PictureInInput(height, width, steps.placement(height, width), pixels)


def pixels_of(prediction: dict[str, Any], given: PictureInInput, **chosen: object) -> Array:
    decoder = Decoder(OutputSettings.from_json({"task": "detection", **chosen}))
    with Image.open(io.BytesIO(drawn(prediction, decoder, given, PNG))) as image:
        return numpy.asarray(image)


def thing(**more: object) -> dict[str, Any]:
    one = {"label": "dog", "index": 1, "score": 0.5, "box": [40.0, 60.0, 200.0, 180.0]}
    return {"objects": [{**one, **more}]}


def test_a_box_is_where_the_answer_has_it() -> None:
    found = pixels_of(thing(), picture())
    assert found[180, 100].tolist() == list(COLORS[1])
    assert found[120, 200].tolist() == list(COLORS[1])
    assert found[120, 100].tolist() == [90, 90, 90]


def test_a_mask_tints_its_half_of_the_box() -> None:
    found = pixels_of(thing(mask={"width": 2, "height": 1, "runs": [1, 1]}), picture())
    assert found[120, 80].tolist() == [90, 90, 90]
    assert found[120, 160].tolist() != [90, 90, 90]


def test_bones_join_likely_points() -> None:
    points = [{"name": one, "x": 100.0, "y": 100.0, "score": 0.0} for one in COCO]
    points[5] = {"name": COCO[5], "x": 60.0, "y": 120.0, "score": 0.9}
    points[6] = {"name": COCO[6], "x": 180.0, "y": 120.0, "score": 0.9}
    found = pixels_of(thing(points=points), picture())
    assert found[120, 120].tolist() == list(COLORS[1])
    assert found[100, 100].tolist() == [90, 90, 90]


def test_a_map_is_drawn_without_its_first_class() -> None:
    runs = [[0, 64], [2, 64]]
    answer = {"classes": [], "map": {"width": 16, "height": 8, "runs": runs}}
    found = pixels_of(answer, picture())
    assert found[60, 300].tolist() == [90, 90, 90]
    assert found[180, 300].tolist() != [90, 90, 90]


@pytest.mark.parametrize(
    "answer",
    [
        {"classes": [{"label": "dog", "index": 0, "score": 0.5}]},
        {"probability": 0.5, "decision": "refer"},
        {"text": "it is", "score": 0.5},
        {"values": [{"value": None}, {"value": 1.5, "name": "width", "unit": "mm"}]},
        {"vector": [0.0, 1.0], "norm": 1.0},
        {"regions": [{"score": 0.9, "corners": [[10, 10], [90, 10], [90, 30], [10, 30]]}]},
    ],
)
def test_every_kind_of_answer_is_drawn(answer: dict[str, Any]) -> None:
    assert (pixels_of(answer, picture()) != 90).any()


def test_a_large_picture_is_drawn_smaller() -> None:
    found = pixels_of(thing(box=[1000.0, 500.0, 3000.0, 1500.0]), picture(2000, 4000))
    assert found.shape == (500, 1000, 3)
    assert found[375, 500].tolist() == list(COLORS[1])


@pytest.mark.parametrize(("height", "width"), [(3, 12000), (12000, 3), (1281, 1280)])
def test_a_drawing_has_at_most_so_many_pixels_a_side(height: int, width: int) -> None:
    found = pixels_of(thing(), picture(height, width))
    assert max(found.shape) <= MOST_SIDE


def test_the_picture_itself_stays_as_it_was() -> None:
    given = picture()
    pixels_of(thing(), given)
    assert given.pixels is not None
    assert (given.pixels == 90).all()


def test_a_jpeg_is_one() -> None:
    decoder = Decoder(OutputSettings.from_json({"task": "detection"}))
    with Image.open(io.BytesIO(drawn(thing(), decoder, picture(), JPEG))) as image:
        assert image.format == "JPEG"
