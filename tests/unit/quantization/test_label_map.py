"""A label map lets data with other labels than the model's classes be evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import InvalidData
from studio.evaluation.results import EvaluationResult
from studio.quantization import evaluation, preflight, work
from studio.quantization.step import EVALUATE, PREVIEW, QUANTIZE
from studio.registry import VariantRecord

from .conftest import DIGITS, FakeJob, options_of

pytestmark = pytest.mark.slow

CALIBRATION = str(DIGITS / "calibration.npz")
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Forty digits that are labelled by their names."""
    with numpy.load(DIGITS / "heldout.npz") as found:
        images, labels = found["image"][:40], found["labels"][:40]
    words = numpy.array([NAMES[label] for label in labels])
    numpy.savez(tmp_path / "words.npz", image=images, labels=words)
    return tmp_path / "words.npz"


@pytest.fixture
def label_map(tmp_path: Path) -> Path:
    file = tmp_path / "labelmap.txt"
    file.write_text("".join(f"{name},{number}\n" for number, name in enumerate(NAMES)))
    return file


def evaluate(digits: VariantRecord, job: FakeJob, **given: Any) -> EvaluationResult:
    return evaluation.evaluate(options_of(EVALUATE, digits, **given), job)


def test_names_are_evaluated_as_classes(
    digits: VariantRecord, job: FakeJob, data: Path, label_map: Path
) -> None:
    with pytest.raises(InvalidData) as caught:
        evaluate(digits, job, data=str(data), metric="top1")
    assert "--label-map" in (caught.value.hint or "")
    result = evaluate(digits, job, data=str(data), label_map=str(label_map))
    assert (result.metric.name, result.samples) == ("top1", 40)
    assert result.metric.value > 0.95


def test_a_quantization_judges_with_it_but_calibrates_without(
    digits: VariantRecord, job: FakeJob, data: Path, label_map: Path, tmp_path: Path
) -> None:
    with numpy.load(DIGITS / "calibration.npz") as found:
        images = found["image"][:8]
    numpy.savez(tmp_path / "other.npz", image=images, labels=numpy.array(["misc"] * 8))
    given = {"data": str(tmp_path / "other.npz"), "label_map": str(label_map)}
    result = work.quantize(options_of(QUANTIZE, digits, eval_data=str(data), **given), job)
    assert result.metric is not None
    assert (result.metric.name, result.metric.samples) == ("top1", 40)


def test_a_missing_label_is_said_before_the_work(
    digits: VariantRecord, job: FakeJob, data: Path, label_map: Path
) -> None:
    label_map.write_text("zero,0\n")
    options = options_of(
        QUANTIZE, digits, data=CALIBRATION, eval_data=str(data), label_map=str(label_map)
    )
    with pytest.raises(InvalidData, match=r"labelmap\.txt has no class for 9 of 10 labels"):
        work.quantize(options, job)
    assert not any("Calibrating" in text for _, text in job.points)


def test_a_class_beyond_the_models_is_refused(
    digits: VariantRecord, job: FakeJob, data: Path, label_map: Path
) -> None:
    label_map.write_text("zero,10\n")
    with pytest.raises(InvalidData, match="to class 10, and the model has 10 classes"):
        evaluate(digits, job, data=str(data), label_map=str(label_map))


def test_a_preview_shows_classes(
    digits: VariantRecord, job: FakeJob, data: Path, label_map: Path
) -> None:
    options = options_of(
        PREVIEW, digits, eval_data=str(data), label_map=str(label_map), outlook=False
    )
    found = preflight.preview(options, job)
    assert found.eval_data is not None
    assert found.eval_data.labels.kind == "class"  # type: ignore[union-attr]
