"""Tilted boxes set upright: with OpenCV and without."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest

from studio.runtime.apps.crops import crop_of
from studio.runtime.apps.items import Objects
from studio.runtime.apps.perspective import set_upright

TILTED = np.array([[40.0, 50], [200, 30], [204, 62], [44, 82]])
CROOKED = np.array([[40.0, 50], [209, 33], [209, 71], [36, 84]])


@pytest.fixture
def pixels() -> np.ndarray:
    noise = np.random.default_rng(3).integers(0, 256, (120, 240, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


@pytest.fixture
def without_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)


def test_numpy_gives_the_pixels_of_opencv(
    pixels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    for outline in (TILTED, CROOKED):
        quick = set_upright(pixels, outline, 161, 32)
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "cv2", None)
            ours = set_upright(pixels, outline, 161, 32)
        assert quick is not None
        assert ours is not None
        gaps = np.abs(quick.astype(int) - ours)
        assert gaps.max() <= 1
        assert (gaps > 0).mean() < 1e-3


@pytest.mark.usefixtures("without_opencv")
def test_corners_in_one_line_have_no_area(pixels: np.ndarray) -> None:
    flat = np.array([[10.0, 10], [50, 10], [90, 10], [30, 10]])
    assert set_upright(pixels, flat, 80, 5) is None


@pytest.mark.usefixtures("without_opencv")
def test_an_upright_box_is_what_lies_in_it(pixels: np.ndarray) -> None:
    box = np.array([[20.0, 10], [60, 10], [60, 30], [20, 30]])
    found = set_upright(pixels, box, 40, 20)
    assert np.array_equal(found, pixels[10:30, 20:60])


def test_a_box_at_the_edge_ends_at_the_last_pixel(pixels: np.ndarray) -> None:
    box = np.array([[200.0, 100], [240, 100], [240, 120], [200, 120]])
    objects = Objects(pixels, np.zeros((1, 4)), np.ones(1), ("text",), outlines=box[None])
    found = crop_of(objects, 0)
    assert found is not None
    assert found.shape[:2] == (19, 39)
