"""Arrays for inputs of other types."""

from __future__ import annotations

import numpy
import pytest

from studio.api import InvalidData, Quantization, TensorType, Value
from studio.datasets.fit import conform
from studio.evaluation.float_outputs import in_floats, quantized_ends

STEPS = Quantization(0.5, -10)
INT8 = Value("x", TensorType("int8", (3,)), STEPS)


def test_floats_become_the_nearest_steps_of_a_quantized_input() -> None:
    found = conform(numpy.array([0.0, 1.3, -1.0]), INT8, "a")
    assert found.dtype == numpy.int8
    assert found.tolist() == [-10, -7, -12]


def test_floats_beyond_the_range_get_its_ends() -> None:
    found = conform(numpy.array([1e30, -1e30, 68.5], numpy.float32), INT8, "a")
    assert found.tolist() == [127, -128, 127]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("zero_point", [0, 2**62, -(2**62)])
def test_steps_of_a_hostile_file_stay_within_the_type(zero_point: int) -> None:
    hostile = Value("x", TensorType("int8", (3,)), Quantization(1e-45, zero_point))
    found = conform(numpy.array([1e300, -1e300, 0.0]), hostile, "a")
    assert found.dtype == numpy.int8
    assert found[0] == 127
    assert found[1] == -128
    assert -128 <= found[2] <= 127


def test_integers_are_steps_already() -> None:
    given = numpy.array([-128, 0, 127])
    assert conform(given, INT8, "a").tolist() == given.tolist()


@pytest.mark.parametrize("bad", [numpy.nan, numpy.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(InvalidData, match="Sample a"):
        conform(numpy.array([0.0, bad, 1.0]), INT8, "a")


def test_without_steps_floats_are_refused_as_before() -> None:
    plain = Value("x", TensorType("int8", (3,)))
    with pytest.raises(InvalidData, match="but the model wants int8"):
        conform(numpy.zeros(3), plain, "a")


def test_outputs_of_steps_are_floats_where_they_are_scored() -> None:
    steps = quantized_ends([INT8, Value("y", TensorType("int64", (1,)))])
    found = in_floats({"x": numpy.array([-10, 0], numpy.int8), "y": numpy.array([3])}, steps)
    assert found["x"].tolist() == [0.0, 5.0]
    assert found["x"].dtype == numpy.float32
    assert found["y"].tolist() == [3]
