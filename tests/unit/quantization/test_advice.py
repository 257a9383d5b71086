"""What is said of a variant, and of int8 before it is made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy
import pytest

from studio.quantization.advice import advice, doubts
from studio.quantization.preflight import preview
from studio.quantization.results import SpeedupOutlook
from studio.quantization.step import PREVIEW
from studio.registry import VariantRecord

from .conftest import DIGITS, FakeJob, options_of


@pytest.mark.parametrize(
    ("interval", "sqnr", "drop", "said"),
    [
        ((0.4, 0.6), 30.0, None, None),
        ((1.1, 1.2), 30.0, None, "slower than float"),
        ((0.9, 1.1), 30.0, None, "not measurably faster"),
        ((0.4, 0.6), 6.0, None, "6.0 dB"),
        ((0.4, 0.6), 6.0, 0.0, None),
        (None, None, None, None),
    ],
)
def test_advice(
    interval: tuple[float, float] | None, sqnr: float | None, drop: float | None, said: str | None
) -> None:
    found = advice("int8", interval, sqnr, drop)
    assert found is None if said is None else said in str(found)


def looked_ahead(variant: VariantRecord, job: FakeJob, **given: Any) -> SpeedupOutlook:
    data = str(DIGITS / "calibration.npz")
    found = preview(options_of(PREVIEW, variant, data=data, trial=True, **given), job).outlook
    assert found is not None
    return found


def test_a_trial_is_the_time_of_the_model_itself(digits: VariantRecord, job: FakeJob) -> None:
    found = looked_ahead(digits, job)
    assert found.tried
    assert found.ratio is not None
    assert found.low < found.ratio < found.high
    assert "tried with one sample" in found.sentence


def test_what_cannot_be_quantized_is_a_sentence(digits: VariantRecord, job: FakeJob) -> None:
    preset = 'method = "static-int8"\nkeep = ["Conv", "Gemm", "MatMul*"]'
    found = looked_ahead(digits, job, preset=preset)
    assert not found.tried
    assert found.sentence.startswith("No. ")


class Samples(list[dict[str, numpy.ndarray[Any, Any]]]):
    """A dataset of these feeds."""

    def __iter__(self) -> Any:
        return (SimpleNamespace(feeds=feeds) for feeds in list.__iter__(self))


def test_ranges_of_one_sample_and_of_constant_data_are_doubted() -> None:
    varied = {"x": numpy.array([[0.0, 1.0]], numpy.float32), "n": numpy.array([3])}
    flat = {"x": numpy.zeros((1, 2), numpy.float32), "n": numpy.array([3])}
    assert doubts(None) == ""
    assert doubts(Samples([varied, varied])) == ""
    assert doubts(Samples([flat, varied])) == ""
    assert "one sample" in doubts(Samples([varied]))
    said = doubts(Samples([flat, flat]))
    assert "input 'x' have the value 0" in said
    assert advice("int8", None, 30.0, None, said) == f"{said[0].upper()}{said[1:]}."


def test_a_file_that_became_larger_is_said() -> None:
    found = advice("int8", (1.0, 1.02), 30.0, None, "", 1.31)
    assert found is not None
    assert found.startswith("Int8 makes the file larger (1.31 of the original)")
    assert "unless its size matters" not in found
    assert advice("int8", (0.5, 0.6), 30.0, None, "", 0.31) is None
