"""Quality and work in a dossier: from recorded runs, and unknown where nothing knows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.documents.dataclass_json import to_json
from studio.evaluation.results import (
    EvaluationResult,
    HeldoutValue,
    MetricChange,
    MetricValue,
    RuntimeVersion,
)
from studio.features.evidence.dossier.model_facts import model_facts
from studio.features.evidence.dossier.recorded_quality import recorded_metric
from studio.features.evidence.dossier.statement import Material
from studio.features.evidence.dossier.survey import LastMeasurements, survey
from studio.features.evidence.recompute import EvidenceFolder, checked
from studio.features.evidence.records.collect import collect
from studio.features.evidence.records.files import write_records
from studio.features.evidence.records.subject import Named
from studio.features.evidence.results import MISSING, PRESENT, RECOMPUTED
from studio.quantization.results import QuantizeResult
from studio.registry import Registry, VariantRecord

NOTHING = LastMeasurements(None, None, None, {})


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(tmp_path / "registry")
    yield opened
    opened.close()


def variant_of(registry: Registry, tmp_path: Path, **summary: object) -> VariantRecord:
    file = tmp_path / "digits.onnx"
    file.write_bytes(b"digits")
    model, content = registry.add_model("digits"), registry.adopt(file)
    return registry.add_variant(
        model, "int8", content, format="onnx", precision="int8", summary=summary
    )


def evaluation(value: float) -> EvaluationResult:
    metric, runtime = MetricValue("top1", "Top-1 accuracy", value), RuntimeVersion("onnx", "1")
    return EvaluationResult("digits:int8", metric, 450, runtime, None, 1.0, HeldoutValue(0.8, 90))


def quantized(after: float) -> QuantizeResult:
    return QuantizeResult(metric=MetricChange("top1", "Top-1 accuracy", 0.95, after, 0.0, 400))


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ({"evaluate": evaluation(0.9)}, {"quality": 0.9, "quality.heldout": 0.8}),
        ({"quantize": quantized(0.94)}, {"quality": 0.94}),
        (
            {"quantize": quantized(0.94), "evaluate": evaluation(0.9)},
            {"quality": 0.9, "quality.heldout": 0.8},
        ),
    ],
)
def test_a_recorded_metric_is_evidence(
    registry: Registry, tmp_path: Path, runs: dict[str, object], expected: dict[str, float]
) -> None:
    variant = variant_of(registry, tmp_path)
    for step, result in runs.items():
        registry.add_run(step, variant.id, {}, to_json(result))
    records = collect(registry, Named(variant))
    write_records(records, tmp_path)
    statement = recorded_metric(Material(records, tmp_path, ""))
    assert statement is not None
    assert {one.id: one.value for one in statement.figures} == expected
    folder = EvidenceFolder(tmp_path)
    assert {checked(folder, one).state for one in statement.figures} == {RECOMPUTED}
    assert survey(records, NOTHING, {}, {})["quality.metrics"].state == PRESENT


def test_a_quantization_measured_the_original_too(registry: Registry, tmp_path: Path) -> None:
    original = variant_of(registry, tmp_path)
    file = tmp_path / "int8.onnx"
    file.write_bytes(b"int8")
    summary = {"quantize": to_json(quantized(0.94))}
    int8 = registry.add_variant(
        *(original.model, "int8-2", registry.adopt(file)),
        format="onnx",
        precision="int8",
        parent=original.id,
        summary=summary,
    )
    registry.add_run("quantize", int8.id, {}, summary["quantize"])
    records = collect(registry, Named(original))
    write_records(records, tmp_path)
    statement = recorded_metric(Material(records, tmp_path, ""))
    assert statement is not None
    assert {one.id: one.value for one in statement.figures} == {"quality": 0.95}
    folder = EvidenceFolder(tmp_path)
    assert {checked(folder, one).state for one in statement.figures} == {RECOMPUTED}


def test_nothing_recorded_is_missing(registry: Registry, tmp_path: Path) -> None:
    records = collect(registry, Named(variant_of(registry, tmp_path)))
    assert survey(records, NOTHING, {}, {})["quality.metrics"].state == MISSING


@pytest.mark.parametrize(("macs", "unknown", "shown"), [(0, 3, False), (7, 3, True), (0, 0, True)])
def test_work_of_unknown_sizes_is_no_figure(
    registry: Registry, tmp_path: Path, macs: int, unknown: int, shown: bool
) -> None:
    variant = variant_of(registry, tmp_path, macs=macs, macs_unknown=unknown)
    material = Material(collect(registry, Named(variant)), tmp_path, "")
    statement = next(iter(model_facts(material)))
    assert ("model.macs" in {one.id for one in statement.figures}) is shown
    assert ("of 3 nodes are unknown" in " ".join(statement.paragraphs)) is (unknown > 0)
