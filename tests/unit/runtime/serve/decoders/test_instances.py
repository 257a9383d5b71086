"""Masks of objects out of each head, against plain formulas and OpenCV's resizing."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy
import pytest

from studio.runtime.serve.decoders.decoder import Decoder, PictureInInput
from studio.runtime.serve.decoders.detectors import UnknownForm
from studio.runtime.serve.decoders.instances import MOST_SIDE, Instances, instances
from studio.runtime.serve.decoders.settings import MASK_HEADS, OutputSettings
from studio.runtime.serve.images.preprocess import Preprocess

Array = numpy.ndarray
SIZE = (96, 128)
CELLS = 252
CLASSES = 3
BOXES = ((8, 16, 40, 60), (70, 20, 110, 76))


def chosen(head: str, **more: object) -> OutputSettings:
    return OutputSettings.from_json({"task": "instances", "head": head, **more})


def found_in(head: str, outputs: dict[str, Array], **more: object) -> Instances:
    arrays = {name: numpy.asarray(one, numpy.float32) for name, one in outputs.items()}
    return instances(arrays, chosen(head, **more), SIZE)


def prototypes(seed: int = 1) -> tuple[Array, Array]:
    """Smooth maps of a quarter of the input, and coefficients of two objects."""
    random = numpy.random.default_rng(seed)
    maps = random.normal(size=(32, 24, 32))
    maps = numpy.stack([cv2.GaussianBlur(one, (0, 0), 2.0) for one in maps])
    return maps.astype(numpy.float32), random.normal(size=(2, 32)).astype(numpy.float32)


def wanted_masks(maps: Array, shares: Array) -> list[Array]:
    """The masks of Ultralytics' chain: the sum is enlarged to the input and cut by the box."""
    found = []
    for weights, (left, top, right, bottom) in zip(shares, BOXES, strict=True):
        level = numpy.zeros(maps.shape[1:], numpy.float32)
        for weight, one in zip(weights, maps, strict=True):
            level += weight * one
        whole = cv2.resize(level, SIZE[::-1], interpolation=cv2.INTER_LINEAR)
        found.append(whole[top:bottom, left:right] > 0.0)
    return found


def yolo_seg(head: str) -> dict[str, Array]:
    maps, shares = prototypes()
    has_any = head == "yolov5-seg"
    first = 4 + has_any
    table = numpy.full((3 * CELLS if has_any else CELLS, first + CLASSES + 32), 0.01)
    table[:, :4] = [10, 10, 4, 4]
    for row, at, score in ((5, 0, 0.9), (6, 0, 0.7), (40, 1, 0.6)):
        left, top, right, bottom = BOXES[at]
        table[row, :4] = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
        if has_any:
            table[row, 4] = score
        table[row, first + 1] = 1.0 if has_any else score
        table[row, first + CLASSES :] = shares[at]
    return {"output0": table[None] if has_any else table.T[None], "output1": maps[None]}


def yolo_rows() -> dict[str, Array]:
    maps, shares = prototypes()
    rows = numpy.zeros((1, 300, 38))
    for at, score in ((0, 0.9), (1, 0.6)):
        rows[0, at] = [*BOXES[at], score, 1, *shares[at]]
    return {"output0": rows, "output1": maps[None]}


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("head", ["yolov5-seg", "yolo-seg", "yolo-seg-rows"])
def test_masks_of_prototypes_are_those_of_the_chain(head: str, last: bool) -> None:
    outputs = yolo_rows() if head == "yolo-seg-rows" else yolo_seg(head)
    if last:
        outputs["output1"] = outputs["output1"].transpose(0, 2, 3, 1)
    found = found_in(head, outputs)
    assert found.boxes.scores == pytest.approx([0.9, 0.6], abs=1e-4)
    assert found.boxes.classes.tolist() == [1, 1]
    assert found.boxes.corners == pytest.approx(numpy.array(BOXES), abs=1e-4)
    for ours, theirs in zip(found.masks, wanted_masks(*prototypes()), strict=True):
        assert ours.shape == theirs.shape
        assert (ours != theirs).mean() < 0.002  # where rounding decides
        assert 0.05 < theirs.mean() < 0.95


