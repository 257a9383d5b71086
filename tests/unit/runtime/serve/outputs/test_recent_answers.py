"""Answers kept by id, and the labels that are held against them."""

from __future__ import annotations

import numpy as np
import pytest

from studio.runtime.serve.outputs.recent_answers import KEPT, Answers


def scores(number: int) -> np.ndarray:
    return np.eye(10, dtype=np.float32)[number][None]


def test_labels_by_name_and_by_number() -> None:
    answers = Answers([f"digit {number}" for number in range(10)])
    for number in range(10):
        answers.store(f"request-{number}", [scores(number)])
    labels = {"request-1": "digit 1", "request-2": 2, "request-3": "digit 9", "other": "digit 1"}
    assert answers.judge(labels) == {"matched": 3, "right": 2, "unmatched": 1}
    assert answers.judge({"request-1": "1"})["unmatched"] == 1  # judged once
    told = answers.status()
    assert told["accuracy"] == pytest.approx(2 / 3)
    assert told["low"] < 2 / 3 < told["high"]
    assert told["unmatched"] == 2


def test_what_is_kept_is_bounded_and_the_oldest_goes() -> None:
    answers = Answers(())
    for number in range(KEPT + 5):
        answers.store(str(number), [scores(number % 10)])
    assert answers.status()["waiting"] == KEPT
    assert answers.judge({"0": 0, str(KEPT + 4): (KEPT + 4) % 10}) == {
        "matched": 1,
        "right": 1,
        "unmatched": 1,
    }


def test_numbers_that_are_no_classes_are_not_kept() -> None:
    answers = Answers(())
    answers.store("a", [np.zeros((1, 5, 4), np.float32), np.zeros(1, np.int64)])
    assert answers.status()["waiting"] == 0
