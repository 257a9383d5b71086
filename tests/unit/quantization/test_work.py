"""Quantize and evaluate on the digits sample, through the real plugins."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy
import onnx
import pytest

from studio.api import Cancelled, GateMissed, InvalidData, StudioError, UsageError
from studio.documents.dataclass_json import from_json, to_json
from studio.evaluation.judge import Scored
from studio.quantization import evaluation, record, work
from studio.quantization.presets import prepare
from studio.quantization.results import (
    QuantizeResult,
    SearchCandidate,
    SearchLimits,
    SearchReport,
    figures_of,
)
from studio.quantization.step import EVALUATE, QUANTIZE
from studio.registry import Registry, VariantRecord

from .conftest import DIGITS, FakeJob, options_of

pytestmark = pytest.mark.slow

CALIBRATION = str(DIGITS / "calibration.npz")
HELDOUT = str(DIGITS / "heldout.npz")


def quantize(variant: VariantRecord, job: FakeJob, **given: Any) -> QuantizeResult:
    result = work.quantize(options_of(QUANTIZE, variant, **given), job)
    document = to_json(result)
    assert json.loads(json.dumps(document)) == document  # it travels as JSON
    read = from_json(QuantizeResult, document)
    assert to_json(read) == document
    return read


def test_int8_loses_at_most_a_point(digits: VariantRecord, job: FakeJob) -> None:
    result = quantize(digits, job, data=CALIBRATION, eval_data=HELDOUT, max_drop=0.01)
    assert result.metric.name == "top1"
    assert result.metric.before > 0.98
    assert result.metric.drop <= 0.01
    assert result.metric.samples == 450
    assert result.size_ratio < 0.35
    assert result.sqnr_db > 25
    assert 0 < result.latency_ratio < 10
    assert result.files.summary.precision == "int8"
    assert (job.folder / result.files.file).is_file()
    assert (job.folder / result.files.graph).is_file()


def test_progress_never_goes_back(digits: VariantRecord, job: FakeJob) -> None:
    quantize(digits, job, data=CALIBRATION, eval_data=HELDOUT)
    shares = [share for share, _ in job.points]
    assert shares == sorted(shares)
    assert shares[-1] <= 1
    assert {"Calibrating (128 of 128)", "Timing"} <= {text for _, text in job.points}


@pytest.mark.parametrize(("method", "largest"), [("dynamic-int8", 0.8), ("fp16", 0.55)])
def test_methods_that_need_no_data(
    digits: VariantRecord, job: FakeJob, method: str, largest: float
) -> None:
    result = quantize(digits, job, method=method)
    assert result.size_ratio < largest
    assert result.metric is None
    assert result.latency_ratio is None
    assert result.outputs == ()


def test_calibration_needs_data(digits: VariantRecord, job: FakeJob) -> None:
    with pytest.raises(UsageError, match="static-int8 needs calibration data"):
        quantize(digits, job)


def test_a_loss_beyond_the_limit_misses_the_gate(
    digits: VariantRecord, job: FakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The sample is too good to lose a point, so the labels are made hard for the int8 model alone.
    scores = iter((Scored(0.9, {}), Scored(0.8, {})))
    monkeypatch.setattr(work.Evaluator, "scored", lambda *_: next(scores))
    with pytest.raises(GateMissed) as caught:
        quantize(digits, job, data=CALIBRATION, eval_data=HELDOUT, max_drop=0.05)
    assert caught.value.message == (
        "Metric drop of int8 is 0.1000 top-1 accuracy (0.9000 to 0.8000, 450 samples), "
        "over the budget of 0.05. The variant was discarded."
    )


def test_a_limit_without_a_metric_is_a_mistake(digits: VariantRecord, job: FakeJob) -> None:
    with pytest.raises(UsageError, match="needs a metric, and the data has no labels"):
        quantize(digits, job, data=CALIBRATION, max_drop=0.01)
    assert not any("Calibrating" in text for _, text in job.points)  # said before the long work


def test_a_metric_without_labels_is_a_mistake(digits: VariantRecord, job: FakeJob) -> None:
    with pytest.raises(UsageError, match="The metric top1 needs labels"):
        quantize(digits, job, data=CALIBRATION, metric="top1")


def test_text_labels_for_a_classifier(digits: VariantRecord, job: FakeJob, tmp_path: Path) -> None:
    images = numpy.load(HELDOUT)["image"][:4]
    numpy.savez(tmp_path / "d.npz", image=images, labels=numpy.array(list("abcd")))
    with pytest.raises(InvalidData, match="needs class numbers as labels, but 'a' is a text"):
        quantize(digits, job, data=str(tmp_path / "d.npz"), metric="top1")
    assert not any("Calibrating" in text for _, text in job.points), "said before the work"


def test_a_missing_dictionary_is_asked_for_before_the_work(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    images = numpy.load(HELDOUT)["image"][:4]
    numpy.savez(tmp_path / "d.npz", image=images, labels=numpy.array(["Milch", "Brot"] * 2))
    data = str(tmp_path / "d.npz")
    for run in (
        lambda: quantize(digits, job, data=data),
        lambda: evaluation.evaluate(options_of(EVALUATE, digits, data=data), job),
    ):
        with pytest.raises(UsageError, match="'Milch', and the model's dictionary is not set"):
            run()
    assert not any("Calibrating" in text for _, text in job.points)
    assert quantize(digits, job, data=data, metric="none").metric is None, "skipped on request"


def test_labels_beyond_the_classes(digits: VariantRecord, job: FakeJob, tmp_path: Path) -> None:
    images = numpy.load(HELDOUT)["image"][:4]
    numpy.savez(tmp_path / "d.npz", image=images, labels=numpy.arange(4) + 8)
    with pytest.raises(InvalidData, match="The label 10 is outside the model's 10 classes"):
        quantize(digits, job, data=str(tmp_path / "d.npz"))


def test_data_of_the_wrong_shape(digits: VariantRecord, job: FakeJob, tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", image=numpy.zeros((4, 1, 9, 9), numpy.float32))
    with pytest.raises(InvalidData, match="'image' has data of shape 4×1×9×9"):
        quantize(digits, job, data=str(tmp_path / "d.npz"))


def test_not_a_number_in_the_middle_of_the_data(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    images = numpy.load(CALIBRATION)["image"].copy()
    images[7, 0, 3, 3] = numpy.nan
    numpy.savez(tmp_path / "d.npz", image=images)
    with pytest.raises(InvalidData, match="Sample #7 gives input 'image' not-a-number values"):
        quantize(digits, job, data=str(tmp_path / "d.npz"), samples=200)


def test_one_sample_is_enough(digits: VariantRecord, job: FakeJob) -> None:
    result = quantize(digits, job, data=CALIBRATION, samples=1, eval_samples=1)
    assert result.facts["samples"] == 1


def test_a_node_that_is_not_there(digits: VariantRecord, job: FakeJob) -> None:
    with pytest.raises(UsageError, match="The model has no node 'conv9'"):
        quantize(digits, job, data=CALIBRATION, keep_float=["conv9"])


def test_cancel_during_calibration(digits: VariantRecord, job: FakeJob) -> None:
    cancelled = FakeJob(job.folder, cancel_at="Calibrating")
    with pytest.raises(Cancelled):
        quantize(digits, cancelled, data=CALIBRATION)
    assert list(job.folder.iterdir()) == []


def test_the_variant_is_recorded_and_copied(
    registry: Registry, digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    out = tmp_path / "out.onnx"
    out.write_text("older")
    asked = options_of(QUANTIZE, digits, data=CALIBRATION, eval_data=HELDOUT, out=str(out))
    final = record.quantized(registry, asked, work.quantize(asked, job), job.folder)
    variant = registry.variant(final.variant)
    assert (variant.name, variant.precision, variant.parent) == ("int8", "int8", digits.id)
    assert variant.graph_path is not None
    assert variant.options == {
        "method": "static-int8", "samples": 128, "calibration": "activation-aware", "keep": []
    }  # fmt: skip
    assert figures_of(variant.summary).metric == final.metric
    assert variant.summary["nodes"] > 7
    assert final.output == str(out)
    assert out.read_bytes() == variant.path.read_bytes()
    assert [path.name for path in tmp_path.glob(".out*")] == []
    assert [row.precision for row in final.front] == ["fp32", "int8"]
    assert final.front[1].metric == final.metric.after
    assert [run.variant for run in registry.runs("quantize")] == [variant.id]


def test_a_copy_that_cannot_be_written_leaves_nothing(
    registry: Registry, digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    asked = options_of(
        QUANTIZE, digits, data=CALIBRATION, out=str(tmp_path / "absent" / "out.onnx")
    )
    result = work.quantize(asked, job)
    with pytest.raises(StudioError, match="cannot be written: No such file"):
        record.quantized(registry, asked, result, job.folder)
    assert registry.variants() == [digits]


def test_evaluate(registry: Registry, digits: VariantRecord, job: FakeJob) -> None:
    asked = options_of(EVALUATE, digits, data=HELDOUT, samples=100)
    result = record.evaluated(registry, asked, evaluation.evaluate(asked, job), job.folder)
    assert result.metric.name == "top1"
    assert result.metric.value >= 0.97
    assert result.samples == 100
    assert registry.runs("evaluate", digits.id)[0].result == to_json(result)


def test_evaluate_without_labels(digits: VariantRecord, job: FakeJob) -> None:
    with pytest.raises(UsageError, match="No metric fits this data"):
        evaluation.evaluate(options_of(EVALUATE, digits, data=CALIBRATION), job)


def test_a_search_chooses_layers_and_judges_on_samples_that_it_never_saw(
    digits: VariantRecord, job: FakeJob
) -> None:
    result = quantize(digits, job, data=CALIBRATION, eval_data=HELDOUT, search=True, max_drop=0.05)
    found = result.search
    assert found.front
    assert found.chosen in [trial.kept for trial in found.trials]
    assert found.goal == SearchLimits(max_drop=0.05)
    seen, judged = found.samples, result.metric.samples
    assert abs(seen - judged) <= 1
    (note,) = result.notes
    assert note.startswith(f"Of {seen + judged} evaluation samples, {seen} chose the layers and ")
    assert found.layers
    assert all(row.float_us > 0 and row.int8_us > 0 for row in found.layers.values())


def test_a_search_needs_a_limit(digits: VariantRecord, job: FakeJob) -> None:
    with pytest.raises(UsageError, match="Layer search needs a budget"):
        quantize(digits, job, data=CALIBRATION, eval_data=HELDOUT, search=True)


def test_lost_and_gained_samples_are_named(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    # Two bits of range for the activations: some digits are read otherwise.
    keep = {"data": CALIBRATION, "eval_data": HELDOUT, "calibration": "percentile"}
    preset = 'method = "static-int8"\npercentile = 70.0\n'
    verdict = quantize(digits, job, **keep, preset=preset).metric
    lost, gained = verdict.changed
    assert (len(verdict.lost), len(verdict.gained)) == (lost, gained)
    assert lost > 0
    assert round(verdict.drop * verdict.samples) == lost - gained
    assert verdict.lost[0].startswith("#")


@pytest.mark.parametrize(("metric", "before"), [("cosine", 1.0), ("sqnr", 200.0)])
def test_a_metric_without_labels(
    digits: VariantRecord, job: FakeJob, metric: str, before: float
) -> None:
    verdict = quantize(digits, job, data=CALIBRATION, metric=metric).metric
    assert verdict.before == pytest.approx(before)
    assert 0 < verdict.after < before
    with pytest.raises(UsageError, match="a single model has no baseline"):
        evaluation.evaluate(options_of(EVALUATE, digits, data=HELDOUT, metric=metric), job)


def test_a_search_by_likeness(digits: VariantRecord, job: FakeJob) -> None:
    given = {"data": CALIBRATION, "metric": "cosine", "max_drop": 0.01, "search": True}
    result = quantize(digits, job, **given, samples=32, eval_samples=64)
    assert 0 <= result.search.trials[0].drop <= 0.01


@pytest.mark.parametrize(
    "stage", ["Sensitivity", "Evaluating candidate", "Evaluating the float model"]
)
def test_cancel_during_a_search(digits: VariantRecord, job: FakeJob, stage: str) -> None:
    cancelled = FakeJob(job.folder, cancel_at=stage)
    given = {"data": CALIBRATION, "samples": 4, "eval_data": HELDOUT, "eval_samples": 20}
    with pytest.raises(Cancelled):
        quantize(digits, cancelled, **given, search=True, max_drop=0.05)
    assert not list(job.folder.glob("*.onnx"))


def test_no_samples_at_all(digits: VariantRecord, job: FakeJob, tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", image=numpy.zeros((0, 1, 8, 8), numpy.float32))
    with pytest.raises(InvalidData, match=r"d\.npz has no samples"):
        quantize(digits, job, data=str(tmp_path / "d.npz"))


def test_a_search_for_speed_needs_no_largest_loss(digits: VariantRecord, job: FakeJob) -> None:
    given = {"data": CALIBRATION, "eval_data": CALIBRATION, "heldout_data": HELDOUT}
    with pytest.raises(UsageError, match="Layer search needs a metric"):
        quantize(digits, job, **given, search=True, max_latency_ratio=50.0)
    given = {**given, "eval_data": HELDOUT, "eval_samples": 60}
    result = quantize(digits, job, **given, search=True, max_latency_ratio=50.0)
    assert result.search.samples == 60
    assert result.notes == (), "all of them were for the choice"
    assert result.latency_interval[0] <= result.latency_ratio <= result.latency_interval[1]


def test_a_latency_beyond_the_limit_misses_the_gate(
    digits: VariantRecord, job: FakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "timed", lambda *_: work.Latency(0.8, 0.7, 0.9, 10.0))
    given = {"data": CALIBRATION, "eval_data": HELDOUT}
    assert quantize(digits, job, **given, max_latency_ratio=0.75).latency_ratio == 0.8
    with pytest.raises(GateMissed, match=r"Latency ratio of int8 is 0.80 \(0.70 to 0.90\)"):
        quantize(digits, job, **given, max_latency_ratio=0.6)


def test_the_front_of_a_search_is_in_the_result(
    registry: Registry, digits: VariantRecord, job: FakeJob
) -> None:
    asked = options_of(QUANTIZE, digits, data=CALIBRATION, eval_data=HELDOUT)
    result = work.quantize(asked, job)
    front = tuple(
        SearchCandidate(kept, drop=0.0, latency_ratio=0.5, bytes=10, score=0.9)
        for kept in (("conv1",), ("conv1", "conv2"))
    )
    result = replace(result, search=SearchReport(chosen=("conv1",), front=front))
    rows = record.quantized(registry, asked, result, job.folder).front
    assert [row.judged_on for row in rows] == ["heldout", "heldout", "search"]
    assert rows[2].float_layers == 2
    assert rows[2].variant is None


def test_a_video_calibrates(digits: VariantRecord, job: FakeJob, tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 64))
    for picture in numpy.load(CALIBRATION)["image"][:40, 0]:
        large = cv2.resize((picture * 255).astype("uint8"), (64, 64))
        writer.write(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR))
    writer.release()
    (tmp_path / "preprocess.toml").write_text((DIGITS / "preprocess.toml").read_text())
    result = quantize(digits, job, data=str(path), samples=20, eval_data=HELDOUT)
    assert result.facts["samples"] == 20
    assert result.metric.after > 0.95


@pytest.mark.parametrize(
    ("preset", "method", "name"),
    [
        ("int8-arm", "static-int8", "int8-arm"),
        ("int8-dynamic", "fp16", "fp16"),
        (None, "fp16", "fp16"),
    ],
)
def test_a_variant_has_the_name_of_its_preset(
    registry: Registry,
    digits: VariantRecord,
    job: FakeJob,
    preset: str | None,
    method: str,
    name: str,
) -> None:
    asked = prepare(
        registry, options_of(QUANTIZE, digits, data=CALIBRATION, preset=preset, method=method)
    )
    final = record.quantized(registry, asked, work.quantize(asked, job), job.folder)
    assert final.name == name
    assert "preset_name" not in registry.runs("quantize")[0].options


def test_nodes_of_the_project_stay_in_float(digits: VariantRecord, job: FakeJob) -> None:
    layer = next(iter(layers_of(digits)))
    made = quantize(digits, job, data=CALIBRATION, float_nodes=[layer, "gone"])
    assert made.facts["quantized"] == 2
    assert dict(made.facts["kept"]) == {layer: "asked for"}
    assert made.preset["keep"] == [layer], "the preset of the variant makes the same variant again"
    assert made.notes == ("Not in this model, so not kept in float: gone.",)


def layers_of(variant: VariantRecord) -> list[str]:
    """Return the names of a model's convolutions."""
    nodes = onnx.load(variant.path).graph.node
    return [node.name for node in nodes if node.op_type == "Conv"]
