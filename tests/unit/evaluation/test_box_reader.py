"""Boxes of a detector in pixels of its pictures, and the metrics that are computed from them."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from PIL import Image

from studio.api import (
    Dataset,
    InvalidData,
    InvalidModel,
    Sample,
    Silent,
    TensorType,
    UsageError,
    Value,
)
from studio.datasets import open_dataset
from studio.evaluation.box_reader import BOXES, BoxReader, is_box_list
from studio.evaluation.judge import Evaluator
from studio.plugin_host import PluginHost

INPUT = Value("x", TensorType("float32", (1, 3, 8, 8)))
ROWS = numpy.array(
    [[0, 0, 4, 4, 0.9, 0], [4, 4, 8, 8, 0.2, 0], [0, 4, 4, 8, 0.8, 2]], numpy.float32
)
OUTPUTS = {"found": ROWS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture of 40 × 20 pixels, stretched to 8 × 8, with one box of class 0."""
    Image.new("RGB", (40, 20)).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text('file,label\na.png,"0 0 0 20 10"\n')
    (tmp_path / "preprocess.toml").write_text('resize = "stretch"\nheight = 8\nwidth = 8\n')
    (tmp_path / "outputs.toml").write_text('task = "detection"\nthreshold = 0.3\n')
    return tmp_path


@pytest.fixture
def dataset(folder: Path) -> Dataset:
    return open_dataset(folder, [INPUT])


def reader(folder: Path, dataset: Dataset) -> BoxReader:
    found = BoxReader.read(folder / "outputs.toml", dataset)
    assert found is not None
    return found


def first(dataset: Dataset) -> Sample:
    return next(iter(dataset))


def test_boxes_are_in_pixels_of_the_picture_and_of_labelled_classes(
    folder: Path, dataset: Dataset
) -> None:
    found = reader(folder, dataset)(first(dataset), OUTPUTS)
    assert found[BOXES].tolist() == [pytest.approx([0, 0, 20, 10, 0.9, 0])]


def test_mean_average_precision_has_unlikely_boxes_and_the_answer_has_none(
    folder: Path, dataset: Dataset
) -> None:
    read = reader(folder, dataset).with_unlikely()
    found = read(first(dataset), OUTPUTS)
    assert len(found[BOXES]) == 2
    assert read.answer(found) == "0 0.0 0.0 20.0 10.0 0.900"


def test_arrays_have_boxes_in_pixels_of_the_input_and_of_all_classes(folder: Path) -> None:
    numpy.savez(folder / "a.npz", x=numpy.zeros((1, 3, 8, 8), numpy.float32))
    dataset = open_dataset(folder / "a.npz", [INPUT])
    found = reader(folder, dataset)(first(dataset), OUTPUTS)
    assert found[BOXES][:, :4].tolist() == [[0, 0, 4, 4], [0, 4, 4, 8]]


def test_other_outputs_are_one_sentence(folder: Path, dataset: Dataset) -> None:
    with pytest.raises(InvalidModel, match=r"do not fit the outputs\.toml"):
        reader(folder, dataset)(first(dataset), {"found": numpy.ones((1, 3), numpy.float32)})


def test_settings_of_another_task_read_no_boxes(folder: Path, dataset: Dataset) -> None:
    (folder / "outputs.toml").write_text('task = "classification"\n')
    assert BoxReader.read(folder / "outputs.toml", dataset) is None
    assert BoxReader.read(None, dataset) is None


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("0 1 2 3 4", True),
        ("0 1 2 3 4; 1 5 6 7 8;", True),
        ("", False),
        ("TICKET LIBRARY", False),
        ("a b c d e", False),
        ("0 1 2 3", False),
        ("inf 1 2 3 4", False),
        (3, False),
        ("car 0 1 2 3", False),
    ],
)
def test_labels_that_are_lists_of_boxes(label: object, expected: bool) -> None:
    assert is_box_list(label) is expected


@pytest.mark.parametrize(("wanted", "metric"), [("auto", "box-f1"), ("map", "map")])
def test_a_detector_has_a_metric_of_boxes(
    folder: Path, dataset: Dataset, wanted: str, metric: str
) -> None:
    outputs = folder / "outputs.toml"
    judge = Evaluator.choose(PluginHost.discover(), wanted, dataset, None, outputs)
    assert judge is not None
    assert judge.metric.id == metric
    sample = first(dataset)
    assert judge.right(judge.read(sample, OUTPUTS), str(sample.label)) == 1.0


class _Answering:
    """A session that finds the same boxes in each picture."""

    input_names, output_names = ("x",), ("found",)

    def run(self, feeds: object, outputs: object = None) -> dict[str, numpy.ndarray]:
        return dict(OUTPUTS)

    def close(self) -> None:
        """Nothing to free."""


def test_a_run_is_scored_from_its_boxes(folder: Path, dataset: Dataset) -> None:
    outputs = folder / "outputs.toml"
    judge = Evaluator.choose(PluginHost.discover(), "auto", dataset, None, outputs)
    assert judge is not None
    scored = judge.on(dataset).scored(_Answering(), dataset, Silent())
    assert scored.value == 1.0
    assert scored.each == {"a.png": 1.0}


def with_names(folder: Path, labels: str) -> Evaluator | None:
    (folder / "labels.csv").write_text(f'file,label\na.png,"{labels}"\n')
    dataset = open_dataset(folder, [INPUT])
    return Evaluator.choose(PluginHost.discover(), "auto", dataset, None, folder / "outputs.toml")


def test_labels_may_name_the_classes_of_the_model(folder: Path) -> None:
    (folder / "model").mkdir()  # the list of names is next to outputs.toml, not to the data
    (folder / "model" / "outputs.toml").write_text('task = "detection"\nthreshold = 0.3\n')
    (folder / "model" / "labels.txt").write_text("traffic light\ncat\nperson\n")
    (folder / "labels.csv").write_text(
        'file,label\na.png,"traffic light 0 0 20 10; person 0 10 20 20"\n'
    )
    dataset = open_dataset(folder, [INPUT])
    outputs = folder / "model" / "outputs.toml"
    judge = Evaluator.choose(PluginHost.discover(), "auto", dataset, None, outputs)
    assert judge is not None
    assert judge.boxes is not None
    assert judge.boxes.classes == {0, 2}
    sample = first(dataset)
    assert judge.right(judge.read(sample, OUTPUTS), str(sample.label)) == 1.0


def test_a_name_that_the_model_does_not_have_is_told(folder: Path) -> None:
    with pytest.raises(InvalidData, match="'lorry', and the model has no such class"):
        with_names(folder, "lorry 0 0 20 10")


def test_boxes_without_the_meaning_of_the_outputs_ask_for_no_dictionary(dataset: Dataset) -> None:
    with pytest.raises(UsageError, match="meaning of the model's outputs is not set"):
        Evaluator.choose(PluginHost.discover(), "auto", dataset, None, None)
