"""Doubt: of classes, of boxes in the forms in which detectors give them, and of maps."""

from __future__ import annotations

import time

import numpy as np
import pytest

from studio.runtime.serve.outputs.detections import listed_boxes
from studio.runtime.serve.outputs.recent_answers import Answers
from studio.runtime.serve.outputs.uncertainty import (
    BOXES,
    CLASSES,
    MAP,
    Outputs,
    Uncertainty,
    doubt_of_scores,
)

SURE = np.float32([[9.0, 0.0, 0.0]])
TORN = np.float32([[1.0, 0.9, 0.0]])
PLACES = 400
KINDS = 5


def doubt(outputs: Outputs) -> float:
    found = Uncertainty().of(outputs)
    assert found is not None
    return found


def test_of_classes_it_is_what_separates_the_two_likeliest() -> None:
    assert doubt({"y": np.float32([[0.5, 0.5]])}) == pytest.approx(1.0)
    assert doubt({"y": np.float32([[1.0, 0.0, 0.0]])}) == pytest.approx(0.0)
    assert doubt({"y": SURE}) < 0.01 < 0.9 < doubt({"y": TORN})
    rows = np.float32([[[0.6, 0.4], [1.0, 0.0]]])  # a text
    assert doubt({"y": rows}) == pytest.approx(1 - (0.2 + 1.0) / 2)


@pytest.mark.parametrize(
    "answer",
    [
        np.float32([1.0]),
        np.int64([[1, 2]]),
        np.array([["a", "b"]]),
        np.ones((1, 8, 4), np.float32),
        np.random.default_rng(1).random((1, 3, 64, 64), np.float32),  # a picture
        np.random.default_rng(1).random((1, 1, 64, 64), np.float32),  # a depth
        np.random.default_rng(1).normal(size=(1, 1, 64, 64)).astype(np.float32),
        np.abs(np.random.default_rng(1).normal(size=(1, 64, 32, 32))).astype(np.float32),
        np.random.default_rng(1).normal(size=(1, 50, 64)).astype(np.float32),  # of a transformer
    ],
)
def test_other_answers_have_no_doubt(answer: np.ndarray) -> None:
    assert Uncertainty().of({"y": answer}) is None


def test_an_answer_that_is_no_number_is_the_most_doubtful() -> None:
    assert doubt({"y": np.float32([[np.nan, 1.0]])}) == 1.0
    for form in FORMS:
        known = Uncertainty()
        assert known.of(FORMS[form](0.9)) != 1.0
        spoilt = {name: array.copy() for name, array in FORMS[form](0.9).items()}
        for array in spoilt.values():
            if array.dtype.kind == "f":
                array[:] = np.nan
        assert known.of(spoilt) in (1.0, 0.0), form  # rows whose class is no number are padding
        assert Uncertainty().of(spoilt) == 1.0, form


# Answers of detectors with three boxes of some score among empty places.


def _scores(score: float, kinds: int = KINDS) -> np.ndarray:
    found = np.random.default_rng(4).uniform(0.0, 0.02, (PLACES, kinds)).astype(np.float32)
    for number in range(3):
        found[100 * number + 7, number % kinds] = score
    return found


def _pixels() -> np.ndarray:
    draws = np.random.default_rng(5)
    return np.concatenate(
        [draws.uniform(50, 300, (PLACES, 2)), draws.uniform(5, 40, (PLACES, 2))], axis=1
    ).astype(np.float32)


def _corners(count: int = 3) -> np.ndarray:
    lows = np.random.default_rng(6).uniform(5, 90, (count, 2))
    return np.concatenate([lows, lows + 20], axis=1).astype(np.float32)


