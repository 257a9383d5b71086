"""Answers and confidences of outputs."""

from __future__ import annotations

import numpy
import pytest

from studio.api import Array
from studio.features.evidence.groups.answers import (
    BINARY,
    PROBABILITIES,
    SCORES,
    SOFTMAX,
    TEXTS,
    AnswerReader,
    SampleAnswer,
    settled,
)


def readings(*rows: list[float]) -> tuple[list[SampleAnswer], str]:
    reader = AnswerReader()
    return settled([reader.read({"y": numpy.array([row], numpy.float32)}) for row in rows])


def test_rows_that_add_up_to_one_are_probabilities() -> None:
    found, kind = readings([0.25, 0.75], [0.5, 0.5])
    assert kind == PROBABILITIES
    assert [one.answer for one in found] == ["1", "0"]
    assert found[0].probabilities == (0.25, 0.75)
    assert found[0].confidence == 0.75


def test_other_rows_pass_a_softmax() -> None:
    found, kind = readings([1.0, 3.0], [0.5, 0.5])
    assert kind == SOFTMAX
    assert found[0].confidence == pytest.approx(1 / (1 + numpy.exp(-2)))
    assert sum(found[0].probabilities) == pytest.approx(1)


def test_scores_of_independent_classes_are_no_probabilities() -> None:
    found, kind = readings([0.75, 0.5], [0.25, 0.125])
    assert kind == SCORES
    assert (found[0].confidence, found[0].probabilities) == (0.75, ())


def test_a_single_score_is_the_probability_of_the_second_class() -> None:
    found, kind = readings([0.25], [0.75])
    assert kind == BINARY
    assert [(one.answer, one.confidence) for one in found] == [("0", 0.75), ("1", 0.75)]
    assert found[0].probabilities == (0.75, 0.25)


def test_a_single_score_beyond_one_has_no_confidence() -> None:
    found, kind = readings([2.5], [-1.0])
    assert kind == ""
    assert [(one.answer, one.confidence) for one in found] == [("1", None), ("0", None)]


def test_scores_that_are_not_finite_have_no_confidence() -> None:
    assert readings([0.5, float("nan")])[1] == ""


def test_many_classes_keep_the_confidence_alone() -> None:
    found, _ = readings([0.0] * 200 + [1.0])
    assert (found[0].answer, found[0].confidence, found[0].probabilities) == ("200", 1.0, ())


def test_a_class_number_with_its_scores_in_another_output() -> None:
    outputs: dict[str, Array] = {
        "label": numpy.array([1]),
        "scores": numpy.array([[0.25, 0.75]], numpy.float32),
    }
    found, kind = settled([AnswerReader().read(outputs)])
    assert kind == PROBABILITIES
    assert (found[0].answer, found[0].confidence) == ("1", 0.75)
    outputs["scores"] = numpy.array([[0.75, 0.25]], numpy.float32)  # contradicts the number
    assert settled([AnswerReader().read(outputs)])[1] == ""


def test_texts_have_the_confidence_of_their_characters() -> None:
    steps = numpy.array([[[0.1, 0.9, 0.0], [0.8, 0.1, 0.1], [0.0, 0.3, 0.7]]], numpy.float32)
    found, kind = settled([AnswerReader(("a", "b"), by_class=False).read({"y": steps})])
    assert kind == TEXTS
    assert found[0].answer == "ab"
    assert found[0].confidence == pytest.approx(0.8, abs=1e-3)


def test_outputs_of_another_kind_have_no_answer() -> None:
    found, kind = settled([AnswerReader().read({"y": numpy.zeros((1, 4, 4), numpy.float32)})])
    assert (found[0], kind) == (SampleAnswer(), "")
