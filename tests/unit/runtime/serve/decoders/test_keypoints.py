"""Key points out of each head, against the plain formulas of the heads' own authors."""

from __future__ import annotations

import json
from typing import Any

import numpy
import pytest

from studio.runtime.serve.decoders.decoder import Decoder, PictureInInput
from studio.runtime.serve.decoders.detectors import UnknownForm
from studio.runtime.serve.decoders.keypoints import COCO, Poses, poses
from studio.runtime.serve.decoders.settings import POINT_HEADS, OutputSettings
from studio.runtime.serve.images.preprocess import Preprocess

Array = numpy.ndarray
SIZE = (96, 128)
CELLS = 252


def chosen(head: str, **more: object) -> OutputSettings:
    return OutputSettings.from_json({"task": "keypoints", "head": head, **more})


def found_in(head: str, outputs: dict[str, Array], **more: object) -> Poses:
    arrays = {name: numpy.asarray(one, numpy.float32) for name, one in outputs.items()}
    return poses(arrays, chosen(head, **more), SIZE)


def persons(seed: int = 1, count: int = 17) -> tuple[Array, Array]:
    """Two boxes (middle, sizes) with points (column, row, score) inside."""
    random = numpy.random.default_rng(seed)
    boxes = numpy.array([[30.0, 40, 40, 60], [90.0, 50, 50, 70]])
    points = random.uniform(-0.5, 0.5, (2, count, 3))
    points[:, :, :2] = points[:, :, :2] * boxes[:, None, 2:] + boxes[:, None, :2]
    points[:, :, 2] += 0.5
    return boxes, points


def yolo_pose(classes: int = 1, count: int = 17) -> dict[str, Array]:
    boxes, points = persons(count=count)
    table = numpy.full((CELLS, 4 + classes + 3 * count), 0.01)
    table[:, :4] = [10, 10, 4, 4]
    for row, at, score in ((5, 0, 0.9), (6, 0, 0.7), (40, 1, 0.6)):  # the second one is a double
        table[row, :4] = boxes[at]
        table[row, 4 + classes - 1] = score
        table[row, 4 + classes :] = points[at].reshape(-1)
    return {"output0": table.T[None]}


@pytest.mark.parametrize("classes", [1, 2])
def test_poses_of_yolo_are_those_that_are_there(classes: int) -> None:
    found = found_in("yolo-pose", yolo_pose(classes))
    boxes, points = persons()
    assert found.boxes.scores == pytest.approx([0.9, 0.6], abs=1e-6)
    assert found.boxes.classes.tolist() == [classes - 1] * 2
    corners = numpy.hstack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2])
    assert found.boxes.corners == pytest.approx(corners, abs=1e-4)
    assert found.points == pytest.approx(points, abs=1e-4)


def test_names_of_points_give_their_number() -> None:
    found = found_in("yolo-pose", yolo_pose(classes=4, count=5), points=list("abcde"))
    assert found.points.shape == (2, 5, 3)
    assert found.boxes.classes.tolist() == [3, 3]


def test_rows_after_suppression_are_taken_as_they_are() -> None:
    boxes, points = persons()
    corners = numpy.hstack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2])
    rows = numpy.zeros((1, 300, 57))
    for at, score in ((0, 0.5), (1, 0.8)):
        rows[0, at] = [*corners[at], score, 0, *points[at].reshape(-1)]
    found = found_in("yolo-pose-rows", {"output0": rows})
    assert found.boxes.scores == pytest.approx([0.8, 0.5])
    assert found.points == pytest.approx(points[::-1], abs=1e-4)


def test_movenet_gives_rows_first_and_shares_of_the_input() -> None:
    shares = numpy.random.default_rng(2).uniform(0.1, 0.9, (17, 3))
    shares[4, 2] = 0.05
    found = found_in("movenet", {"output_0": shares[None, None]}, threshold=0.0, point_score=0.1)
    wanted = [(x * SIZE[1], y * SIZE[0], score) for y, x, score in shares]
    assert found.points[0] == pytest.approx(numpy.array(wanted), abs=1e-4)
    likely = [(x, y) for at, (x, y, _) in enumerate(wanted) if at != 4]
    assert found.boxes.corners[0, :2] == pytest.approx(numpy.min(likely, axis=0), abs=1e-4)
    assert found.boxes.corners[0, 2:] == pytest.approx(numpy.max(likely, axis=0), abs=1e-4)
    assert found.boxes.scores[0] == pytest.approx(shares[:, 2].mean(), abs=1e-5)


