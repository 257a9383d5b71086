"""The progress of a profile's job: true to the time, and never full while work goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.profiling.listener import BenchListener, preparation_share
from studio.runtime.bench.events import BenchProgress, Round


class ShareJob:
    """Notes how far the job is said to be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shares: list[float] = []

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.shares.append(done / total)

    def log(self, text: str) -> None:
        pass

    def event(self, name: str, **values: object) -> None:
        pass

    def check(self) -> None:
        pass


def listened(tmp_path: Path, *moments: float) -> list[float]:
    """The shares after each of four rounds, of which each ends at a moment."""
    clock: Iterator[float] = iter((0.0, *moments))
    job = ShareJob(tmp_path)
    listener = BenchListener(job, [], lambda: next(clock))
    for number in range(1, len(moments) + 1):
        listener(Round(round=number, of=len(moments)))
    listener(BenchProgress("operators", 0, 0, "Timing the operators"))
    return job.shares


def test_the_share_is_that_of_the_time(tmp_path: Path) -> None:
    # 10 s of preparation, then 2 s a round: after three rounds 14 of 16 s have passed.
    shares = listened(tmp_path, 10, 12, 14, 16)
    assert shares[2] == 0.97 * 14 / 16


def test_a_long_measurement_of_known_time_leaves_little_to_the_preparation(tmp_path: Path) -> None:
    job = ShareJob(tmp_path)
    listener = BenchListener(job, [], preparation=preparation_share(600, 2))
    listener(BenchProgress("load", 1, 2, "Loading"))
    listener(BenchProgress("warm-up", 2, 2, "Warming up"))
    for done in (0.0, 0.5, 1.0):
        listener(BenchProgress("sustained", done, 1.0, "10 of 600 s"))
    assert job.shares == sorted(job.shares)
    assert job.shares[2] < 0.01, "no jump to a fifth before the first second"
    assert job.shares[3] == pytest.approx(0.97 / 2, abs=0.01)
    assert job.shares[4] == 0.97


def test_a_short_one_has_the_usual_share() -> None:
    assert preparation_share(1, 1) == preparation_share(0, 3) == 0.2


def test_the_bar_goes_forward_and_is_not_full_before_the_end(tmp_path: Path) -> None:
    shares = listened(tmp_path, 1, 2, 60, 61)
    assert shares == sorted(shares)
    assert max(shares) == 0.97
