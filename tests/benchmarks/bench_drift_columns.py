"""Drift of a tabular model: rows until each change is found, and false alarms of independent rows.

python -m tests.benchmarks.bench_drift_columns
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np

from studio.packages.drift_reference import reference_of
from studio.runtime.drift.watch import DriftWatch

NAMES = ("age", "heart_rate", "sex", "pressure", "temperature", "oxygen", "scale")
KINDS = ("shift", "one column", "slow", "slower", "stuck", "missing", "spread")


def patients(seed: int, count: int) -> np.ndarray:
    """Return rows of correlated columns: whole numbers, two values, skewed and normal ones."""
    draws = np.random.default_rng(seed)
    mixing = np.eye(len(NAMES)) + 0.4 * np.random.default_rng(99).normal(size=(len(NAMES),) * 2)
    rows = draws.normal(size=(count, len(NAMES))) @ mixing
    rows[:, 0] = np.round(50 + 15 * rows[:, 0])
    rows[:, 2] = rows[:, 2] > 0.5
    rows[:, 3] = np.exp(rows[:, 3])
    rows[:, 6] = np.clip(np.round(14 + rows[:, 6]), 3, 15)
    return rows.astype(np.float32)


_SPREADS = patients(98, 10_000).std(axis=0)


def frame(row: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return a request with its answer: a probability."""
    risk = 1 / (1 + np.exp(-(row / _SPREADS).sum() / 4 + 3))
    return {"signs": row[None]}, {"risk": np.array([[risk]], np.float32)}


def changed(rows: np.ndarray, kind: str) -> tuple[np.ndarray, Sequence[str]]:
    """Return rows with a change, and the names of the columns with it."""
    rows, count = rows.copy(), len(rows)
    match kind:
        case "shift":
            rows += 0.8 * _SPREADS
            return rows, NAMES
        case "one column":
            rows[:, 1] += 0.8 * _SPREADS[1]
            return rows, ("heart_rate",)
        case "slow":
            rows[:, 5] += np.linspace(0, 2, count) * _SPREADS[5]
            return rows, ("oxygen",)
        case "slower":
            rows[:, 5] += np.linspace(0, 1, count) * _SPREADS[5]
            return rows, ("oxygen",)
        case "stuck":
            rows[:, 4] = rows[0, 4]
            return rows, ("temperature",)
        case "missing":
            rows[:, 5] = np.nan
            return rows, ("oxygen",)
        case _:
            rows[:, 5] *= 2
            return rows, ("oxygen",)


def until(watch: DriftWatch, rows: np.ndarray) -> int:
    """Return the number of rows until an alarm; 0 without one."""
    for number, row in enumerate(rows):
        watch.observe(*frame(row))
        if watch.alarm.on:
            return number + 1
    return 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=6)
    parser.add_argument("--false", type=int, default=200_000)
    options = parser.parse_args(arguments)
    for samples in (64, 256):
        references = [
            reference_of((frame(row) for row in patients(seed, samples)), NAMES)
            for seed in range(options.streams)
        ]
        for kind in KINDS:
            found = []
            for seed, reference in enumerate(references):
                watch = DriftWatch(reference)
                until(watch, patients(100 + seed, 160))
                found.append(until(watch, changed(patients(200 + seed, 500), kind)[0]))
            print(f"{samples:4} reference rows, {kind}: {sorted(found)}", flush=True)
        for seed, reference in enumerate(references):
            frames = [frame(row) for row in patients(300 + seed, options.false)]
            watch, begin = DriftWatch(reference), time.process_time()
            for one in frames:
                watch.observe(*one)
            taken = (time.process_time() - begin) / len(frames) * 1e6
            counts = f"{watch.alarm.raised} alarms, {watch.alarm.differing} windows differ"
            print(f"  {len(frames):,} rows: {counts}, {taken:.1f} us a row", flush=True)


if __name__ == "__main__":
    main()