def test_movenet_for_several_persons_has_a_box_of_each() -> None:
    shares = numpy.random.default_rng(3).uniform(0.1, 0.9, (6, 17, 3))
    rows = numpy.zeros((6, 56))
    rows[:, :51] = shares.reshape(6, -1)
    rows[:, 51:55] = [0.1, 0.2, 0.5, 0.75]  # top, left, bottom, right
    rows[:, 55] = [0.2, 0.9, 0.1, 0.5, 0.0, 0.0]
    found = found_in("movenet-multi", {"output_0": rows[None]})
    assert found.boxes.scores == pytest.approx([0.9, 0.5])
    assert found.boxes.corners[0] == pytest.approx([25.6, 9.6, 96, 48], abs=1e-4)
    assert found.points[0, :, 0] == pytest.approx(shares[1, :, 1] * SIZE[1], abs=1e-4)


def simple_baselines(maps: Array) -> list[tuple[float, float, float]]:
    """The decoding of Xiao et al. 2018, point by point: column, row, score in cells."""
    found = []
    for one in maps:
        row, column = numpy.unravel_index(one.argmax(), one.shape)
        x, y = float(column), float(row)
        if 1 < column + 1 < one.shape[1] and 1 < row + 1 < one.shape[0]:
            x += 0.25 * numpy.sign(one[row, column + 1] - one[row, column - 1])
            y += 0.25 * numpy.sign(one[row + 1, column] - one[row - 1, column])
        found.append((x, y, float(one.max())))
    return found


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_heat_maps_are_read_as_their_authors_do(seed: int, last: bool) -> None:
    maps = numpy.random.default_rng(seed).uniform(0, 1, (17, 24, 32)).astype(numpy.float32)
    maps[0, 0, 31] = 2.0  # at an edge: nothing is moved
    maps[1, 10, 0] = 2.0
    array = maps.transpose(1, 2, 0)[None] if last else maps[None]
    found = found_in("heatmaps", {"maps": array}, threshold=0.0, points=list(COCO))
    wanted = numpy.array(simple_baselines(maps)) * [4, 4, 1]
    assert found.points[0] == pytest.approx(wanted, abs=1e-5)


def simcc(across: Array, down: Array, ratio: float) -> list[tuple[float, float, float]]:
    """The decoding of RTMPose, point by point, in pixels."""
    found = []
    for x, y in zip(across, down, strict=True):
        score = min(float(x.max()), float(y.max()))
        found.append((int(x.argmax()) / ratio, int(y.argmax()) / ratio, score))
    return found


@pytest.mark.parametrize("flipped", [False, True])
def test_bins_of_simcc_are_pixels(flipped: bool) -> None:
    random = numpy.random.default_rng(4)
    across, down = random.uniform(0, 1, (17, 256)), random.uniform(0, 1, (17, 192))
    outputs = {"simcc_x": across[None], "simcc_y": down[None]}
    if flipped:
        outputs = dict(reversed(outputs.items()))
    found = found_in("simcc", outputs, threshold=0.0)
    assert found.points[0] == pytest.approx(numpy.array(simcc(across, down, 2.0)), abs=1e-4)


def landmarks(rows: Array, *scores: float) -> dict[str, Array]:
    """Points in one row, and outputs of one number."""
    singles = {f"Identity_{at}": numpy.array([[one]]) for at, one in enumerate(scores, 1)}
    return {"Identity": rows.reshape(1, -1), **singles}


def test_landmarks_with_a_depth_take_the_score_of_the_object() -> None:
    row = numpy.random.default_rng(5).uniform(0, 90, (21, 3))
    outputs = landmarks(row, 0.8, 0.1)
    found = found_in("landmarks", outputs)
    assert found.points[0, :, :2] == pytest.approx(row[:, :2], abs=1e-4)
    assert found.points[0, :, 2] == pytest.approx(numpy.full(21, 0.8))
    assert found.boxes.scores == pytest.approx([0.8])


