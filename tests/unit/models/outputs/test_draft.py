"""A first outputs.toml: the form of the outputs recognised, and read back as settings."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import InvalidData, InvalidModel
from studio.datasets.output_settings import read_outputs
from studio.models.outputs.draft import AnsweredSample, check_outputs, draft_outputs
from tests.unit.runtime.serve.decoders.heads import HEADS, SIZE, Truth, gfl
from tests.unit.runtime.serve.decoders.test_instances import maskrcnn, outputs_of
from tests.unit.runtime.serve.decoders.test_keypoints import yolo_pose

TRUTHS = (Truth((8, 16, 40, 60), 1, 0.9), Truth((70, 20, 110, 76), 3, 0.6))


def recognised(outputs: dict[str, Any], **known: Any) -> dict[str, Any]:
    arrays = {name: numpy.asarray(value, numpy.float32) for name, value in outputs.items()}
    return tomllib.loads(draft_outputs(AnsweredSample(arrays, **known)))


@pytest.mark.parametrize("head", ["boxes", "yolov5", "yolov8", "yolox", "gfl", "detr"])
def test_the_head_of_a_detector_is_recognised(head: str, tmp_path: Path) -> None:
    outputs = HEADS[head][0](TRUTHS)
    text = draft_outputs(AnsweredSample(outputs, SIZE))
    file = tmp_path / "outputs.toml"
    file.write_text(text)
    settings = read_outputs(file)
    assert (settings.task, settings.head) == ("detection", head)


def test_the_levels_of_a_detector_are_recognised() -> None:
    found = recognised(gfl(TRUTHS), size=SIZE)
    assert (found["head"], found["strides"], found["offset"]) == ("gfl", [8, 16, 32], 0.5)


@pytest.mark.parametrize(
    ("outputs", "known", "task"),
    [
        ({"y": [[0.1, 3.0, -1.0]]}, {"labels": ("a", "b", "c")}, "classification"),
        ({"fetch": [[0.2, 0.8]]}, {}, "classification"),
        ({"scores": [[3.0, 8.0]]}, {}, "classification"),
        ({"prob": [[0.3]]}, {}, "probability"),
        ({"price": [[31.0]]}, {}, "regression"),
        ({"embedding": numpy.ones((1, 96))}, {}, "embedding"),
        ({"steps": numpy.ones((1, 7, 4))}, {"characters": ("a", "b", "c")}, "text"),
        ({"map": numpy.eye(32)[None, None]}, {"size": (32, 32)}, "segmentation"),
    ],
)
def test_the_task_is_recognised(outputs: dict[str, Any], known: dict[str, Any], task: str) -> None:
    assert recognised(outputs, **known)["task"] == task


def test_of_several_outputs_the_row_is_named() -> None:
    outputs = {"hidden": numpy.ones((1, 5, 7)), "logits": [[1.0, 2.0]]}
    assert recognised(outputs)["output"] == "logits"


@pytest.mark.parametrize("outputs", [{"x": numpy.ones((1, 96))}, {"h": numpy.ones((1, 5, 7))}])
def test_what_is_not_known_is_a_sentence(outputs: dict[str, Any]) -> None:
    with pytest.raises(InvalidModel, match="no form that is known"):
        recognised(outputs)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("task = ", "outputs.toml cannot be read"),
        ('task = "magic"', "outputs.toml: task cannot be 'magic'"),
        ('task = "text"\ncolor = "red"', "outputs.toml: unknown setting 'color'"),
    ],
)
def test_a_file_that_is_wrong_is_a_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "outputs.toml"
    file.write_text(text)
    with pytest.raises(InvalidData, match=sentence):
        read_outputs(file)


def test_settings_for_another_model_are_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "outputs.toml"
    sample = AnsweredSample({"y": numpy.ones((1, 3), numpy.float32)}, SIZE)
    file.write_text('task = "classification"')
    check_outputs(file, sample)
    file.write_text('task = "detection"\nhead = "yolox"')
    with pytest.raises(InvalidData, match="does not fit the model: The output 'y'"):
        check_outputs(file, sample)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "outputs.toml"
    file.write_bytes(b"#" * (1 << 21))
    with pytest.raises(InvalidData, match="too large for settings"):
        read_outputs(file)


def blobs(points: int, tall: int, wide: int) -> Any:
    """Heat maps with one small blob each."""
    maps = numpy.zeros((1, points, tall, wide))
    for at in range(points):
        maps[0, at, 3 + at % 9, 4 + at] = 0.9
    return maps


POINTS = [
    ("movenet", {"output_0": numpy.full((1, 1, 17, 3), 0.4)}),
    ("movenet-multi", {"output_0": numpy.full((1, 6, 56), 0.4)}),
    ("heatmaps", {"output": blobs(17, 24, 32)}),
    ("heatmaps", {"output": blobs(17, 24, 32).transpose(0, 2, 3, 1)}),
    ("simcc", {"x": numpy.ones((1, 17, 256)), "y": numpy.ones((1, 17, 192))}),
    ("yolo-pose", yolo_pose()),
    ("yolo-pose-rows", {"output0": numpy.tile([40.0, 30, 0.5], (1, 300, 19))}),
]


@pytest.mark.parametrize(("head", "outputs"), POINTS)
def test_the_head_of_key_points_is_recognised(head: str, outputs: dict[str, Any]) -> None:
    found = recognised(outputs, size=SIZE)
    assert (found["task"], found["head"]) == ("keypoints", head)


@pytest.mark.parametrize("head", ["yolov5-seg", "yolo-seg", "yolo-seg-rows", "queries"])
def test_the_head_of_masks_is_recognised(head: str) -> None:
    found = recognised(outputs_of(head), size=SIZE)
    assert (found["task"], found["head"]) == ("instances", head)


def test_the_masks_of_a_list_of_boxes_are_recognised() -> None:
    outputs, _ = maskrcnn()
    found = tomllib.loads(draft_outputs(AnsweredSample(outputs, SIZE)))
    assert (found["task"], found["head"]) == ("instances", "maskrcnn")


def test_a_detector_of_52_classes_has_no_key_points() -> None:
    table = numpy.random.default_rng(1).uniform(0, 0.2, (1, 56, 252))
    table[0, :4] *= 300
    assert recognised({"output0": table}, size=SIZE)["head"] == "yolov8"
