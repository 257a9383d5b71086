"""Boxes out of every form of head: the very ones that were put in."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from studio.runtime.serve.decoders.detections import Detections, in_picture, suppressed
from studio.runtime.serve.decoders.detectors import UnknownForm, detect
from studio.runtime.serve.decoders.settings import OutputSettings
from studio.runtime.serve.images.preprocess import Preprocess
from tests.unit.runtime.serve.decoders import heads
from tests.unit.runtime.serve.decoders.heads import HEADS, SIZE, Truth

TWO = (Truth((8, 16, 40, 60), 1, 0.9), Truth((70, 20, 110, 76), 3, 0.6))


def found_in(head: str, truths: Sequence[Truth], **more: object) -> Detections:
    make, chosen = HEADS[head]
    wanted = OutputSettings.from_json({"task": "detection", "head": head, **chosen, **more})
    return detect(make(truths), wanted, SIZE)


@pytest.mark.parametrize("head", HEADS)
def test_boxes_of_each_head_are_those_that_are_there(head: str) -> None:
    found = found_in(head, TWO)
    assert found.classes.tolist() == [1, 3]
    assert found.scores == pytest.approx([0.9, 0.6], abs=1e-3)
    assert found.corners == pytest.approx(numpy.array([one.box for one in TWO]), abs=0.05)


@pytest.mark.parametrize("head", HEADS)
def test_boxes_below_the_threshold_are_left_out(head: str) -> None:
    assert found_in(head, TWO, threshold=0.7).classes.tolist() == [1]
    assert len(found_in(head, TWO, threshold=0.95).scores) == 0


@pytest.mark.parametrize("head", ["yolov5", "yolov8", "yolox", "gfl", "tables"])
def test_one_object_that_was_found_twice_is_one(head: str) -> None:
    first = Truth((16, 16, 56, 56), 2, 0.9)
    again = Truth((18, 17, 57, 58), 2, 0.8)
    another = Truth((17, 16, 57, 57), 1, 0.7)
    found = found_in(head, (first, again, another))
    assert found.classes.tolist() == [2, 1]
    assert found.scores == pytest.approx([0.9, 0.7], abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    some.lists(
        some.tuples(
            some.integers(0, 90), some.integers(0, 60), some.integers(4, 36), some.integers(4, 34),
            some.integers(0, 3), some.integers(40, 99),
        ),
        max_size=6,
        unique_by=lambda row: row[5],  # of two equal ones, the order decides
    )
)  # fmt: skip
def test_any_boxes_come_out_of_a_grid_as_they_went_in(rows: list[tuple[int, ...]]) -> None:
    truths = [
        Truth((x, y, x + width, y + height), kind, score / 100)
        for x, y, width, height, kind, score in rows
    ]
    wanted = suppressed(_boxes(truths).likely(0.3), 0.5, 100)
    found = found_in("yolox", truths)
    assert sorted(found.scores) == pytest.approx(sorted(wanted.scores), abs=1e-3)
    for box in wanted.corners:
        assert numpy.abs(found.corners - box).max(axis=1).min() < 0.05


def _boxes(truths: Sequence[Truth]) -> Detections:
    return Detections(
        numpy.array([one.box for one in truths], float).reshape(-1, 4),
        numpy.array([one.score for one in truths], float),
        numpy.array([one.kind for one in truths], int),
    )


@settings(max_examples=100, deadline=None)
@given(
    some.integers(0, 2**32 - 1), some.sampled_from([0.3, 0.5, 0.7]), some.sampled_from([40, 300])
)
def test_suppression_keeps_what_opencv_keeps(seed: int, overlap: float, count: int) -> None:
    random = numpy.random.default_rng(seed)
    begin, sides = random.uniform(0, 60, (count, 2)), random.uniform(5, 40, (count, 2))
    scores = random.permutation(count) / count + 0.01
    kinds = numpy.zeros(count, int)
    given = Detections(numpy.hstack([begin, begin + sides]), scores, kinds).likely(0.0)
    ours = suppressed(given, overlap, count)
    rows = numpy.hstack([given.corners[:, :2], given.corners[:, 2:] - given.corners[:, :2]])
    theirs = cv2.dnn.NMSBoxes(rows.tolist(), given.scores.tolist(), 0.0, overlap)
    assert ours.scores.tolist() == given.scores[numpy.asarray(theirs).ravel()].tolist()


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_distances_begin_at_the_middle_of_the_cell(offset: float, raw: bool) -> None:
    chosen = OutputSettings.from_json({"task": "detection", "head": "gfl", "offset": offset})
    found = detect(heads.gfl(TWO, offset, raw=raw), chosen, SIZE)
    assert found.corners == pytest.approx(numpy.array([one.box for one in TWO]), abs=0.05)


@pytest.mark.parametrize("filler", [0.0, -1.0])
@pytest.mark.parametrize("columns", [6, 7])
def test_rows_of_filling_alone_are_no_boxes(columns: int, filler: float) -> None:
    rows = numpy.full((1, 20, columns), filler, numpy.float32)
    chosen = OutputSettings.from_json({"task": "detection", "head": "boxes"})
    assert detect({"output": rows}, chosen, SIZE).scores.size == 0


@pytest.mark.parametrize("classes", [12, 80, 100])
def test_a_number_of_classes_that_is_a_multiple_of_four_is_no_distance(classes: int) -> None:
    chosen = OutputSettings.from_json({"task": "detection", "head": "gfl", "offset": 0.5})
    outputs = dict(heads.gfl(TWO, 0.5))
    for name, array in outputs.items():
        if name.startswith("scores"):
            more = classes - array.shape[2]
            outputs[name] = numpy.pad(array, ((0, 0), (0, 0), (0, more)))
    found = detect(outputs, chosen, SIZE)
    assert found.corners == pytest.approx(numpy.array([one.box for one in TWO]), abs=0.05)


def test_nanodet_has_scores_and_distances_in_one_table() -> None:
    levels = heads.gfl(TWO, 0.0)
    table = numpy.concatenate(
        [
            numpy.concatenate([levels[f"scores_{one}"], levels[f"sides_{one}"]], axis=2)
            for one in heads.STRIDES
        ],
        axis=1,
    )
    chosen = OutputSettings.from_json({"task": "detection", "head": "gfl", "offset": 0})
    found = detect({"output": table}, chosen, SIZE)
    assert found.classes.tolist() == [1, 3]
    assert found.corners == pytest.approx(numpy.array([one.box for one in TWO]), abs=0.05)


def test_a_detr_with_a_class_for_nothing() -> None:
    outputs = heads.detr(TWO)
    scores = numpy.full((1, 20, 5), -4.0, numpy.float32)
    scores[0, :, 4] = 4.0
    scores[0, 0], scores[0, 1] = [0, 8, 0, 0, 0], [0, 0, 0, 3, 0]
    chosen = {"task": "detection", "head": "detr", "background": "last"}
    found = detect({**outputs, "logits": scores}, OutputSettings.from_json(chosen), SIZE)
    assert found.classes.tolist() == [1, 3]
    assert 0.99 < found.scores[0] < 1.0


@pytest.mark.parametrize(
    ("head", "outputs", "sentence"),
    [
        ("boxes", {"a": numpy.ones((1, 7), "f")}, "No output is a list of boxes"),
        ("yolov8", {"a": numpy.zeros((1, 7), "f")}, "'a' is not one table of boxes"),
        ("yolov5", {"a": numpy.zeros((1, 9, 5), "f")}, "has only 5 numbers a box"),
        ("yolox", {"a": numpy.zeros((1, 9, 8), "f")}, "has 9 places, and the strides make 252"),
        ("gfl", {"a": numpy.zeros((1, 9, 8), "f")}, "no scores and distances of 252 places"),
        ("detr", {"a": numpy.zeros((1, 9, 8), "f")}, "no table of boxes with one of scores"),
        ("tables", {}, "no table of boxes with one of scores"),
    ],
)
def test_outputs_of_another_form_are_a_sentence(
    head: str, outputs: dict[str, numpy.ndarray], sentence: str
) -> None:
    chosen = OutputSettings.from_json({"task": "detection", "head": head})
    with pytest.raises(UnknownForm, match=sentence):
        detect(outputs, chosen, SIZE)


@pytest.mark.parametrize("head", HEADS)
def test_values_that_are_no_numbers_are_no_boxes(head: str) -> None:
    make, chosen = HEADS[head]
    outputs = {name: numpy.full_like(a, numpy.nan) for name, a in make(TWO).items()}
    wanted = OutputSettings.from_json({"task": "detection", "head": head, **chosen})
    try:
        found = detect(outputs, wanted, SIZE)
    except UnknownForm:
        return
    assert len(found.scores) == 0


@pytest.mark.parametrize("resize", ["stretch", "fit", "cover"])
@pytest.mark.parametrize("pad_align", ["start", "center"])
def test_boxes_lie_in_the_picture_where_they_were_in_the_input(resize: str, pad_align: str) -> None:
    steps = Preprocess(resize=resize, height=96, width=128, pad_align=pad_align)
    height, width = 300, 200
    placed = steps.placement(height, width)
    picture = numpy.zeros((height, width, 3), numpy.uint8)
    picture[120:180, 50:150] = 255
    bright = numpy.argwhere(steps.apply(picture)[0, 0] > 0.5)
    top, left = bright.min(axis=0)
    bottom, right = bright.max(axis=0) + 1
    boxes = Detections(
        numpy.array([[left, top, right, bottom]], float), numpy.ones(1), numpy.zeros(1)
    )
    found = in_picture(boxes, placed, (height, width)).corners[0]
    assert found == pytest.approx([50, 120, 150, 180], abs=max(height / placed.rows, 2))


def test_boxes_end_at_the_edges_of_the_picture() -> None:
    steps = Preprocess(resize="stretch", height=10, width=10)
    boxes = Detections(numpy.array([[-5.0, -5, 20, 20]]), numpy.ones(1), numpy.zeros(1))
    found = in_picture(boxes, steps.placement(40, 80), (40, 80))
    assert found.corners.tolist() == [[0, 0, 80, 40]]
