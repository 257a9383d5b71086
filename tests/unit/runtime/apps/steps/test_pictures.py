"""Steps on pictures: regions, changes, and persons who cannot be recognised."""

from __future__ import annotations

import numpy as np
import pytest

from studio.runtime.apps.items import NOTHING, FrameStamp, Objects
from studio.runtime.apps.settings import AppError
from studio.runtime.apps.steps.pictures import (
    Blur,
    BlurSettings,
    Changed,
    ChangedSettings,
    Crop,
    CropSettings,
)
from tests.unit.runtime.apps.parts import Context


def stamp(at: float = 0.0) -> FrameStamp:
    return FrameStamp("shelf", int(at), at, at, 0.0)


def noise(seed: int = 0, height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_a_region_is_cut_out() -> None:
    step = Crop("price", CropSettings((10, 5, 30, 25)), Context())
    assert np.array_equal(step.process(stamp(), noise()).value, noise()[5:25, 10:30])
    with pytest.raises(ValueError, match="outside the picture of 8 x 4"):
        step.process(stamp(), noise(height=4, width=8))


@pytest.mark.parametrize("box", [(), (1, 2, 3), (5, 5, 5, 9), (-1, 0, 4, 4), (9, 9, 1, 1)])
def test_a_region_without_an_area_is_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(AppError, match=r"steps.price: box is left, top, right and bottom."):
        Crop("price", CropSettings(box), Context())


def test_only_changed_pictures_pass() -> None:
    step = Changed("new", ChangedSettings(), Context())
    assert step.process(stamp(0), noise(1)).value is not None
    assert step.process(stamp(1), noise(1)) is NOTHING
    assert step.process(stamp(2), noise(2)).value is not None
    assert step.process(stamp(3), noise(2)) is NOTHING


def test_an_unchanged_picture_passes_when_it_is_time() -> None:
    step = Changed("new", ChangedSettings(at_least_s=5.0), Context())
    passed = [at for at in range(12) if step.process(stamp(at), noise(1)) is not NOTHING]
    assert passed == [0, 5, 10]


def test_nothing_of_a_blurred_object_can_be_recognised() -> None:
    pixels = noise()
    corners = np.array([[10, 5, 30, 35], [-5, -5, 4, 4], [50, 30, 99, 99]], float)
    objects = Objects(pixels, corners, np.ones(3), ("person", "person", "car"))
    found = Blur("private", BlurSettings(("person",)), Context()).process(stamp(), objects).value
    inside = found.pixels[5:36, 10:31]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) < inside[..., 0].size / 2
    assert np.abs(inside.astype(int) - pixels[5:36, 10:31]).mean() > 10
    assert np.array_equal(found.pixels[31:, 51:], pixels[31:, 51:])
    assert np.array_equal(objects.pixels, noise()), "the picture of the source is not changed"


def test_all_objects_are_blurred_without_classes() -> None:
    objects = Objects(noise(), np.array([[0, 0, 60, 40.0]]), np.ones(1), ("car",))
    found = Blur("private", BlurSettings(), Context()).process(stamp(), objects).value
    assert not np.array_equal(found.pixels, objects.pixels)