def maskrcnn(side: int = 28) -> tuple[dict[str, Array], Array]:
    """Boxes, scores, labels, and for each box a disc as its mask."""
    rows, columns = numpy.mgrid[0:side, 0:side]
    away = numpy.hypot(rows - (side - 1) / 2, columns - (side - 1) / 2)
    masks = numpy.stack([away < side / 3, away < side / 2]).astype(numpy.float32)
    outputs = {
        "boxes": numpy.array(BOXES, numpy.float32),
        "labels": numpy.array([2, 1]),
        "scores": numpy.array([0.9, 0.6], numpy.float32),
        "masks": masks[:, None],
    }
    return outputs, masks


@pytest.mark.parametrize("side", [7, 14, 28])
def test_small_masks_are_enlarged_to_their_boxes(side: int) -> None:
    outputs, masks = maskrcnn(side)
    found = instances(outputs, chosen("maskrcnn"), SIZE)
    assert found.boxes.classes.tolist() == [2, 1]
    for mask, given, (left, top, right, bottom) in zip(found.masks, masks, BOXES, strict=True):
        theirs = cv2.resize(given, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
        assert mask.tolist() == (theirs >= 0.5).tolist()


def test_masks_of_the_whole_picture_are_cut_by_their_boxes() -> None:
    outputs, _ = maskrcnn()
    whole = numpy.zeros((2, 1, *SIZE), numpy.float32)
    whole[:, :, 30:50, 20:90] = 1.0
    found = instances({**outputs, "masks": whole}, chosen("maskrcnn"), SIZE)
    for mask, (left, top, right, bottom) in zip(found.masks, BOXES, strict=True):
        assert mask.tolist() == (whole[0, 0, top:bottom, left:right] > 0).tolist()


def queries(boxes: bool) -> dict[str, Array]:
    levels = numpy.full((1, 10, 24, 32), -6.0, numpy.float32)
    levels[0, 2, 4:15, 2:10] = 6.0
    levels[0, 5, 5:19, 18:27] = 6.0
    scores = numpy.full((1, 10, CLASSES + 1), -3.0, numpy.float32)
    scores[0, :, -1] = 6.0
    scores[0, 2], scores[0, 5] = [0, 8, 0, 0], [0, 0, 5, 0]
    found = {"class_queries_logits": scores, "masks_queries_logits": levels}
    if boxes:
        places = numpy.full((1, 10, 4), 0.1, numpy.float32)
        places[0, 2] = [24 / 128, 38 / 96, 32 / 128, 44 / 96]
        places[0, 5] = [90 / 128, 48 / 96, 36 / 128, 56 / 96]
        found["pred_boxes"] = places
    return found


def softmax(row: Array) -> Array:
    powers = numpy.exp(row - row.max())
    return numpy.asarray(powers / powers.sum())


@pytest.mark.parametrize("boxes", [False, True])
@pytest.mark.parametrize("shares", [False, True])
def test_queries_have_their_masks_and_boxes(boxes: bool, shares: bool) -> None:
    outputs = queries(boxes)
    inside = 1 / (1 + numpy.exp(-6.0))
    if shares:
        logits = outputs["masks_queries_logits"]
        outputs["masks_queries_logits"] = 1 / (1 + numpy.exp(-logits))
    found = found_in("queries", outputs, background="last")
    assert found.boxes.classes.tolist() == [1, 2]
    assert found.boxes.corners == pytest.approx(
        numpy.array([[8, 16, 40, 60], [72, 20, 108, 76]]), abs=1e-3
    )
    likely = [softmax(numpy.array([0.0, 8, 0, 0]))[1], softmax(numpy.array([0.0, 0, 5, 0]))[2]]
    wanted = [one * (1.0 if boxes else inside) for one in likely]
    assert found.boxes.scores == pytest.approx(wanted, abs=1e-4)
    assert [one.shape for one in found.masks] == [(44, 32), (56, 36)]
    assert all(one.mean() > 0.9 for one in found.masks)


def test_a_model_of_four_classes_has_no_boxes() -> None:
    outputs = queries(boxes=False)
    shares = softmax(numpy.zeros(4))[None, None].repeat(10, axis=1)
    shares[0, 2] = [0.0, 0.9, 0.05, 0.05]
    found = found_in("queries", {**outputs, "class_queries_logits": shares}, threshold=0.5)
    assert found.boxes.classes.tolist() == [1]


def test_a_large_mask_has_a_bounded_number_of_cells() -> None:
    outputs = yolo_rows()
    outputs["output0"][0, 0, :4] = [0, 0, 2000, 2000]
    arrays = {name: numpy.asarray(one, numpy.float32) for name, one in outputs.items()}
    found = instances(arrays, chosen("yolo-seg-rows"), (2000, 2000))
    assert found.masks[0].shape == (MOST_SIDE, MOST_SIDE)


def outputs_of(head: str) -> dict[str, Array]:
    made: dict[str, dict[str, Array]] = {
        "yolo-seg-rows": yolo_rows(),
        "maskrcnn": maskrcnn()[0],
        "queries": queries(boxes=True),
    }
    return made.get(head) or yolo_seg(head)


def unpacked(mask: dict[str, Any]) -> Array:
    flat: list[int] = []
    for at, length in enumerate(mask["runs"]):
        flat += [at % 2] * length
    return numpy.array(flat, bool).reshape(mask["height"], mask["width"])


@pytest.mark.parametrize("head", MASK_HEADS)
def test_runs_of_an_answer_fill_the_mask(head: str) -> None:
    outputs = outputs_of(head)
    arrays = {
        n: numpy.asarray(a, a.dtype if a.dtype.kind == "i" else "f") for n, a in outputs.items()
    }
    settings = chosen(head, background="last" if head == "queries" else "none")
    found = Decoder(settings, ("a", "b", "c")).decode(arrays, SIZE)
    text = json.dumps(found, allow_nan=False)
    wanted = instances(arrays, settings, SIZE).masks
    for one, mask in zip(json.loads(text)["objects"], wanted, strict=True):
        assert unpacked(one["mask"]).tolist() == mask.tolist()
        assert one["label"] in "abc"


def test_masks_lie_in_the_picture_and_end_at_its_edges() -> None:
    steps = Preprocess(resize="fit", height=SIZE[0], width=SIZE[1], pad_align="center")
    picture = PictureInInput(192, 128, steps.placement(192, 128))  # columns 32 to 96 of the input
    outputs, _ = maskrcnn()
    outputs["boxes"][0] = [20, 10, 60, 50]
    outputs["masks"] = numpy.ones((2, 1, 28, 28), numpy.float32)
    outputs["masks"][:, :, :, 14:] = 0.0
    answer: dict[str, Any] = Decoder(chosen("maskrcnn")).decode(outputs, SIZE, picture)
    one = answer["objects"][0]
    assert one["box"] == [0.0, 20.0, 56.0, 100.0]
    mask = unpacked(one["mask"])
    assert mask.shape == (40, 28)
    assert mask.any(axis=0).tolist() == [True] * 8 + [False] * 20


@pytest.mark.parametrize("head", MASK_HEADS)
@pytest.mark.parametrize("value", [numpy.nan, numpy.inf, -1.0])
def test_values_that_make_no_sense_are_no_error(head: str, value: float) -> None:
    outputs = {
        name: numpy.full(array.shape, value, numpy.float32)
        for name, array in outputs_of(head).items()
    }
    with numpy.errstate(all="ignore"):
        assert answer_of(Decoder(chosen(head)), outputs).endswith(("}", "."))


def answer_of(decoder: Decoder, outputs: dict[str, Array]) -> str:
    """Return the answer as JSON, or the sentence of a refusal."""
    try:
        return json.dumps(decoder.decode(outputs, SIZE), allow_nan=False)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("head", MASK_HEADS)
@pytest.mark.parametrize("shape", [(0,), (1, 0, 56), (1, 7), (1, 3, 4, 4), (0, 1, 4, 4), (3, 4)])
def test_outputs_of_another_form_are_a_sentence(head: str, shape: tuple[int, ...]) -> None:
    outputs = {"y": numpy.zeros(shape, numpy.float32)}
    with pytest.raises(UnknownForm, match=r"\.$"):
        instances(outputs, chosen(head), SIZE)
