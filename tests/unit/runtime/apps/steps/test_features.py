"""Signals of features: layouts, scaling, chains of windows, and models that do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from studio.runtime.apps.items import FrameStamp
from studio.runtime.apps.settings import AppError
from studio.runtime.apps.steps.features import Features, FeatureSettings
from studio.runtime.apps.steps.signals import Window, WindowSettings
from tests.unit.runtime.apps.parts import Context


class Model(Context):
    """A model that gives a fixed output, or its input, and keeps what it was given."""

    batch = 1

    def __init__(self, output: Any = None, task: str = "") -> None:
        self.task = task
        self.output = output
        self.given: list[np.ndarray] = []

    def predictor(self, name: str) -> Any:
        return self

    def arrays(self, feeds: Mapping[str, np.ndarray]) -> dict[str, Any]:
        self.given.append(feeds[""])
        return {"y": feeds[""] if self.output is None else self.output}


def stamp(moment: float) -> FrameStamp:
    return FrameStamp("hall", 0, moment, 0.0, 0.0)


@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        ("samples", (4,)),
        ("samples x channels", (4, 3)),
        ("channels x samples", (3, 4)),
        ("samples x channels x 1", (4, 3, 1)),
    ],
)
def test_the_window_has_the_axes_of_the_input(layout: str, shape: tuple[int, ...]) -> None:
    model = Model(np.zeros((1, 2), np.float32))
    settings = FeatureSettings("m", layout, scale=2.0, offset=1.0)
    window = np.arange(12, dtype=np.float32).reshape(4, 3)
    Features("f", settings, model).process(stamp(0.0), window)
    (given,) = model.given
    assert given.shape == shape
    assert given.dtype == np.float32
    assert sorted(given.ravel()) == sorted(
        (window * 2 + 1)[:, : 1 if layout == "samples" else 3].ravel()
    )


@pytest.mark.parametrize("shape", [(1, 1, 8, 32), (8, 32), (1, 8, 1, 32)])
def test_rows_of_the_output_are_a_piece_of_a_signal(shape: tuple[int, ...]) -> None:
    output = np.arange(256, dtype=np.float64).reshape(shape)
    found = Features("f", FeatureSettings("m"), Model(output)).process(
        stamp(0.0), np.zeros((4, 1), np.float32)
    )
    assert found.value.shape == (8, 32)
    assert found.value.dtype == np.float32
    assert found.value[1, 0] == 32.0


def test_windows_over_features_hold_the_newest_rows() -> None:
    model = Model()
    features = Features("f", FeatureSettings("m", "samples x channels"), model)
    window = Window("w", WindowSettings(100.0, 0.04, 0.02), Context())
    found = []
    for number in range(5):
        rows = np.full((2, 3), number, np.float32)
        at = stamp(number * 0.02)
        output = window.process(at, features.process(at, rows).value)
        found += [] if output.value is None else [output.value[:, 0].tolist()]
    assert found == [[0, 0, 1, 1], [1, 1, 2, 2], [2, 2, 3, 3], [3, 3, 4, 4]]


@pytest.mark.parametrize(
    ("settings", "task", "sentence"),
    [
        (FeatureSettings("m", "sideways"), "", "layout is one of"),
        (FeatureSettings("m"), "probability", "has a meaning"),
    ],
)
def test_a_model_or_a_layout_that_does_not_fit(
    settings: FeatureSettings, task: str, sentence: str
) -> None:
    with pytest.raises(AppError, match=sentence):
        Features("f", settings, Model(task=task))


@pytest.mark.parametrize("output", [np.float32(1.0), np.zeros((1, 0, 4), np.float32)])
def test_an_output_without_features_fails_the_frame(output: Any) -> None:
    step = Features("f", FeatureSettings("m"), Model(output))
    with pytest.raises(ValueError, match="gives no features"):
        step.process(stamp(0.0), np.zeros((4, 1), np.float32))