def test_landmarks_with_visibility_and_presence_take_the_smaller() -> None:
    row = numpy.random.default_rng(6).uniform(2, 90, (39, 5))
    row[:, 3:] = numpy.random.default_rng(7).normal(0, 2, (39, 2))
    found = found_in("landmarks", landmarks(row, 3.0))
    wanted = (1 / (1 + numpy.exp(-row[:, 3:]))).min(axis=1)
    assert found.points[0, :, 2] == pytest.approx(wanted, abs=1e-5)
    assert found.boxes.scores == pytest.approx([1 / (1 + numpy.exp(-3.0))], abs=1e-5)


MAKERS = {
    "yolo-pose": yolo_pose(),
    "yolo-pose-rows": {"y": numpy.full((1, 9, 57), 0.5)},
    "movenet": {"y": numpy.full((1, 1, 17, 3), 0.5)},
    "movenet-multi": {"y": numpy.full((1, 6, 56), 0.5)},
    "heatmaps": {"y": numpy.full((1, 17, 24, 32), 0.5)},
    "simcc": {"x": numpy.full((1, 17, 256), 0.5), "y": numpy.full((1, 17, 192), 0.5)},
    "landmarks": {"y": numpy.full((1, 63), 0.5)},
}


@pytest.mark.parametrize("head", POINT_HEADS)
def test_values_that_are_no_numbers_stay_out_of_the_answer(head: str) -> None:
    outputs = {n: numpy.full_like(a, numpy.nan, numpy.float32) for n, a in MAKERS[head].items()}
    decoder = Decoder(chosen(head, threshold=0.0))
    json.dumps(decoder.decode(outputs, SIZE), allow_nan=False)
    assert len(found_in(head, MAKERS[head], threshold=0.0).points) >= 1


@pytest.mark.parametrize("head", POINT_HEADS)
@pytest.mark.parametrize("shape", [(0,), (1, 0, 56), (1, 7), (2, 3, 4), (1, 1, 1, 1), (3, 4, 5, 6)])
def test_outputs_of_another_form_are_a_sentence(head: str, shape: tuple[int, ...]) -> None:
    outputs = {"y": numpy.zeros(shape, numpy.float32)}
    assert sentence_of(head, outputs).endswith(".")


def sentence_of(head: str, outputs: dict[str, Array]) -> str:
    """Return the refusal of outputs, or how many poses they are."""
    try:
        found = poses(outputs, chosen(head), SIZE)
    except UnknownForm as error:
        return str(error)
    return f"{len(found.points)} poses."


def decoded(outputs: dict[str, Array], picture: PictureInInput | None, **more: Any) -> Any:
    arrays = {name: numpy.asarray(one, numpy.float32) for name, one in outputs.items()}
    return Decoder(chosen(**more)).decode(arrays, SIZE, picture)


def test_points_have_names_and_lie_in_the_picture() -> None:
    steps = Preprocess(resize="fit", height=SIZE[0], width=SIZE[1], pad_align="center")
    picture = PictureInInput(480, 320, steps.placement(480, 320))
    pose = numpy.tile([0.5, 0.5, 0.9], (17, 1))
    pose[0] = [0.25, 0.0, 0.8]  # left of the picture, in the padding
    (one,) = decoded({"y": pose[None, None]}, picture, head="movenet")["objects"]
    assert one["label"] == "person"
    assert [point["name"] for point in one["points"]] == list(COCO)
    assert one["points"][1] == {"name": "left_eye", "x": 160.0, "y": 240.0, "score": 0.9}
    assert one["points"][0] == {"name": "nose", "x": 0.0, "y": 120.0, "score": 0.8}


def test_points_without_names_have_numbers() -> None:
    row = numpy.full((1, 63), 30.0)
    (one,) = decoded({"y": row}, None, head="landmarks")["objects"]
    assert one["label"] == "0"
    assert [point["name"] for point in one["points"]] == [str(at) for at in range(21)]


def test_a_head_of_another_task_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="head cannot be 'yolov8' for keypoints: it is one of"):
        chosen("yolov8")
    with pytest.raises(ValueError, match="points cannot be 3"):
        chosen("movenet", points=[3])
    with pytest.raises(ValueError, match="points are at most"):
        chosen("movenet", points=["x"] * 2000)
