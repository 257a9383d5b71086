"""Pictures in whole levels: those of OpenCV, by either road."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from studio.runtime.serve.images.preprocess import Preprocess
from studio.runtime.serve.images.resize import quick_resizer, resize
from studio.runtime.serve.images.whole_levels import resize_levels, to_levels

sides = some.integers(1, 90)


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    chance = np.random.default_rng(height * 100 + width)
    return chance.integers(0, 256, (height, width, channels), np.uint8)


@settings(deadline=None, max_examples=200)
@given(sides, sides, sides, sides, some.sampled_from([1, 3]))
def test_levels_are_those_of_opencv(
    height: int, width: int, rows: int, columns: int, channels: int
) -> None:
    pixels = picture(height, width, channels)
    wanted = cv2.resize(pixels, (columns, rows)).reshape(rows, columns, channels)
    assert np.array_equal(resize_levels(pixels, rows, columns), wanted)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", [(20, 30), (50, 70), (40, 60)])
def test_both_roads_give_the_same_levels(antialias: bool, size: tuple[int, int]) -> None:
    pixels = picture(40, 60)
    ours = resize(pixels, *size, antialias=antialias, whole=True)
    quick = quick_resizer()(pixels, *size, antialias=antialias, whole=True)
    assert ours.dtype == np.uint8
    assert np.array_equal(ours, quick)


def test_levels_are_rounded_and_bounded() -> None:
    found = to_levels(np.array([-3.0, 0.4, 0.6, 254.7, 300.0], np.float32))
    assert found.tolist() == [0, 0, 1, 255, 255]


def test_padding_keeps_its_fraction() -> None:
    steps = Preprocess(
        resize="height", height=8, min_width=40, whole_levels=True, pad_value=127.5, scale=1.0
    )
    found = steps.apply(picture(20, 30))
    assert np.array_equal(found[..., :12], found[..., :12].round())
    assert (found[..., 12:] == 127.5).all()


def test_pictures_that_run_together_have_the_width_of_the_widest() -> None:
    steps = Preprocess(resize="height", height=48, min_width=100)
    assert [steps.together([one]).min_width for one in ((20, 30), (30, 100))] == [100, 160]
    shared = steps.together([(20, 30), (31, 100)])
    # 48 * 100 / 31 is 154.8: rounded down, and the widest picture fills it.
    assert shared.apply(picture(31, 100)).shape == (1, 3, 48, 154)
    assert shared.apply(picture(20, 30)).shape == (1, 3, 48, 154)
    assert shared._replace(resize="stretch").together([(1, 9)]) == shared._replace(resize="stretch")


def test_a_widest_picture_stays_below_the_bound() -> None:
    steps = Preprocess(resize="height", height=48, max_width=120)
    assert steps.together([(10, 100)]).max_width == 120
    # One long and thin picture must not make all others huge.
    assert steps._replace(max_width=0).together([(1, 9000), (20, 30)]).max_width == 16384
