"""Drift of single columns: each kind of change is found and named, and chance alone is none."""

from __future__ import annotations

import json

import numpy as np
import pytest

from studio.packages.drift_reference import Frame, reference_of
from studio.runtime.drift.columns import run_limit
from studio.runtime.drift.reference import WINDOW, Reference
from studio.runtime.drift.watch import DriftWatch
from tests.benchmarks.bench_drift_columns import NAMES, changed, frame, patients

AIM = 500
FRAMES = 200_000


@pytest.fixture(scope="module")
def normal() -> Reference:
    reference = reference_of((frame(row) for row in patients(0, 256)), NAMES)
    assert reference is not None
    return Reference.from_json(json.loads(json.dumps(reference.to_json())))


def observed(watch: DriftWatch, rows: np.ndarray) -> int:
    """Return the number of rows until the alarm; 0 without one."""
    for number, row in enumerate(rows):
        watch.observe(*frame(row))
        if watch.alarm.on:
            return number + 1
    return 0


@pytest.mark.parametrize("kind", ["shift", "one column", "slow", "stuck", "missing", "spread"])
def test_each_change_of_a_table_is_found_and_named(normal: Reference, kind: str) -> None:
    watch = DriftWatch(normal)
    assert observed(watch, patients(1, 5 * WINDOW)) == 0
    rows, columns = changed(patients(2, AIM), kind)
    assert 0 < observed(watch, rows) <= AIM
    assert set(columns) & set(watch.status()["causes"])  # type: ignore[call-overload]


def test_a_value_that_stays_is_named_at_once(normal: Reference) -> None:
    watch = DriftWatch(normal)
    observed(watch, patients(3, 2 * WINDOW))
    assert observed(watch, changed(patients(4, AIM), "stuck")[0]) <= WINDOW
    assert watch.status()["stuck"] == ["temperature"]


def test_an_alarm_of_a_column_ends_when_the_data_are_as_before(normal: Reference) -> None:
    watch = DriftWatch(normal)
    observed(watch, changed(patients(5, AIM), "one column")[0])
    assert watch.alarm.on
    for row in patients(6, 10 * WINDOW):
        watch.observe(*frame(row))
    assert not watch.alarm.on


@pytest.mark.slow
@pytest.mark.parametrize("samples", [64, 256])
def test_independent_rows_raise_no_alarm(samples: int) -> None:
    reference = reference_of((frame(row) for row in patients(7, samples)), NAMES)
    assert reference is not None
    watch = DriftWatch(reference)
    assert observed(watch, patients(8, FRAMES)) == 0
    assert watch.alarm.windows == FRAMES // WINDOW


@pytest.mark.parametrize(
    ("values", "least", "most"),
    [(np.arange(256), 5, 12), (np.arange(256) % 2, 20, 60), (np.arange(256) < 250, 300, 10_000)],
)
def test_a_run_of_equal_values_is_as_long_as_chance_cannot_make_it(
    values: np.ndarray, least: int, most: int
) -> None:
    assert least <= run_limit(np.random.default_rng(0).permutation(values), 7) <= most


def test_runs_of_a_slow_sensor_are_usual() -> None:
    assert run_limit(np.repeat(np.arange(16), 16), 1) >= 48


def mixed(row: int) -> Frame:
    inputs = {
        "age": np.array([[row % 50]], np.int64),
        "sex": np.array([["m" if row % 2 else "f"]], object),
        "site": np.array([[3.0]], np.float32),
    }
    return inputs, {"p": np.array([[row % 7]], np.float32)}


def test_what_is_not_watched_has_its_reason() -> None:
    reference = reference_of(map(mixed, range(100)))
    assert reference is not None
    assert [one.name for one in reference.signals if one.run] == ["p", "age"]
    assert "input sex (not a number)" in reference.unwatched
    assert "input site (constant in the reference data)" in reference.unwatched


@pytest.mark.parametrize(
    ("given", "expected"), [((), ["x[0]", "x[1]", "x[2]"]), (("a", "b", "c"), ["a", "b", "c"])]
)
def test_columns_have_the_names_that_are_known(given: tuple[str, ...], expected: list[str]) -> None:
    draws = np.random.default_rng(0)
    frames = [({"x": draws.random((1, 3), np.float32)}, {}) for _ in range(100)]
    reference = reference_of(frames, given)
    assert reference is not None
    assert [one.name for one in reference.signals] == expected
