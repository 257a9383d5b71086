"""Accuracy without labels: near the truth while nothing drifts, and silent when something does."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from studio.packages.drift_reference import Frame, estimate_of, reference_of
from studio.runtime.drift.reference import WINDOW, Estimate, Reference
from studio.runtime.drift.watch import DriftWatch

CLASSES = 5
_CENTRES = np.random.default_rng(1).normal(0, 1, (CLASSES, 20))
_NOISE = 1.6


def stream(seed: int, count: int, shift: float = 0.0) -> tuple[list[Frame], list[int]]:
    """Noisy points of classes, and scores by their distances: wrong for some of them."""
    draws = np.random.default_rng(seed)
    labels = draws.integers(CLASSES, size=count)
    points = _CENTRES[labels] + draws.normal(0, _NOISE, (count, 20)) + shift
    scores = -np.square(points[:, None] - _CENTRES[None]).sum(axis=2) / (2 * _NOISE**2)
    frames: list[Frame] = [
        ({"x": point[None].astype(np.float32)}, {"y": score[None].astype(np.float32)})
        for point, score in zip(points, scores, strict=True)
    ]
    return frames, labels.tolist()


def truth(frames: list[Frame], labels: list[int]) -> float:
    return float(
        np.mean([int(f[1]["y"].argmax()) == one for f, one in zip(frames, labels, strict=True)])
    )


@pytest.fixture(scope="module")
def learned() -> Reference:
    frames, labels = stream(2, 600)
    found = reference_of(frames)
    assert found is not None
    return found._replace(estimate=estimate_of(found, frames, labels))


def told(watch: DriftWatch, frames: list[Frame]) -> dict[str, Any]:
    for frame in frames:
        watch.observe(*frame)
    found: dict[str, Any] = watch.status()["estimate"]
    json.dumps(found)
    return found


def test_the_truth_lies_in_the_interval(learned: Reference) -> None:
    inside = 0
    for seed in range(10, 20):
        frames, labels = stream(seed, 20 * WINDOW)
        found = told(DriftWatch(learned), frames)
        if found["accuracy"] is None:
            assert "differs" in found["why"]  # one window in a hundred, by chance
            inside += 1
            continue
        inside += found["low"] <= truth(frames, labels) <= found["high"]
        assert abs(found["accuracy"] - truth(frames, labels)) < 0.08
    assert inside >= 9


def test_nothing_is_said_under_drift(learned: Reference) -> None:
    watch = DriftWatch(learned)
    assert told(watch, stream(30, 8 * WINDOW)[0])["accuracy"] is not None
    found = told(watch, stream(31, 6 * WINDOW, shift=2.0)[0])
    assert (found["accuracy"], found["low"]) == (None, None)
    assert "differs from its reference data" in found["why"]
    found = told(watch, stream(32, 3 * WINDOW)[0])  # what was counted before is gone
    assert found["accuracy"] is None


def test_few_frames_say_nothing(learned: Reference) -> None:
    found = told(DriftWatch(learned), stream(33, 2 * WINDOW)[0])
    assert found["why"] == "64 frames without drift are too few: 128 are needed."


def test_an_answer_that_is_no_number_is_not_sure(learned: Reference) -> None:
    watch = DriftWatch(learned)
    for frame in stream(34, WINDOW)[0]:
        watch.observe(frame[0], {"y": frame[1]["y"] * np.nan})
    assert watch.estimated is not None
    assert sum(watch.estimated._sure) == 0


def test_the_state_stays_small(learned: Reference) -> None:
    watch = DriftWatch(learned)
    told(watch, stream(35, 80 * WINDOW)[0])
    columns = sum(signal.run > 0 for signal in learned.signals)
    assert watch.state_bytes <= 4096 + 100 * columns


def test_it_travels_with_the_reference(learned: Reference) -> None:
    content = json.loads(json.dumps(learned.to_json()))
    assert Reference.from_json(content).estimate == learned.estimate
    del content["estimate"]  # a bundle of before
    assert Reference.from_json(content).estimate is None


def test_one_that_was_edited_is_left_out(learned: Reference) -> None:
    entry = {"column": -1, "threshold": 0.5, "right": 1, "frames": 2}
    assert Reference.from_json({**learned.to_json(), "estimate": entry}).estimate is None


@pytest.mark.parametrize("entry", [{"column": 0}, 3])
def test_one_that_is_cut_is_refused(learned: Reference, entry: Any) -> None:
    with pytest.raises(ValueError, match="incomplete"):
        Reference.from_json({**learned.to_json(), "estimate": entry})


def test_a_column_that_is_not_there_is_left_out(learned: Reference) -> None:
    assert DriftWatch(learned._replace(estimate=Estimate(999, 0.5, 1, 2))).estimated is None


def test_no_estimate_without_wrong_answers_or_labels(learned: Reference) -> None:
    frames, labels = stream(40, 200)
    answered = [int(frame[1]["y"].argmax()) for frame in frames]
    for given in (answered, [None] * 200, ["a"] * 200, [(one + 1) % CLASSES for one in answered]):
        assert estimate_of(learned, frames, given) is None
    assert estimate_of(learned, frames[:20], labels[:20]) is None
