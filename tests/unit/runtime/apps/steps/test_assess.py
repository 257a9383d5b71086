"""Rows of values assessed: probability, decision, reasons, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from studio.runtime.apps.items import FrameStamp
from studio.runtime.apps.settings import AppError
from studio.runtime.apps.steps.assess import Assess, AssessSettings, Predict, PredictSettings
from tests.unit.runtime.apps.parts import Context

WEIGHTS = np.array([1.0, -2.0, 0.0])
SETTINGS = AssessSettings(
    "risk",
    ("pulse", "pressure", "height"),
    least=(0.0, -5.0, -5.0),
    most=(5.0, 5.0, 5.0),
    reference=(1.0, 1.0, 1.0),
    units=("bpm", "", ""),
)
STAMP = FrameStamp("ward", 0, 0.0, 0.0, 0.0)


class Risk(Context):
    """A logistic model with known weights, which is its own context."""

    task = "probability"
    batch = 1

    def predictor(self, name: str) -> Any:
        return self

    def pictures(self, pixels: Any) -> Any:
        raise AssertionError("rows are wanted")

    def arrays(self, feeds: Mapping[str, np.ndarray]) -> dict[str, Any]:
        likely = 1 / (1 + np.exp(-float(feeds[""] @ WEIGHTS)))
        return {"probability": likely, "decision": "refer" if 0.3 < likely < 0.7 else "sure"}


def assessed(*rows: list[float], settings: AssessSettings = SETTINGS) -> list[dict[str, Any]]:
    output = Assess("desk", settings, Risk()).process(STAMP, np.array(rows, np.float32))
    return [{"kind": event.kind, **event.details} for event in output.events]


def test_each_row_gets_a_probability_and_its_decision() -> None:
    one, two = assessed([2.0, 0.5, 3.0], [0.0, 0.0, 0.0])
    assert one["probability"] == pytest.approx(1 / (1 + np.exp(-1.0)), abs=1e-6)
    assert (one["kind"], two["decision"]) == ("assessment", "refer")
    assert one["given"] == {"pulse": 2.0, "pressure": 0.5, "height": 3.0}


def test_reasons_are_the_features_that_matter_the_largest_first() -> None:
    (found,) = assessed([2.0, 0.5, 3.0])
    assert [one["feature"] for one in found["reasons"]] == ["pulse", "pressure", "height"]
    assert found["reasons"][2]["change"] == 0.0
    assert found["reasons"][0]["change"] > 0


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([9.0, 0.0, 0.0], "pulse is 9 bpm, outside 0 to 5 bpm."),
        ([1.0, -6.0, 0.0], "pressure is -6, outside -5 to 5."),
        ([1.0, np.nan, 0.0], "pressure is missing."),
        ([1.0, np.inf, 0.0], "pressure is missing."),
    ],
)
def test_values_out_of_range_are_refused_in_a_sentence(row: list[float], words: str) -> None:
    (found,) = assessed(row)
    assert found["kind"] == "refused"
    assert found["refused"] == words
    assert "probability" not in found


def test_a_row_of_another_length_is_refused() -> None:
    (found,) = assessed([1.0, 2.0])
    assert found["refused"] == "The row has 2 values instead of 3."


def test_lists_of_other_lengths_are_refused_before_any_row() -> None:
    with pytest.raises(AppError, match=r"steps.desk: most needs one value for each of the 3"):
        Assess("desk", SETTINGS._replace(most=(1.0,)), Risk())


def test_a_model_without_a_probability_is_refused() -> None:
    other = Risk()
    other.task = "regression"
    with pytest.raises(AppError, match="gives no probability"):
        Assess("desk", SETTINGS, other)


@pytest.mark.parametrize(
    ("layout", "shape"),
    [("samples", (50,)), ("samples x channels", (50, 2)), ("channels x samples", (2, 50))],
)
def test_windows_have_the_layout_of_the_model(layout: str, shape: tuple[int, ...]) -> None:
    seen = []

    class Seen(Risk):
        def arrays(self, feeds: Mapping[str, np.ndarray]) -> dict[str, Any]:
            seen.append(feeds[""].shape)
            return {"values": [{"name": "wear", "value": 0.5}, {"value": None}]}

    step = Predict("wear", PredictSettings("model", layout), Seen())
    assert step.process(STAMP, np.ones((50, 2), np.float32)).value == {"wear": 0.5}
    assert seen == [shape]


def test_a_layout_that_is_unknown_is_refused() -> None:
    with pytest.raises(AppError, match="layout is one of: samples"):
        Predict("wear", PredictSettings("model", "rows"), Risk())
