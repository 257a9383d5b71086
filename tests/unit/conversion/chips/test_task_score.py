"""The task metric of a chip's outputs, with the samples that the chip loses."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from studio.api import Sample, UsageError
from studio.conversion.chips.task_score import TaskScore, evaluator_for
from studio.plugin_host import PluginHost

SURE, OTHER = numpy.eye(3, dtype=numpy.float32)[:1], numpy.eye(3, dtype=numpy.float32)[1:2]


def scored(metric: str, *rows: tuple[int | None, numpy.ndarray, numpy.ndarray]) -> TaskScore:
    samples = [Sample({}, label, f"s{at}") for at, (label, _, _) in enumerate(rows)]
    evaluator = evaluator_for(PluginHost.discover(), metric, samples, None)
    assert evaluator is not None
    score = TaskScore(evaluator, samples)
    for _, chip, model in rows:
        score.add({"y": chip}, {"y": model})
    return score


def test_samples_that_the_chip_loses_are_named() -> None:
    found = scored("auto", (0, SURE, SURE), (0, OTHER, SURE), (1, OTHER, SURE), (0, OTHER, OTHER))
    metric = found.metric()
    assert metric is not None
    assert (metric.name, metric.value, metric.model_value) == ("top1", 0.5, 0.5)
    assert (metric.samples, metric.lost, metric.lost_samples) == (4, 1, ("s1",))
    assert str(metric) == "Top-1 accuracy 0.500, 0.500 before, on 4 samples. Lost 1: s1"


def test_of_many_lost_samples_the_first_are_named() -> None:
    metric = scored("top1", *[(0, OTHER, SURE)] * 30).metric()
    assert metric is not None
    assert (metric.lost, len(metric.lost_samples)) == (30, 20)
    assert str(metric).endswith("s19, ...")


def test_a_metric_beside_the_model_needs_no_labels() -> None:
    metric = scored("cosine", (None, SURE, SURE), (None, OTHER, SURE)).metric()
    assert metric is not None
    assert metric.model_value == pytest.approx(1.0)
    assert metric.value < 1.0


def test_without_labels_there_is_no_metric() -> None:
    host = PluginHost.discover()
    assert evaluator_for(host, "auto", [Sample({})], None) is None
    assert evaluator_for(host, "auto", [], None) is None


def test_texts_without_a_dictionary_are_a_sentence(tmp_path: Path) -> None:
    host = PluginHost.discover()
    with pytest.raises(UsageError, match="dictionary is not set"):
        evaluator_for(host, "auto", [Sample({}, "word")], None)
