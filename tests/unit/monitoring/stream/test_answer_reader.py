"""Answers of a stream by an outputs.toml, or by the form of the outputs."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from studio.api import InvalidData
from studio.datasets import Preprocess
from studio.documents.dataclass_json import from_json, to_json
from studio.models.answers import OutputReader
from studio.monitoring.stream.answer_reader import MeaningReader
from studio.monitoring.stream.context import ServedContext
from studio.monitoring.stream.frames import PreparedFrame
from studio.monitoring.stream.results import FrameAnswer
from studio.monitoring.stream.step import StreamOptions
from studio.runtime.serve.decoders.settings import OutputSettings
from tests.unit.runtime.serve.decoders.heads import SIZE, Truth, yolov8
from tests.unit.runtime.serve.decoders.test_instances import maskrcnn
from tests.unit.runtime.serve.decoders.test_keypoints import yolo_pose

STEPS = Preprocess(resize="stretch", height=SIZE[0], width=SIZE[1])
PICTURE = numpy.zeros((192, 256, 3), numpy.uint8)
SHOT = PreparedFrame({}, PICTURE, STEPS.placement(192, 256))
ARRAY = PreparedFrame({}, None)
Outputs = dict[str, numpy.ndarray]


def reader(labels: tuple[str, ...] = (), **chosen: object) -> MeaningReader:
    settings = OutputSettings.from_json(chosen) if chosen else None
    return MeaningReader(OutputReader(labels=labels), settings)


def read(found: MeaningReader, outputs: Outputs, shot: PreparedFrame = SHOT) -> FrameAnswer:
    arrays = {name: one.astype(numpy.float32) for name, one in outputs.items()}
    answer = found.read(arrays, shot)
    assert from_json(FrameAnswer, to_json(answer)) == answer
    return answer


def test_a_table_of_boxes_is_recognised() -> None:
    answer = read(reader(("cat", "dog")), yolov8([Truth((8, 16, 40, 60), 1, 0.9)]))
    assert answer.task == "detection"
    assert answer.recognised
    assert answer.boxes is not None
    (box,) = answer.boxes
    assert box.label == "dog"
    assert box.box == pytest.approx((8 / 128, 16 / 96, 40 / 128, 60 / 96), abs=1e-3)
    assert answer.raw is not None
    assert answer.raw[0].startswith("output0: 1×8×252")


def test_key_points_are_in_fractions_of_the_picture() -> None:
    answer = read(reader(), yolo_pose())
    assert answer.boxes is not None
    assert answer.boxes[0].label == "person"
    points = answer.boxes[0].points
    assert points is not None
    assert 0 < len(points) < 17  # those that are not likely are left out
    assert all(0.0 <= one.x <= 1.0 for one in points)
    assert points[0].name.startswith(("left", "right", "nose"))


def test_masks_come_with_their_boxes() -> None:
    settings = {"task": "instances", "head": "maskrcnn"}
    answer = read(reader(**settings), maskrcnn()[0])
    assert not answer.recognised
    assert answer.boxes is not None
    masks = [one.mask for one in answer.boxes]
    assert [(one.width, one.height) for one in masks if one] == [(32, 44), (40, 56)]


def test_a_map_covers_the_whole_input() -> None:
    placed = Preprocess(resize="fit", height=96, width=128, pad_align="center").placement(96, 64)
    shot = PreparedFrame({}, numpy.zeros((96, 64, 3), numpy.uint8), placed)
    scores = numpy.zeros((1, 2, 24, 32))
    scores[0, 1, :, :16] = 9.0
    answer = read(reader(("road", "sky"), task="segmentation"), {"map": scores}, shot)
    assert answer.map is not None
    assert answer.map.box == pytest.approx((-0.5, 0.0, 1.5, 1.0))
    assert answer.classes is not None
    assert {one.label: one.score for one in answer.classes} == {"road": 0.5, "sky": 0.5}


@pytest.mark.parametrize(
    ("outputs", "chosen", "lines"),
    [
        ({"p": [[0.8]]}, {"task": "probability"}, ("Probability 80.0 %", "positive")),
        ({"y": [[1.5]]}, {"task": "regression", "unit": "mm"}, ("1.5 mm",)),
        ({"v": [[3, 4]]}, {"task": "embedding"}, ("2 numbers, norm 5",)),
    ],
)
def test_one_row_is_told_in_lines(
    outputs: dict[str, list[list[float]]], chosen: dict[str, object], lines: tuple[str, ...]
) -> None:
    arrays = {name: numpy.array(one) for name, one in outputs.items()}
    assert read(reader(**chosen), arrays, ARRAY).values == lines


def test_settings_that_do_not_fit_leave_the_raw_lines() -> None:
    answer = read(reader(task="detection", head="yolox"), {"y": numpy.zeros((1, 7))})
    assert answer.kind == "values"
    assert answer.values is not None
    assert answer.values[0] == "The output 'y' is not one table of boxes."
    assert answer.values[1].startswith("y: 1×7")


def test_outputs_of_no_known_form_stay_raw() -> None:
    answer = read(reader(), {"state": numpy.zeros((2, 8, 8))})
    assert answer.values == ("state: 2×8×8, 0 to 0, mean 0",)


def test_classes_without_a_file_are_read_as_before() -> None:
    answer = read(reader(("cat", "dog")), {"scores": numpy.array([[0.1, 0.9]])})
    assert (answer.kind, answer.task) == ("classes", "")


def test_the_file_next_to_the_source_is_taken(tmp_path: Path) -> None:
    (tmp_path / "outputs.toml").write_text('task = "embedding"\n')
    options = StreamOptions(source=str(tmp_path))
    context = ServedContext.of(options, "")
    answer = read(context.reader, {"v": numpy.array([[3.0, 4.0]])}, ARRAY)
    assert answer.task == "embedding"
    (tmp_path / "outputs.toml").write_text('task = "magic"\n')
    with pytest.raises(InvalidData, match="task cannot be"):
        ServedContext.of(options, "")
