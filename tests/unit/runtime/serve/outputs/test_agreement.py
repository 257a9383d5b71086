"""Likeness: whether two versions say the same, of classes, boxes, places, maps and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.runtime.serve.outputs.agreement import Agreement, alike
from studio.runtime.serve.outputs.uncertainty import Outputs
from tests.unit.runtime.serve.outputs.test_uncertainty import FORMS, KINDS, PLACES, SURE

OF_PLACES = ("yolo_v8", "yolo_v5", "yolo_grid", "picodet", "ssd", "detr", "rt_detr")


def _moved(answer: Outputs, by: float) -> dict[str, np.ndarray]:
    """The same boxes, a little beside."""
    return {
        name: array + (by if name in ("boxes", "output") else 0) * (np.abs(array) > 4)
        for name, array in answer.items()
    }


@pytest.mark.parametrize("form", ["torchvision", "yolo_v7_rows"])
def test_two_detectors_say_the_same_when_they_have_the_same_boxes(form: str) -> None:
    """However many faint ones each has beside; they are boxes of 20 x 20 pixels."""
    first, same = FORMS[form](0.8), Agreement().same
    assert same(first, first)
    assert same(first, _moved(first, 3.0))
    assert not same(first, _moved(first, 12.0))
    assert same(first, FORMS[form](0.4)), "nearly found is no other answer"
    assert not same(first, FORMS[form](0.1))
    fewer = {name: array[:2] for name, array in first.items()}
    empty = {name: array[:0] for name, array in first.items()}
    assert not same(first, fewer)
    assert not same(fewer, first)
    assert not same(first, empty)
    assert not same(empty, first)
    assert same(empty, empty)
    faint = FORMS[form](0.2)
    more = {name: np.concatenate([array, faint[name] + 0]) for name, array in first.items()}
    assert same(first, more)
    assert same(empty, faint)


@pytest.mark.parametrize("form", OF_PLACES)
def test_before_suppression_it_is_what_was_found_that_counts(form: str) -> None:
    """Not the thousands of numbers of empty places, nor the sizes of boxes in pixels."""
    first, same = FORMS[form](0.8), Agreement().same
    assert same(first, first)
    assert same(first, FORMS[form](0.4)), "nearly found is no other answer"
    assert not same(first, FORMS[form](0.05))
    assert not same(FORMS[form](0.05), first)
    assert same(FORMS[form](0.05), FORMS[form](0.02)), "nothing found, twice"


@pytest.mark.parametrize("form", OF_PLACES)
@pytest.mark.parametrize("score", [0.8, 0.05])
def test_an_answer_of_no_numbers_is_like_none(form: str, score: float) -> None:
    """Also where the version before has found nothing."""
    same, first = Agreement().same, FORMS[form](score)
    assert same(first, first)
    spoilt = {name: np.full_like(array, np.nan) for name, array in first.items()}
    assert not same(spoilt, first)
    assert not same(first, spoilt)


def _table(places: dict[int, tuple[int, float]], beside: float = 0.0, corners: bool = False) -> Any:
    """A YOLO's answer with a class and a score at some places, whose boxes are 20 x 20."""
    draws = np.random.default_rng(1)
    middles = draws.uniform(50, 300, (PLACES, 2)) + beside
    sizes = np.full((PLACES, 2), 20.0)
    boxes = [middles - 10, middles + 10] if corners else [middles, sizes]
    scores = draws.uniform(0.0, 0.02, (PLACES, KINDS))
    for place, (kind, score) in places.items():
        scores[place, kind] = score
    return {"output0": np.concatenate([*boxes, scores], axis=1).T[None].astype(np.float32)}


@pytest.mark.parametrize("corners", [False, True])
def test_boxes_of_a_yolo_are_held_against_each_other_wherever_they_stand(corners: bool) -> None:
    places = {10: (0, 0.9), 20: (1, 0.8), 30: (2, 0.7)}
    first, same = _table(places, corners=corners), Agreement().same
    assert same(first, _table(places, beside=2.0, corners=corners))
    assert not same(first, _table(places, beside=15.0, corners=corners))
    wrong = _table({**places, 10: (3, 0.9)}, corners=corners)
    assert not same(first, wrong), "another class"
    assert alike(first["output0"], wrong["output0"]), "whose numbers are those of boxes in pixels"
    more = {**places, 200: (1, 0.9)}
    assert not same(first, _table(more, corners=corners)), "and one that is not there"
    other = _table(places, corners=corners)
    twin = other["output0"][0]
    twin[:, [10, 11]] = twin[:, [11, 10]]  # as a version that was trained anew may have it
    assert same(first, other)
    nowhere = {"output0": first["output0"].copy()}
    nowhere["output0"][:, :4] = np.nan
    assert not same(first, nowhere)


def _map(left: int, wide: int = 20, channels: int = 1, sure: float = 0.97) -> Any:
    """A picture of 80 x 80 with something on it."""
    likely = np.full((80, 80), 0.01)
    likely[30:50, left : left + wide] = sure
    planes = [likely] if channels == 1 else [1 - likely, likely]
    if channels > 2:
        planes += [np.zeros_like(likely)] * (channels - 2)
    return {"m": np.stack(planes)[None].astype(np.float32)}


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_maps_say_the_same_when_they_mark_the_same_places(channels: int) -> None:
    """Whatever the size of what is marked; at its edge two good versions differ."""
    same = Agreement().same
    first = _map(20, channels=channels)
    assert same(first, _map(20, sure=0.7, channels=channels))
    assert same(first, _map(21, channels=channels))
    assert not same(first, _map(30, channels=channels))
    assert not same(first, _map(20, wide=12, channels=channels))
    assert not same(first, _map(20, sure=0.02, channels=channels))
    small = _map(40, wide=3, channels=channels)
    assert same(small, small)
    assert not same(small, _map(40, wide=3, sure=0.02, channels=channels))
    assert not same(first, {"m": first["m"][..., :40]})
    nothing = _map(20, sure=0.02, channels=channels)
    assert not same({"m": np.full_like(first["m"], np.nan)}, nothing)


def test_two_classifiers_say_the_same_when_their_largest_is_the_same() -> None:
    same = Agreement().same
    assert same({"y": SURE}, {"y": np.float32([[5.0, 0.0, 1.0]])})
    assert not same({"y": SURE}, {"y": np.float32([[0.0, 5.0, 1.0]])})
    assert not same({"y": SURE}, {"y": np.float32([[5.0, 0.0]])})
