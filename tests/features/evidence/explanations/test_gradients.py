"""Integrated gradients: values that add up, and sentences where a model has no gradient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
from onnx import TensorProto, helper

from studio.api import UsageError
from studio.features.evidence.explanations.method_choice import MethodChoice
from studio.features.evidence.explanations.methods.integrated_gradients import integrated_gradients
from studio.features.evidence.explanations.methods.perturbation import Perturbation, each
from studio.features.evidence.explanations.methods.scorer import BoundedScorer, Floats
from studio.features.evidence.explanations.question import altered_input
from studio.features.evidence.explanations.record import prepared
from studio.features.evidence.explanations.report import report
from studio.features.evidence.explanations.texts import explained as lines_of
from studio.features.evidence.explanations.work import explain
from studio.registry import ModelRef, Registry, VariantRecord
from tests.features.evidence.explanations.test_work import (
    HELDOUT,
    linear_rows,
    network,
    options,
    refused,
    run,
    token_counter,
)
from tests.unit.evaluation.test_on_target import TARGET, Connector, shelf
from tests.unit.quantization.conftest import FakeJob

__all__ = ["shelf"]

METHOD = "integrated-gradients"


class Square:
    """A scorer: the sum of squares, and its slope."""

    def scores(self, batch: Any) -> Floats:
        found: Floats = (batch.astype(numpy.float64) ** 2).reshape(len(batch), -1).sum(axis=1)
        return found


class Slope:
    """The slope of that scorer."""

    def scores(self, batch: Any) -> Floats:
        found: Floats = 2 * batch.astype(numpy.float64)
        return found


def test_values_of_squares_are_exact() -> None:
    sample = numpy.array([[1, 2, -3]], dtype=numpy.float32)
    altered = Perturbation(sample, numpy.zeros_like(sample), (1,), each((3,)))
    found = integrated_gradients(Square(), Slope(), altered, 100)
    assert found.values == pytest.approx([1, 4, 9])
    assert found.steps == 16
    assert found.by_feature


def test_several_references_are_averaged() -> None:
    sample = numpy.array([[3]], dtype=numpy.float32)
    reference = numpy.array([[1], [2]], dtype=numpy.float32)
    found = integrated_gradients(
        Square(), Slope(), Perturbation(sample, reference, (1,), each((1,))), 100
    )
    assert found.values == pytest.approx([9 - 2.5])


def test_channels_of_a_place_are_added_up() -> None:
    sample = numpy.ones((1, 3, 2, 4), dtype=numpy.float32)
    altered = Perturbation(sample, numpy.zeros_like(sample), (2, 3), each((2, 4)))
    found = integrated_gradients(Square(), Slope(), altered, 100)
    assert found.values == pytest.approx(numpy.full((2, 4), 3.0))


class Flat:
    """A slope that never adds up."""

    def scores(self, batch: Any) -> Floats:
        return numpy.zeros(batch.shape)


def test_steps_stay_below_the_bound() -> None:
    sample = numpy.ones((1, 2), dtype=numpy.float32)
    altered = Perturbation(sample, numpy.zeros_like(sample), (1,), each((2,)))
    scorer = BoundedScorer(Square(), 100)
    found = integrated_gradients(scorer, scorer.sharing(Flat()), altered, 100)
    assert found.steps == 32
    assert scorer.used == 2 + 16 + 32


@pytest.mark.slow
def test_a_picture_adds_up_to_the_change_of_its_score(digits: VariantRecord, job: FakeJob) -> None:
    result = run(ModelRef.of(digits), HELDOUT, job, sample=["3"], method=METHOD, sanity=True)
    (sample,) = result.samples
    assert sample.method == METHOD
    assert sample.completeness is not None
    assert abs(sample.completeness.residual) < 0.005
    assert sample.completeness.change == pytest.approx(
        sample.score - sample.reference_score, abs=1e-5
    )
    assert sample.sanity is not None
    assert sample.sanity.passed
    assert sample.curves is not None
    assert sample.curves.deletion < sample.curves.insertion
    with numpy.load(job.folder / result.maps) as maps:
        values = maps[sample.map]
    assert values.sum() == pytest.approx(sample.completeness.total, abs=1e-4)
    assert any("residual" in line for line in lines_of(result))
    assert "Completeness" in report(result, b"")


@pytest.mark.slow
def test_features_of_a_linear_model_have_their_share(tmp_path: Path, job: FakeJob) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("a,b,c,d,e,f\n1,1,1,1,1,1\n3,3,3,3,3,3\n", encoding="utf-8")
    result = run(linear_rows(tmp_path), data, job, sample=["1"], method=METHOD)
    (sample,) = result.samples
    assert [one.share for one in sample.features] == pytest.approx([1, 2, 3, 4, 5, 6])


@pytest.mark.slow
def test_a_signal_gets_a_line(tmp_path: Path, job: FakeJob) -> None:
    value = helper.make_tensor_value_info
    weights = numpy.zeros((1, 2, 4), dtype=numpy.float32)
    weights[0, 1, 2] = 5
    nodes = [
        helper.make_node("Mul", ["x", "w"], ["m"]),
        helper.make_node("Flatten", ["m"], ["rows"]),
        helper.make_node("ReduceSum", ["rows", "axes"], ["y"]),
    ]
    model = network(
        tmp_path,
        nodes,
        value("x", TensorProto.FLOAT, ["n", 2, 4]),
        value("y", TensorProto.FLOAT, ["n", 1]),
        {"w": weights, "axes": numpy.array([1])},
    )
    data = tmp_path / "x.npy"
    numpy.save(data, numpy.ones((2, 2, 4), dtype=numpy.float32))
    result = run(model, data, job, method=METHOD, reference="zero")
    with numpy.load(job.folder / result.maps) as maps:
        assert maps[result.samples[0].map].tolist() == [0, 0, 5, 0]


@pytest.mark.slow
def test_a_model_without_a_gradient_is_named(tmp_path: Path, job: FakeJob) -> None:
    value = helper.make_tensor_value_info
    model = network(
        tmp_path,
        [helper.make_node("CumSum", ["x", "axis"], ["y"])],
        value("x", TensorProto.FLOAT, ["n", 3]),
        value("y", TensorProto.FLOAT, ["n", 3]),
        {"axis": numpy.array(1)},
    )
    data = tmp_path / "x.npy"
    numpy.save(data, numpy.ones((2, 3), dtype=numpy.float32))
    error = refused(model, data, job, method=METHOD)
    assert error.message == "The gradient through CumSum is not known."


@pytest.mark.slow
def test_a_text_is_refused(tmp_path: Path, job: FakeJob) -> None:
    data = tmp_path / "ids.npy"
    numpy.save(data, numpy.array([[1, 3, 2, 5, 1]], dtype=numpy.int64))
    error = refused(token_counter(tmp_path), data, job, method=METHOD)
    assert error.message.startswith("Integrated gradients need numbers that can change a little")


@pytest.mark.slow
def test_too_few_evaluations_are_refused(digits: VariantRecord, job: FakeJob) -> None:
    error = refused(ModelRef.of(digits), HELDOUT, job, method=METHOD, evaluations=10)
    assert error.message == "The integral needs at least 18 evaluations here, and the bound is 10."


@pytest.mark.slow
def test_a_target_is_refused(digits: VariantRecord, job: FakeJob, shelf: Connector) -> None:
    given = replace(options(ModelRef.of(digits), HELDOUT, method=METHOD), target=TARGET)
    with pytest.raises(UsageError, match=r"computed on this computer, not on a target\.$"):
        explain(given, job)


def test_another_format_is_refused_before_anything_runs(
    registry: Registry, digits: VariantRecord
) -> None:
    model = replace(ModelRef.of(digits), format="tflite")
    with pytest.raises(UsageError, match=r"need an ONNX model, not tflite\.$"):
        prepared(registry, options(model, HELDOUT, method=METHOD))


def test_a_box_is_refused() -> None:
    picture = numpy.zeros((1, 3, 8, 8), dtype=numpy.float32)
    wanted = MethodChoice(METHOD, 100, 0)
    with pytest.raises(UsageError, match=r"one score of a classifier, not a box\.$"):
        MethodChoice.of(wanted, altered_input({"x": picture}), picture, is_detector=True)
