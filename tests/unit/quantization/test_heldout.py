"""Held-out data give the metric that is reported, and never an excuse for none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import InvalidData
from studio.documents.dataclass_json import to_json
from studio.quantization import evaluation, texts, work
from studio.quantization.results import QuantizeResult
from studio.quantization.step import EVALUATE, QUANTIZE
from studio.registry import VariantRecord

from .conftest import DIGITS, FakeJob, options_of

pytestmark = pytest.mark.slow

CALIBRATION = str(DIGITS / "calibration.npz")
HELDOUT = str(DIGITS / "heldout.npz")


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, str]:
    """Evaluation data of 40 samples, held-out data of 60, and others without labels or of texts."""
    with numpy.load(HELDOUT) as data:
        images, labels = data["image"], data["labels"]
    numpy.savez(tmp_path / "evaluation.npz", image=images[:40], labels=labels[:40])
    numpy.savez(tmp_path / "kept.npz", image=images[40:100], labels=labels[40:100])
    numpy.savez(tmp_path / "bare.npz", image=images[40:100])
    words = numpy.array([f"class {label}" for label in labels[40:100]])
    numpy.savez(tmp_path / "words.npz", image=images[40:100], labels=words)
    return {file.stem: str(file) for file in tmp_path.glob("*.npz")}


def quantize(variant: VariantRecord, job: FakeJob, **given: Any) -> QuantizeResult:
    options = options_of(QUANTIZE, variant, data=CALIBRATION, samples=8, **given)
    return work.quantize(options, job)


def test_they_give_the_metric(digits: VariantRecord, job: FakeJob, parts: dict[str, str]) -> None:
    result = quantize(digits, job, eval_data=parts["evaluation"], heldout_data=parts["kept"])
    assert result.metric is not None
    assert (result.metric.samples, result.notes) == (60, ())


def test_they_are_enough_alone(digits: VariantRecord, job: FakeJob, parts: dict[str, str]) -> None:
    result = quantize(digits, job, heldout_data=parts["kept"])
    assert result.metric is not None, "the calibration data have no labels, and these have"
    assert result.metric.samples == 60


def test_without_labels_they_are_left_out_with_a_note(
    digits: VariantRecord, job: FakeJob, parts: dict[str, str]
) -> None:
    result = quantize(digits, job, eval_data=parts["evaluation"], heldout_data=parts["bare"])
    assert result.metric is not None
    assert result.metric.samples == 40
    assert result.notes[0].startswith("The held-out data has no labels")


def test_labels_of_another_kind_are_refused_before_the_work(
    digits: VariantRecord, job: FakeJob, parts: dict[str, str]
) -> None:
    with pytest.raises(InvalidData, match="class numbers as labels, but 'class"):
        quantize(digits, job, eval_data=parts["evaluation"], heldout_data=parts["words"])
    assert not any("Calibrating" in text for _, text in job.points)


def test_an_evaluation_has_both_values(
    digits: VariantRecord, job: FakeJob, parts: dict[str, str]
) -> None:
    data = parts["evaluation"]
    result = evaluation.evaluate(
        options_of(EVALUATE, digits, data=data, heldout_data=parts["kept"]), job
    )
    assert result.heldout is not None
    assert (result.samples, result.heldout.samples) == (40, 60)
    assert texts.evaluated(result)[1].endswith("over 60 held-out samples")
    shares = [share for share, _ in job.points]
    assert shares == sorted(shares)
    alone = evaluation.evaluate(options_of(EVALUATE, digits, data=data), job)
    assert (alone.metric, alone.heldout) == (result.metric, None)
    assert "heldout" not in to_json(alone), "the document of before"


def test_an_evaluation_leaves_out_what_has_no_labels(
    digits: VariantRecord, job: FakeJob, parts: dict[str, str]
) -> None:
    options = options_of(EVALUATE, digits, data=parts["evaluation"], heldout_data=parts["bare"])
    result = evaluation.evaluate(options, job)
    assert result.heldout is None
    assert "no labels" in texts.evaluated(result)[1]
