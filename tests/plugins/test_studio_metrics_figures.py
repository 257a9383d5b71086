"""Metrics against the figures of libraries that everybody knows, and sample by sample."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest

from studio.api import InvalidData, Metric
from studio_metrics.classes import F1, Top1, Top5
from studio_metrics.detection import BoxF1, MeanAveragePrecision
from studio_metrics.likeness import Cosine, Sqnr
from studio_metrics.ranking import Auc
from studio_metrics.texts import CharacterErrorRate, ExactMatch

Outputs = list[dict[str, numpy.ndarray]]


@pytest.fixture(scope="module")
def sklearn() -> ModuleType:
    """The other library's metrics; it takes seconds to be imported."""
    from sklearn import metrics

    return metrics


def classified(classes: int, count: int = 80) -> tuple[Outputs, list[int], numpy.ndarray]:
    """Scores that are right for about half of the samples, some of them equal."""
    random = numpy.random.default_rng(classes)
    labels = random.integers(0, classes, count)
    scores = random.random((count, classes)).round(1)
    scores[numpy.arange(count), labels] += 0.3
    scores = scores / scores.sum(axis=1, keepdims=True)
    return [{"y": row[None]} for row in scores], labels.tolist(), scores


@pytest.mark.parametrize("classes", [6, 12])
def test_accuracies(sklearn: ModuleType, classes: int) -> None:
    outputs, labels, scores = classified(classes)
    known = list(range(classes))
    assert Top1().score(outputs, labels, {}) == pytest.approx(
        sklearn.accuracy_score(labels, scores.argmax(axis=1))
    )
    # The library breaks ties otherwise, so that a trace of noise makes the order plain.
    plain = scores + numpy.linspace(0, 1e-9, classes)[::-1]
    assert Top5().score(outputs, labels, {}) == pytest.approx(
        sklearn.top_k_accuracy_score(labels, plain, k=5, labels=known)
    )


@pytest.mark.parametrize(("average", "theirs"), [("macro", "macro"), ("weighted", "weighted")])
def test_f1_of_many_classes(sklearn: ModuleType, average: str, theirs: str) -> None:
    outputs, labels, scores = classified(5)
    wanted = sklearn.f1_score(labels, scores.argmax(axis=1), average=theirs)
    assert F1().score(outputs, labels, {"average": average}) == pytest.approx(wanted)


def test_f1_of_the_positive_class_of_a_model_with_one_score(sklearn: ModuleType) -> None:
    random = numpy.random.default_rng(1)
    scores, labels = random.random(40), random.integers(0, 2, 40)
    outputs = [{"p": numpy.array([[score]])} for score in scores]
    wanted = sklearn.f1_score(labels, scores > 0.5)
    assert F1().score(outputs, labels.tolist(), {"average": "positive"}) == pytest.approx(wanted)


def test_auc_of_two_and_of_many_classes(sklearn: ModuleType) -> None:
    outputs, labels, scores = classified(2)
    wanted = sklearn.roc_auc_score(labels, scores[:, 1])
    assert Auc().score(outputs, labels, {}) == pytest.approx(wanted)
    single = [{"p": row["y"][:, 1:]} for row in outputs]
    assert Auc().score(single, labels, {}) == pytest.approx(wanted)
    outputs, labels, scores = classified(4)
    wanted = sklearn.roc_auc_score(labels, scores, multi_class="ovr", average="macro")
    assert Auc().score(outputs, labels, {}) == pytest.approx(wanted)


def test_auc_needs_every_class() -> None:
    with pytest.raises(InvalidData, match="samples of every class"):
        Auc().score([{"p": numpy.array([0.2])}] * 3, [0, 0, 0], {})


@pytest.fixture(scope="module")
def detections() -> dict[str, Any]:
    """Twelve pictures with up to five boxes of three classes, and pycocotools' figure.

    Made with numpy's generator (seed 7): boxes shifted by noise, some left out, some of another
    class, some invented; ``map`` is ``COCOeval(..., "bbox").stats[0]`` of pycocotools 2.0.11.
    """
    return json.loads(Path(__file__).with_name("detections.json").read_text())


def boxes(detections: dict[str, Any]) -> Outputs:
    return [{"boxes": numpy.array(rows, float).reshape(1, -1, 6)} for rows in detections["outs"]]


def test_mean_average_precision_is_that_of_pycocotools(detections: dict[str, Any]) -> None:
    found = MeanAveragePrecision().score(boxes(detections), detections["labels"], {})
    assert found == pytest.approx(detections["map"], abs=1e-12)


