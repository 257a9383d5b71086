"""The metrics, on outputs whose score can be counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.api import InvalidData, UsageError
from studio_metrics.classes import Top1
from studio_metrics.texts import (
    CharacterErrorRate,
    ExactMatch,
    alphabet,
    decode,
    distance,
)


def scores(*classes: int, count: int = 3) -> list[dict[str, numpy.ndarray]]:
    return [{"logits": numpy.eye(count, dtype="float32")[[index]]} for index in classes]


def test_top1_is_the_share_that_is_right() -> None:
    assert Top1().score(scores(0, 1, 2, 2), [0, 1, 2, 0], {}) == 0.75


def test_top1_of_a_model_that_gives_the_class() -> None:
    assert Top1().score([{"label": numpy.array([7])}], [7], {}) == 1.0


def test_top1_of_another_output() -> None:
    outputs = [{"box": numpy.zeros((1, 4)), "cls": numpy.array([[0.1, 0.9]])}]
    assert Top1().score(outputs, [1], {"output": "cls"}) == 1.0
    with pytest.raises(InvalidData, match="no output 'x' to be scored; it has box, cls"):
        Top1().score(outputs, [1], {"output": "x"})


@pytest.mark.parametrize(
    ("outputs", "labels", "sentence"),
    [
        (scores(0), ["cat"], "'cat' is a text"),
        (scores(0), [3], "label 3 is outside the model's 3 classes"),
        ([{"map": numpy.zeros((1, 3, 8, 8))}], [0], "output's shape is 1×3×8×8"),
        ([], [], "no labelled samples"),
        (scores(0, 1), [0], "not as many labels"),
    ],
)
def test_top1_of_what_cannot_be_compared(
    outputs: list[dict[str, numpy.ndarray]], labels: list[int | str], sentence: str
) -> None:
    with pytest.raises(InvalidData, match=sentence):
        Top1().score(outputs, labels, {})


def text_scores(path: Sequence[int], classes: int) -> dict[str, numpy.ndarray]:
    return {"out": numpy.eye(classes, dtype="float32")[list(path)][None]}


def test_decoding_drops_repetitions_and_blanks() -> None:
    known = ["", "a", "b"]
    path = [0, 1, 1, 0, 1, 2, 2, 0]
    assert decode(text_scores(path, 3)["out"], known, 0) == "aab"


def test_decoding_with_the_blank_at_the_end() -> None:
    assert decode(text_scores([0, 0, 2, 0, 1], 3)["out"], ["a", "b", ""], 2) == "aab"


def test_the_alphabet_is_completed() -> None:
    assert alphabet(["a", "b"], 3, 0) == ["", "a", "b"]
    assert alphabet(["a", "b"], 4, 0) == ["", "a", "b", " "]
    assert alphabet(["a", "b"], 3, 2) == ["a", "b", ""]
    with pytest.raises(InvalidData, match="has 2 characters, but the model has 9 classes"):
        alphabet(["a", "b"], 9, 0)


@pytest.fixture
def dictionary(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "d.txt").write_text("a\nb\n\u2028\n", encoding="utf-8")
    return {"dictionary": str(tmp_path / "d.txt")}


def test_exact_match_and_character_errors(dictionary: dict[str, str]) -> None:
    outputs = [text_scores([1, 0, 2], 5), text_scores([1, 4, 2], 5), text_scores([3], 5)]
    labels = ["ab", "a bb", "\u2028"]
    assert ExactMatch().score(outputs, labels, dictionary) == pytest.approx(2 / 3)
    assert CharacterErrorRate().score(outputs, labels, dictionary) == pytest.approx(1 / 7)


def test_text_metrics_without_a_dictionary(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Missing option Dictionary"):
        ExactMatch().score([], [], {})
    with pytest.raises(InvalidData, match=r"dictionary absent\.txt cannot be read"):
        ExactMatch().score([], [], {"dictionary": str(tmp_path / "absent.txt")})


def test_a_text_metric_of_a_classifier(dictionary: dict[str, str]) -> None:
    with pytest.raises(InvalidData, match="steps × classes"):
        ExactMatch().score([{"out": numpy.zeros((2, 3, 5))}], ["a"], dictionary)


@pytest.mark.parametrize(
    ("first", "second", "edits"),
    [("", "", 0), ("abc", "abc", 0), ("kitten", "sitting", 3), ("", "abc", 3), ("ab", "ba", 2)],
)
def test_edit_distance(first: str, second: str, edits: int) -> None:
    assert distance(first, second) == edits


@given(st.text("ab ", max_size=6), st.text("ab ", max_size=6), st.text("ab ", max_size=6))
def test_edit_distance_is_a_metric(a: str, b: str, c: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, c) <= distance(a, b) + distance(b, c)
