"""Preprocessing: what it computes, and what it refuses."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from studio.api import InvalidData
from studio.datasets import Preprocess
from studio.runtime.serve.images import preprocess as arithmetic
from studio.runtime.serve.images.resize import resize, weights


def picture(height: int, width: int) -> numpy.ndarray:
    return numpy.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=numpy.uint8)


def test_defaults_give_channels_first_between_0_and_1() -> None:
    pixels = picture(3, 4)
    array = Preprocess().apply(pixels)
    assert array.shape == (1, 3, 3, 4)
    assert array.dtype == numpy.float32
    numpy.testing.assert_allclose(array[0].transpose(1, 2, 0) * 255, pixels, rtol=1e-5)


def test_bgr_mean_and_std_by_channel() -> None:
    pixels = picture(2, 2)
    array = Preprocess(
        color="BGR", scale=1.0, mean=(1.0, 2.0, 3.0), std=(2.0, 4.0, 8.0), layout="NHWC"
    ).apply(pixels)
    wanted = (pixels[:, :, ::-1].astype("float32") - [1, 2, 3]) / [2, 4, 8]
    numpy.testing.assert_allclose(array[0], wanted, rtol=1e-6)


def test_grey_bytes() -> None:
    pixels = picture(5, 5)
    array = Preprocess(color="GRAY", scale=1.0, dtype="uint8").apply(pixels)
    wanted = numpy.asarray(Image.fromarray(pixels).convert("L"))
    assert array.shape == (1, 1, 5, 5)
    assert numpy.abs(array[0, 0].astype(int) - wanted).max() <= 1


@pytest.mark.parametrize(
    ("settings", "size", "shape"),
    [
        ({"resize": "stretch", "height": 8, "width": 6}, (20, 31), (8, 6)),
        ({"resize": "fit", "height": 32, "width": 32}, (20, 40), (32, 32)),
        ({"resize": "fit", "height": 30, "width": 30, "multiple": 32}, (20, 40), (32, 32)),
        ({"resize": "cover", "height": 10, "width": 10}, (20, 41), (10, 20)),
        (
            {"resize": "cover", "height": 10, "width": 10, "crop_height": 8, "crop_width": 8},
            (20, 41),
            (8, 8),
        ),
        ({"resize": "height", "height": 48, "min_width": 320}, (24, 100), (48, 320)),
        ({"resize": "height", "height": 48, "min_width": 320}, (24, 201), (48, 402)),
        ({"resize": "height", "height": 48, "max_width": 100}, (24, 201), (48, 100)),
        ({"resize": "height", "height": 48, "multiple": 32}, (24, 101), (48, 224)),
    ],
)
def test_sizes(settings: dict, size: tuple[int, int], shape: tuple[int, int]) -> None:
    assert Preprocess.from_json(settings).apply(picture(*size)).shape[2:] == shape


def test_padding_is_neutral_and_where_it_was_asked_for() -> None:
    common = {"resize": "fit", "height": 4, "width": 8, "pad_value": 127.5, "mean": 0.5, "std": 0.5}
    start = Preprocess.from_json(common).apply(picture(4, 4))
    center = Preprocess.from_json({**common, "pad_align": "center"}).apply(picture(4, 4))
    assert (start[..., 4:] == 0).all()
    assert (start[..., :4] != 0).any()
    assert (center[..., :2] == 0).all()
    assert (center[..., 6:] == 0).all()


@pytest.mark.parametrize(("height", "width"), [(17, 30), (80, 150), (40, 61)])
def test_antialiased_resizing_agrees_with_pillow(height: int, width: int) -> None:
    image = Image.fromarray(picture(40, 60))
    wanted = numpy.asarray(image.resize((width, height), Image.Resampling.BILINEAR), "float32")
    found = resize(numpy.asarray(image, "float32"), height, width, antialias=True)
    assert numpy.abs(wanted - found).max() <= 1.01  # Pillow rounds to whole numbers, twice


@given(st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_rows_of_weights_add_up_to_one(source: int, target: int, antialias: bool) -> None:
    first, matrix = weights(source, target, 0, target, antialias=antialias)
    assert first + matrix.shape[1] <= source
    assert matrix.shape[0] == target
    numpy.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-5)


def test_enlarging_mixes_the_nearest_two_at_half_pixel_centres() -> None:
    _, matrix = weights(2, 4, 0, 4, antialias=False)
    numpy.testing.assert_allclose(matrix, [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])


def test_json_round_trip() -> None:
    value = Preprocess(resize="height", height=48, mean=(0.5,), std=(0.5,), color="BGR")
    assert Preprocess.from_json(json.loads(json.dumps(value.to_json()))) == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("heigth = 3", "unknown setting 'heigth'; the nearest is 'height'."),
        ("color = 'CMYK'", "color cannot be 'CMYK'; it is one of RGB, BGR, GRAY"),
        ("resize = 'stretch'\nheight = 8", "resize = 'stretch' needs a width above 0"),
        ("mean = [0.1, 0.2]", "mean has 2 numbers for 3 channels"),
        ("std = 0.0", "std may not be 0"),
        ("height = 'big'", "height must be a whole number, not 'big'"),
        ("scale = nan", "scale must be a number, not nan"),
        ("antialias = 1", "antialias must be yes or no, not 1"),
        ("multiple = 0", "multiple must be at least 1"),
        ("height = 99999", "height is above 16384"),
        ("crop_width = -1", "crop_width cannot be -1"),
        (f"scale = 1{'0' * 400}", "scale must be a number, not 1000000"),
        ("color = ", "cannot be read as TOML"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "preprocess.toml").write_text(text)
    with pytest.raises(InvalidData) as caught:
        Preprocess.from_toml(tmp_path / "preprocess.toml")
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    "content",
    [
        {"scale": 10**400},
        {"height": -(10**400)},
        {"color": "x" * 10**6},
        {"x" * 10**6: 1},
        {"mean": [[0.5] * 10**5]},
        ["x"],
        None,
    ],
)
def test_hostile_settings_are_refused_in_a_short_sentence(content: object) -> None:
    with pytest.raises(ValueError, match=r"\.$") as refused:
        arithmetic.Preprocess.from_json(content)  # as a board reads a manifest
    assert len(str(refused.value)) < 150
    with pytest.raises(InvalidData):
        Preprocess.from_json(content)


def test_a_picture_that_would_become_huge_is_refused() -> None:
    with pytest.raises(InvalidData, match="A picture of 4000x1 would become one of 64000x16"):
        Preprocess(resize="height", height=16).apply(picture(1, 4000))


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 40), st.booleans())
def test_rows_mixed_a_few_at_a_time_are_those_of_one_matrix(
    source: int, target: int, width: int, antialias: bool
) -> None:
    pixels = picture(source, width).astype("float32")
    first, matrix = weights(source, target, 0, target, antialias=antialias)
    wanted = numpy.tensordot(matrix, pixels[first : first + matrix.shape[1]], axes=(1, 0))
    found = resize(pixels, target, width, antialias=antialias)
    numpy.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-3)


def test_a_long_strip_takes_little_memory() -> None:
    strip = numpy.zeros((200_000, 1, 3), numpy.uint8)
    tracemalloc.start()
    try:
        resize(strip, 640, 640, antialias=True)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 20e6  # as one matrix: 640 x 200,000 of eight bytes
