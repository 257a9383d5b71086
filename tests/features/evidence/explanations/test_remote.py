"""Explanations by the runtime of a target: the same maps, one transfer of the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.features.evidence.explanations.work import explain
from studio.registry import ModelRef, VariantRecord
from tests.features.evidence.explanations.test_work import HELDOUT, options
from tests.unit.evaluation.test_on_target import TARGET, Connector, shelf
from tests.unit.quantization.conftest import FakeJob

__all__ = ["shelf"]

pytestmark = pytest.mark.slow


def test_a_target_gives_the_same_map(
    digits: VariantRecord, tmp_path: Path, shelf: Connector
) -> None:
    results = []
    for target in (None, TARGET):
        folder = tmp_path / f"job-{len(results)}"
        folder.mkdir()
        given = options(ModelRef.of(digits), HELDOUT, sample=["3"], evaluations=100)
        results.append(explain(replace(given, target=target), FakeJob(folder)))
    here, there = results
    assert (here.target, there.target) == ("local", "shelf")
    assert there.samples[0].stability == pytest.approx(here.samples[0].stability, abs=0.05)
    assert there.samples[0].score == pytest.approx(here.samples[0].score, abs=1e-5)
    assert there.backend == here.backend
    sent = [path for path in shelf.channel.sent if path.endswith(".onnx")]
    assert len(sent) == 1
    assert [path.name for path in shelf.root.iterdir()] == ["env"]  # nothing is left there