def _logit(shares: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.log(shares / (1 - shares))
    return found


def yolo_v8(score: float) -> dict[str, np.ndarray]:
    return {"output0": np.concatenate([_pixels(), _scores(score)], axis=1).T[None]}


def yolo_v8_points(score: float) -> dict[str, np.ndarray]:
    """With key points after the scores."""
    points = np.random.default_rng(8).uniform(0, 300, (PLACES, 6)).astype(np.float32)
    return {"output0": np.concatenate([_pixels(), _scores(score, 1), points], axis=1).T[None]}


def yolo_v5(score: float) -> dict[str, np.ndarray]:
    """Whether there is anything, times of which class."""
    classes = np.full((PLACES, KINDS), 0.01, np.float32)
    classes[:, 2] = 1.0
    return {"out": np.concatenate([_pixels(), _scores(score, 1), classes], axis=1)[None]}


def yolo_grid(score: float) -> dict[str, np.ndarray]:
    grid = np.full((1, 3, 20, 20, 5 + KINDS), -6.0, np.float32)
    grid[..., 5] = 12.0
    grid[0, 1, 3:6, 7, 4] = _logit(np.float32(score))
    return {"p3": grid}


def picodet(score: float) -> dict[str, np.ndarray]:
    """Scores and distributions of distances, a pair for each level, without telling names."""
    sides = np.random.default_rng(3).normal(size=(1, PLACES, 32)).astype(np.float32)
    few = _scores(0.01)[:100]
    return {"t0": _scores(score)[None], "t2": few[None], "t1": sides, "t3": sides[:, :100]}


def ssd(score: float) -> dict[str, np.ndarray]:
    """A softmax with a class for nothing, beside offsets of boxes."""
    shares = _scores(score)
    nothing = 1.0 - shares.sum(axis=1, keepdims=True).clip(0, 1)
    shares = np.concatenate([nothing, shares], axis=1)
    offsets = np.random.default_rng(3).normal(size=(1, PLACES, 4)).astype(np.float32)
    return {"boxes": offsets, "scores": (shares / shares.sum(axis=1, keepdims=True))[None]}


def detr(score: float) -> dict[str, np.ndarray]:
    """Logits of a softmax whose last class is nothing, beside boxes from 0 to 1."""
    shares = np.maximum(ssd(score)["scores"], 1e-4)
    boxes = np.random.default_rng(3).random((1, PLACES, 4), np.float32)
    return {"logits": np.log(np.roll(shares, -1, axis=2)) + 7, "pred_boxes": boxes}


def rt_detr(score: float) -> dict[str, np.ndarray]:
    """Logits of sigmoids, beside boxes from 0 to 1."""
    boxes = np.random.default_rng(3).random((1, PLACES, 4), np.float32)
    return {"logits": _logit(_scores(score).clip(1e-4))[None], "pred_boxes": boxes}


def blazeface(score: float) -> dict[str, np.ndarray]:
    points = 30 * np.random.default_rng(3).normal(size=(1, PLACES, 16)).astype(np.float32)
    return {"regressors": points, "classificators": _logit(_scores(score, 1).clip(1e-4))[None]}


def torchvision(score: float) -> dict[str, np.ndarray]:
    return {
        "boxes": _corners(),
        "labels": np.int64([1, 2, 1]),
        "scores": np.full(3, score, np.float32),
    }


def tensorflow(score: float) -> dict[str, np.ndarray]:
    scores = np.zeros((1, 100), np.float32)
    scores[0, :3] = score
    return {
        "detection_boxes": np.random.default_rng(3).random((1, 100, 4), np.float32),
        "detection_classes": np.ones((1, 100), np.float32),
        "detection_scores": scores,
        "num_detections": np.float32([3]),
    }


def paddle_rows(score: float) -> dict[str, np.ndarray]:
    kinds, scores = np.float32([[0], [4], [1]]), np.full((3, 1), score, np.float32)
    rows = np.concatenate([kinds, scores, _corners()], axis=1)
    padding = np.full((2, 6), -1.0, np.float32)
    return {"multiclass_nms3_0": np.concatenate([rows, padding]), "count": np.int32([3])}


def yolo_v10_rows(score: float) -> dict[str, np.ndarray]:
    kinds, scores = np.float32([[0], [4], [1]]), np.full((3, 1), score, np.float32)
    rows = np.concatenate([_corners(), scores, kinds], axis=1)
    return {"output0": np.concatenate([rows, np.zeros((7, 6), np.float32)])[None]}


def yolo_v7_rows(score: float) -> dict[str, np.ndarray]:
    kinds, scores = np.float32([[0], [4], [1]]), np.full((3, 1), score, np.float32)
    return {"output": np.concatenate([0 * kinds, _corners(), kinds, scores], axis=1)}


def openvino_rows(score: float) -> dict[str, np.ndarray]:
    rows = np.zeros((1, 1, 50, 7), np.float32)
    rows[0, 0, :3, 1] = (1, 2, 1)
    rows[0, 0, :3, 2] = score
    rows[0, 0, :3, 3:] = _corners() / 120
    rows[0, 0, 3, 0] = -1
    return {"detection_out": rows}


FORMS = {
    one.__name__: one
    for one in (
        *(yolo_v8, yolo_v8_points, yolo_v5, yolo_grid, picodet, ssd, detr, rt_detr, blazeface),
        *(torchvision, tensorflow, paddle_rows, yolo_v10_rows, yolo_v7_rows, openvino_rows),
    )
}


@pytest.mark.parametrize("form", FORMS)
def test_of_boxes_it_is_how_near_they_are_to_a_half(form: str) -> None:
    """Three boxes alike: 1 - |2p - 1|, whatever the form, and whichever answer came first."""
    for first in (0.9, 0.2):
        known = Uncertainty()
        known.of(FORMS[form](first))
        assert known.kind == BOXES
        for score in (0.95, 0.8, 0.5, 0.3):
            wanted = 1 - abs(2 * score - 1)
            assert known.of(FORMS[form](score)) == pytest.approx(wanted, abs=0.02), score
        half = {name: a.astype(np.float16) for name, a in FORMS[form](0.8).items() if a.ndim > 1}
        rest = {name: a for name, a in FORMS[form](0.8).items() if a.ndim <= 1}
        assert known.of({**half, **rest}) == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("form", FORMS)
def test_a_detector_that_finds_nothing_is_sure(form: str) -> None:
    known = Uncertainty()
    known.of(FORMS[form](0.9))
    assert known.of(FORMS[form](0.01)) == pytest.approx(0.0, abs=0.06)


@pytest.mark.parametrize("form", ["torchvision", "paddle_rows", "yolo_v7_rows"])
def test_an_empty_list_comes_first_or_later(form: str) -> None:
    empty = {name: array[:0] for name, array in FORMS[form](0.9).items()}
    known = Uncertainty()
    assert (known.of(empty), known.kind) == (0.0, "")
    assert known.of(FORMS[form](0.5)) == pytest.approx(1.0, abs=0.02)
    assert (known.of(empty), known.kind) == (0.0, BOXES)


def test_a_single_box_is_no_row_of_four_classes() -> None:
    one = {name: array[:1] for name, array in torchvision(0.5).items()}
    known = Uncertainty()
    assert known.of(one) == pytest.approx(1.0)
    assert known.kind == BOXES
    lone = {name: array[:1] for name, array in yolo_v7_rows(0.5).items()}
    waits = Uncertainty()
    assert (waits.of(lone), waits.kind) == (pytest.approx(1.0), "")
    for classes in (np.float32([[1, 2, 3, 4]]), np.float32([[0.1, 0.2, 0.3, 0.4]])):
        other = Uncertainty()
        other.of({"probabilities": classes, "confidence": np.float32([[0.4]])})
        assert other.kind == CLASSES


@pytest.mark.parametrize("classes", [6, 7])
def test_six_or_seven_classes_are_no_rows_of_boxes(classes: int) -> None:
    draws, undecided = np.random.default_rng(classes), 0
    for _ in range(200):
        logits = draws.normal(0, 4, (1, classes)).astype(np.float32)
        shares = np.exp(logits) / np.exp(logits).sum()
        for answer in (logits, shares, np.round(shares), np.round(logits * 4) / 4):
            known = Uncertainty()
            known.of({"y": answer})
            assert known.kind != BOXES, answer
            undecided += not known.kind
    assert undecided < 4  # of 800, which wait for another answer


def test_faint_places_and_the_number_of_things_do_not_count() -> None:
    lone = np.float32([0.9] + [0.01] * 20_000)
    many = np.float32([0.9] * 40 + [0.01] * 20_000)
    assert doubt_of_scores(lone) == doubt_of_scores(many) == pytest.approx(0.2)
    edge = np.float32([0.95, 0.9, 0.85, 0.5, 0.3, 0.1])  # of one thing that is surely there
    torn = np.float32([0.55, 0.5, 0.4, 0.2, 0.1])
    assert doubt_of_scores(edge) < 0.4 < 0.8 < doubt_of_scores(torn)


def _map(height: float) -> np.ndarray:
    found = np.full((64, 64), 0.001, np.float32)
    found[10:20, 10:50] = height
    return found


def test_of_a_map_of_likelihoods() -> None:
    """As text detectors give it, and networks that part what is in front from what is behind."""
    for shape in ((1, 1, 64, 64), (1, 64, 64), (1, 64, 64, 1)):
        known = Uncertainty()
        assert known.of({"m": _map(0.98).reshape(shape)}) == pytest.approx(0.04, abs=0.01)
        assert known.kind == MAP
        assert known.of({"m": _map(0.5).reshape(shape)}) == pytest.approx(1.0, abs=0.01)
        assert known.of({"m": np.zeros(shape, np.float32)}) == 0.0
    two = np.stack([1 - _map(0.9), _map(0.9)])
    for shares in (two[None], np.moveaxis(two, 0, -1)[None]):
        known = Uncertainty()
        assert known.of({"m": shares}) == pytest.approx(0.2, abs=0.01)
        assert known.kind == MAP
    heat = np.zeros((1, 80, 32, 32), np.float32)
    heat[0, 7, 3, 4] = 0.75
    assert doubt({"heat": heat}) == pytest.approx(0.5)


def test_of_a_map_of_classes() -> None:
    logits = np.random.default_rng(2).normal(0, 1, (1, 21, 40, 40)).astype(np.float32)
    torn = doubt({"m": logits})
    sure = logits.copy()
    sure[0, 3] += 20
    assert doubt({"m": sure}) < 0.01 < 0.4 < torn
    assert doubt({"m": np.moveaxis(logits, 1, -1)}) == pytest.approx(torn, abs=0.01)


@pytest.mark.parametrize(
    "form", ["torchvision", "paddle_rows", "yolo_v10_rows", "yolo_v7_rows", "openvino_rows"]
)
def test_the_boxes_of_a_list(form: str) -> None:
    found = listed_boxes(FORMS[form](0.75))
    assert found is not None
    sure = found[found[:, 4] > 0.5]
    size = 120 if form == "openvino_rows" else 1
    assert sure[:, :4] * size == pytest.approx(_corners(), abs=1e-3)
    assert sure[:, 4] == pytest.approx(0.75)
    classes = [1, 2, 1] if form in ("torchvision", "openvino_rows") else [0, 4, 1]
    assert sure[:, 5].tolist() == classes


@pytest.mark.parametrize("form", ["yolo_v8", "yolo_v5", "yolo_grid", "picodet", "ssd"])
def test_a_table_of_places_is_no_list_of_boxes(form: str) -> None:
    assert listed_boxes(FORMS[form](0.75)) is None


def test_labels_are_held_against_classes_alone() -> None:
    """The first row of a list of boxes has a largest number, too, and it is no class."""
    for form in ("paddle_rows", "yolo_v7_rows", "torchvision", "ssd"):
        answers = Answers(("a", "b"))
        answers.store("frame-1", list(FORMS[form](0.9).values()))
        assert answers.judge({"frame-1": "0 1 2 3 4"}) == {"matched": 0, "right": 0, "unmatched": 1}
        assert answers.status()["accuracy"] is None
    answers = Answers(("a", "b"))
    answers.store("frame-1", [np.float32([[0.1, 0.9]])])
    assert answers.judge({"frame-1": "b"})["right"] == 1


@pytest.mark.parametrize("form", FORMS)
def test_it_costs_little(form: str) -> None:
    """Of a table of some hundred places less than a millisecond; figures are the bench's."""
    known, answer = Uncertainty(), FORMS[form](0.8)
    known.of(answer)
    best = min(_timed(known, answer) for _ in range(20))
    assert best < 5e-3


def _timed(known: Uncertainty, answer: Outputs) -> float:
    start = time.thread_time()
    known.of(answer)
    return time.thread_time() - start
