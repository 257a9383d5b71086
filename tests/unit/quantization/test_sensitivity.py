"""The sensitivity of layers: measured on the digits sample, kept, and found again."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import InvalidData, UsageError
from studio.documents.dataclass_json import from_json, to_json
from studio.evaluation.results import RuntimeVersion
from studio.quantization import record, sensitivity, sensitivity_store, work
from studio.quantization.results import SensitivityResult
from studio.quantization.step import QUANTIZE, SENSITIVITY, SensitivityOptions
from studio.registry import Registry, VariantRecord

from .conftest import DIGITS, FakeJob, options_of

CALIBRATION = str(DIGITS / "calibration.npz")
HELDOUT = str(DIGITS / "heldout.npz")
RESULT_OF_0_1 = Path(__file__).parents[2] / "data/results/0.1/sensitivity.json"


def options(
    registry: Registry, variant: VariantRecord, data: str = CALIBRATION, **given: Any
) -> SensitivityOptions:
    return sensitivity_store.signed(registry, options_of(SENSITIVITY, variant, data=data, **given))


def test_layers_are_ranked_by_error_and_the_worst_by_the_metric_too(
    registry: Registry, digits: VariantRecord, job: FakeJob
) -> None:
    asked = options(
        registry, digits, samples=8, eval_data=HELDOUT, eval_samples=40, metric_layers=1
    )
    result = sensitivity.measure(asked, job)
    document = json.loads(json.dumps(to_json(result)))  # it travels as JSON
    assert from_json(SensitivityResult, document) == result
    layers = result.layers
    assert len(layers) > 2
    decibels = [layer.sqnr_db for layer in layers]
    assert decibels == sorted(decibels)
    assert 5 < decibels[0] < 100
    assert all(layer.float_us > 0 and layer.int8_us > 0 for layer in layers)
    assert layers[0].drop is not None
    assert [layer.drop for layer in layers[1:]] == [None] * (len(layers) - 1)
    assert result.metric is not None
    assert (result.metric.name, result.metric.samples) == ("top1", 40)
    shares = [share for share, _ in job.points]
    assert shares == sorted(shares)


def test_a_search_finds_the_costs_that_were_measured(
    registry: Registry, digits: VariantRecord, job: FakeJob
) -> None:
    asked = options(registry, digits, samples=8)
    result = sensitivity.measure(asked, job)
    sensitivity_store.record(registry, asked, result, job.folder)
    assert "signature" not in registry.runs("sensitivity", digits.id)[0].options

    wanted = options_of(QUANTIZE, digits, data=CALIBRATION, samples=8, search=True)
    offered = sensitivity_store.offered(registry, wanted)
    names = [layer.name for layer in result.layers]
    costs = sensitivity_store.costs_from(offered, result.backend, names)
    assert costs is not None
    assert costs[names[0]].gain_us == pytest.approx(result.layers[0].gain_us, abs=0.02)

    # Another runtime, other layers, another calibration, or no search at all: measured anew.
    assert sensitivity_store.costs_from(offered, RuntimeVersion("x", "1"), names) is None
    assert sensitivity_store.costs_from(offered, result.backend, names[1:]) is None
    other = replace(wanted, calibration="minmax")
    assert sensitivity_store.offered(registry, other) == other
    alone = replace(wanted, search=False)
    assert sensitivity_store.offered(registry, alone) == alone


def test_the_signature_follows_the_data(
    registry: Registry, digits: VariantRecord, tmp_path: Path
) -> None:
    data = tmp_path / "data.npz"
    shutil.copyfile(CALIBRATION, data)
    before = options(registry, digits, str(data)).signature
    assert options(registry, digits, str(data)).signature == before
    os.utime(data, ns=(1, 1))
    assert options(registry, digits, str(data)).signature != before


def test_what_does_not_fit_is_said(
    registry: Registry, digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    unlabelled = tmp_path / "unlabelled.npz"
    with numpy.load(CALIBRATION) as arrays:
        numpy.savez(unlabelled, **{k: v for k, v in arrays.items() if k != "labels"})
    with pytest.raises(InvalidData, match="No metric fits"):
        sensitivity.measure(options(registry, digits, samples=2, eval_data=str(unlabelled)), job)
    with pytest.raises(UsageError, match="no layers to choose from"):
        sensitivity.measure(options(registry, digits, preset='method = "fp16"'), job)


@pytest.mark.slow
def test_quantize_takes_what_is_kept_and_does_not_record_it(
    registry: Registry, digits: VariantRecord, job: FakeJob
) -> None:
    sensitivity_store.record(
        registry,
        (asked := options(registry, digits, samples=8)),
        sensitivity.measure(asked, job),
        job.folder,
    )
    shutil.rmtree(job.folder / "tuner")
    given = {"data": CALIBRATION, "samples": 8, "search": True, "max_drop": 0.1}
    more = {"eval_data": HELDOUT, "eval_samples": 40}
    search = options_of(QUANTIZE, digits, **given, **more)
    offered = sensitivity_store.offered(registry, search)
    result = work.quantize(offered, job)
    assert result.search is not None
    assert result.search.stored_sensitivity
    assert "Sensitivity" not in " ".join(text for _, text in job.points[-40:])
    assert "sensitivity" not in record.as_preset(offered)


def test_a_result_of_0_1_is_read() -> None:
    document = json.loads(RESULT_OF_0_1.read_text())
    result = from_json(SensitivityResult, document)
    assert result.layers
    del document["recipe"]  # the former key of the preset
    assert to_json(result) == document
