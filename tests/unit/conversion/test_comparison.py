"""The error between a converted model and its original."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import Graph, InvalidModel, Node
from studio.conversion.comparison import _ranged, _read, is_quantized, write_request
from studio.conversion.errors import Worst, relative_error
from studio.conversion.results import LARGEST_ERROR, ConversionCheck, ConversionResult
from studio.conversion.texts import converted, exit_code
from studio.conversion.work import weak_outputs


def floats(*values: float) -> Any:
    return numpy.array(values, numpy.float32)


@pytest.mark.parametrize(
    ("ours", "theirs", "error"),
    [
        (floats(1, 2), floats(1, 2), 0.0),
        (floats(1, 2.5), floats(1, 2), 0.25),
        (floats(0, 0), floats(0, 0), 0.0),
        (floats(float("nan"), 1), floats(float("nan"), 1), 0.0),
        (floats(float("nan"), 1), floats(1, 1), 1.0),
        (floats(1, 1), floats(float("nan"), 1), 1.0),
        (floats(float("inf")), floats(float("inf")), 0.0),
        (floats(float("-inf")), floats(float("inf")), 1.0),
        (floats(float("inf"), 1), floats(2, 1), 1.0),
        (floats(), floats(), 0.0),
        (numpy.array([1, 2]), numpy.array([1, 4]), 0.5),
        (numpy.array([True]), numpy.array([False]), 1.0),
        (numpy.array([0, 3]), numpy.array([0, 0]), 3.0),
        (floats(1e-3), floats(0), 1.0),
        (floats(1e-5), floats(1.1e-5), 1e-3),
        (numpy.array(["a"]), numpy.array(["a"]), 0.0),
        (numpy.array(["a"]), numpy.array(["b"]), 1.0),
    ],
)
def test_relative_errors(ours: Any, theirs: Any, error: float) -> None:
    assert relative_error(ours, theirs) == pytest.approx(error)


@pytest.mark.parametrize(("operator", "rounds"), [("Conv", False), ("QuantizeLinear", True)])
def test_a_model_that_rounds_to_steps(operator: str, rounds: bool) -> None:
    graph = Graph("g", (), (), (Node("n", operator, (), ()),))
    assert is_quantized(graph) is rounds


def test_the_worst_output_is_named_and_rows_are_counted() -> None:
    worst = Worst(("a", "b"))
    worst.add(
        {"a": floats(1, 2), "b": numpy.array([[0.0, 1.0], [1.0, 0.0]])},
        {"a": floats(1, 2), "b": numpy.array([[0.0, 2.0], [0.5, 1.0]])},
    )
    assert (worst.error, worst.output) == (0.5, "b")
    assert worst.argmax_equal == 0.5


def test_outputs_that_are_nearly_zero_are_named() -> None:
    """An error of 1e-17 beside a floor of 1e-3 proves little, as with random weights."""
    worst = Worst(["faint", "now and then", "nan"])
    for value in (1e-5, 0.5):
        arrays = {"faint": floats(1e-5), "now and then": floats(value), "nan": floats(numpy.nan)}
        worst.add(arrays, arrays)
    check = worst.check("PyTorch 2.13.0", 2)
    assert check.equal
    assert check.faint == ("faint", "nan")
    assert weak_outputs(check) == (
        "The output 'faint' and 1 more is nearly zero, or no number, on all samples, so equal "
        "numbers prove little. Compare on real ones with --data.",
    )


def test_outputs_that_never_change_are_named() -> None:
    """Equal constants say nothing of the layers before them."""
    worst = Worst(["still", "moving", "once"])
    for number, shape in enumerate([(1, 2), (1, 2), (3, 2)]):
        still, moving = numpy.full(shape, 0.25, "float32"), numpy.full(shape, number, "float32")
        once = numpy.full((number + 1, 2), 0.5, "float32")
        arrays = {"still": still, "moving": moving, "once": once}
        worst.add(arrays, arrays)
    check = worst.check("PyTorch 2.13.0", 3)
    assert check.constant == ("still",)
    assert weak_outputs(check) == (
        "The output 'still' is the same on all samples, so equal numbers prove little. Compare on "
        "real ones with --data.",
    )


def test_without_rows_there_is_no_share() -> None:
    worst = Worst(("a",))
    worst.add({"a": floats(1)}, {"a": floats(1)})
    assert worst.argmax_equal is None
    assert (worst.error, worst.output) == (0.0, "a")


def test_another_shape_is_no_matter_of_rounding() -> None:
    with pytest.raises(InvalidModel, match=r"shape \(1,\) after the conversion, and \(2,\)"):
        Worst(("a",)).add({"a": floats(1)}, {"a": floats(1, 2)})


def test_samples_are_spread_between_the_lowest_and_the_highest() -> None:
    feeds = {"x": numpy.array([[-9, 0, 9]], numpy.float32), "y": floats(7)}
    found = _ranged(feeds, {"x": ([0, 0, -4], [1, 2, -2])})
    assert found["x"].dtype == numpy.float32
    assert numpy.allclose(found["x"], [[0, 1, -2]], atol=1e-6)
    assert found["y"][0] == 7


@pytest.mark.parametrize(
    "ranges",
    [{"z": ([0], [1])}, {"x": ([0] * 9, [1] * 9)}, {"x": "no"}, {"x": (["a"], [1])}, [1], {"x": 5}],
)
def test_ranges_that_do_not_fit_are_refused(ranges: Any) -> None:
    with pytest.raises(InvalidModel, match="do not fit the inputs"):
        _ranged({"x": numpy.zeros((1, 3), numpy.float32)}, ranges)


def test_answers_are_in_the_order_of_the_outputs(tmp_path: Path) -> None:
    file = tmp_path / "0.npz"
    numpy.savez(file, **{"1": floats(1), "0": floats(0)})
    assert {name: array[0] for name, array in _read(file, ("a", "b")).items()} == {"a": 0, "b": 1}


@pytest.mark.parametrize("arrays", [{"a": floats(1)}, {"0": floats(1), "2": floats(1)}])
def test_answers_that_are_not_numbered(tmp_path: Path, arrays: dict[str, Any]) -> None:
    numpy.savez(tmp_path / "0.npz", **arrays)
    with pytest.raises(InvalidModel, match="answers cannot be read"):
        _read(tmp_path / "0.npz", ("a",) * len(arrays))


def test_answers_that_are_pickles_are_not_read(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "0.npz", **{"0": numpy.array([{}], object)})
    with pytest.raises(InvalidModel, match="answers cannot be read"):
        _read(tmp_path / "0.npz", ("a",))


def test_missing_answers(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="answers cannot be read"):
        _read(tmp_path / "none.npz", ("a",))


def test_inputs_keep_names_that_numpy_wants_for_itself(tmp_path: Path) -> None:
    write_request(tmp_path / "0.npz", {"file": floats(1), "a/b": floats(2)})
    with numpy.load(tmp_path / "0.npz") as arrays:
        assert sorted(arrays.files) == ["a/b", "file"]


def test_texts_are_written_without_a_pickle(tmp_path: Path) -> None:
    write_request(tmp_path / "0.npz", {"x": numpy.array([["Rome"], ["Oslo"]], object)})
    with numpy.load(tmp_path / "0.npz", allow_pickle=False) as arrays:
        assert arrays["x"].tolist() == [["Rome"], ["Oslo"]]


def result(error: float) -> ConversionResult:
    check = ConversionCheck("PyTorch 2.13.0", 5, error, 1.0, "y")
    return ConversionResult(
        source="a.pt2",
        format="pytorch-export",
        output="a.onnx",
        seconds=3.04,
        checks=(check,),
        dynamic={"x": ("batch",)},
        warnings=("Look twice.",),
    )


def test_lines_for_people() -> None:
    assert converted(result(2e-7)) == [
        "Converted in 3.0 s: a.onnx",
        "equal to PyTorch 2.13.0 on 5 samples: largest relative error 2.0e-07, "
        "argmax equal in 100.0%",
        "dynamic   x: batch",
        "warning   Look twice.",
    ]


def test_a_difference_beyond_rounding_is_a_missed_gate() -> None:
    assert exit_code(result(LARGEST_ERROR)) == 0
    assert exit_code(result(LARGEST_ERROR * 1.01)) == 3
    assert "differs from PyTorch" in converted(result(0.1))[1]


def test_int8_is_not_called_equal() -> None:
    check = ConversionCheck("ONNX Runtime 1.32.0", 4, 0.35, 1.0, "y", limit=None)
    found = ConversionResult(source="m.onnx", format="onnx", checks=(check,))
    assert converted(found)[1].startswith("next to ONNX Runtime 1.32.0 on 4 samples")
    assert exit_code(found) == 0
