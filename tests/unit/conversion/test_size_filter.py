"""The choice of samples that have the sizes of a model whose sizes are fixed."""

from __future__ import annotations

from pathlib import Path

import numpy

from studio.api import TensorType, Value
from studio.conversion.size_filter import fitting_samples

OPEN = (Value("x", TensorType("float32", ("batch", 3, "width"))),)
FIXED = (Value("x", TensorType("float32", (1, 3, 8))),)


def folder(tmp_path: Path, widths: list[int]) -> Path:
    for number, width in enumerate(widths):
        array = numpy.full((1, 3, width), number, numpy.float32)
        numpy.savez(tmp_path / f"{number:04}.npz", x=array)
    return tmp_path


def test_those_of_other_sizes_are_left_out(tmp_path: Path) -> None:
    found = fitting_samples(folder(tmp_path, [8, 9, 8, 7]), OPEN, FIXED, 200)
    assert [int(one["x"][0, 0, 0]) for one in found.feeds] == [0, 2]
    assert (found.read, found.left_out) == (4, 2)


def test_more_are_read_where_none_of_the_first_fits(tmp_path: Path) -> None:
    found = fitting_samples(folder(tmp_path, [9, 8, 9, 9, 8, 9]), OPEN, FIXED, 1)
    assert [int(one["x"][0, 0, 0]) for one in found.feeds] == [1]


def test_none_of_these_sizes_is_a_sentence(tmp_path: Path) -> None:
    found = fitting_samples(folder(tmp_path, [9, 9, 10]), OPEN, FIXED, 4)
    assert not found.samples
    assert found.problem(FIXED) == (
        "None of 3 samples has the sizes of the new model (x=float32 1×3×8)."
    )


def test_sizes_that_stay_open_fit_any(tmp_path: Path) -> None:
    found = fitting_samples(folder(tmp_path, [8, 9]), OPEN, OPEN, 4)
    assert (len(found.samples), found.left_out) == (2, 0)