def test_boxes_in_other_shapes_score_the_same(detections: dict[str, Any]) -> None:
    wanted = MeanAveragePrecision().score(boxes(detections), detections["labels"], {})
    turned = [{"b": one["boxes"][0][:, [5, 4, 0, 1, 2, 3]]} for one in boxes(detections)]
    order = {"order": "class-score-box"}
    assert MeanAveragePrecision().score(turned, detections["labels"], order) == wanted
    apart = [
        {"b": r["boxes"][..., :4], "s": r["boxes"][..., 4], "l": r["boxes"][..., 5].astype(int)}
        for r in boxes(detections)
    ]
    assert MeanAveragePrecision().score(apart, detections["labels"], {}) == wanted


def test_f1_of_boxes_counted_by_hand() -> None:
    rows = [[0, 0, 10, 10, 0.9, 0], [0, 0, 10, 10, 0.8, 0], [50, 50, 60, 60, 0.1, 0]]
    outputs = [{"b": numpy.array([rows])}, {"b": numpy.zeros((1, 0, 6))}]
    labels = ["0 0 0 10 9; 1 50 50 60 60", ""]
    # One hit, two found above the least score, two wanted; nothing wanted and nothing found.
    assert BoxF1().score(outputs, labels, {}) == pytest.approx(0.5)
    assert list(BoxF1().each(outputs, labels, {})) == [0.5, 1.0]


@pytest.mark.parametrize(
    ("outputs", "label", "sentence"),
    [
        ({"y": numpy.zeros((1, 10))}, "", "needs boxes after non-maximum suppression"),
        ({"b": numpy.zeros((1, 2, 4))}, "", "no score for each"),
        ({"b": numpy.zeros((1, 2, 6))}, 3, "needs boxes as labels, not 3"),
        ({"b": numpy.zeros((1, 2, 6))}, "0 1 2 3", "'0 1 2 3' is no list of boxes"),
    ],
)
def test_what_are_no_boxes(outputs: dict[str, Any], label: Any, sentence: str) -> None:
    with pytest.raises(InvalidData, match=sentence):
        BoxF1().score([outputs], [label], {})


def test_likeness_without_labels(sklearn: ModuleType) -> None:
    random = numpy.random.default_rng(3)
    shapes = {"a": (1, 4), "b": (2,)}
    exact: Outputs = [{k: random.normal(size=s) for k, s in shapes.items()} for _ in "xyz"]
    noise = [{k: random.normal(size=s) / 10 for k, s in shapes.items()} for _ in "xyz"]
    noisy: Outputs = [{k: o[k] + n[k] for k in o} for o, n in zip(exact, noise, strict=True)]
    first, second = (
        numpy.array([numpy.concatenate([o["a"].ravel(), o["b"]]) for o in side])
        for side in (noisy, exact)
    )
    cosines = sklearn.pairwise.cosine_similarity(first, second).diagonal()
    assert Cosine().score(noisy, exact, {}) == pytest.approx(cosines.mean())
    decibels = 10 * numpy.log10((second**2).sum() / ((first - second) ** 2).sum())
    assert Sqnr().score(noisy, exact, {}) == pytest.approx(decibels)
    assert Sqnr().score(exact, exact, {}) == 200
    assert list(Cosine().each(exact, exact, {})) == [1, 1, 1]


def test_likeness_with_labels_is_a_mistake() -> None:
    with pytest.raises(InvalidData, match="compares with the outputs of the float model"):
        Cosine().score([{"a": numpy.ones(2)}], [3], {})
    with pytest.raises(InvalidData, match="'a' of the two models cannot be compared"):
        Cosine().score([{"a": numpy.ones(2)}], [{"a": numpy.ones(3)}], {})


@pytest.mark.parametrize("metric", [Top1(), Top5(), F1(), Auc()])
def test_the_figures_of_samples_tell_which_are_wrong(metric: Metric) -> None:
    outputs, labels, scores = classified(7)
    each = list(metric.each(outputs, labels, {}))  # type: ignore[attr-defined]
    best = (-scores).argsort(axis=1, kind="stable")[:, : 5 if metric.id == "top5" else 1]
    assert each == [float(label in row) for label, row in zip(labels, best, strict=True)]


def test_the_figures_of_texts(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text("a\nb\n")
    options = {"dictionary": str(tmp_path / "d.txt")}
    outputs = [{"y": numpy.eye(3)[[path]]} for path in ([1, 2], [1, 0])]
    assert list(ExactMatch().each(outputs, ["ab", "ab"], options)) == [1, 0]
    assert list(CharacterErrorRate().each(outputs, ["ab", "ab"], options)) == [1, 0.5]
