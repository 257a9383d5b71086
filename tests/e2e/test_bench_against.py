"""``make bench-against``: figures of two commits, paired in one run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.against import ROOT, compare, table


def test_an_interval_covers_the_ratio_of_the_rounds() -> None:
    ratio, low, high = compare([2.0, 2.2, 1.8], [1.0, 1.0, 1.0])
    assert 1.98 < ratio < 2.0
    assert low < 1.8 < 2.2 < high
    assert compare([3.0] * 3, [2.0] * 3) == pytest.approx((1.5, 1.5, 1.5))


def test_what_is_worse_is_marked() -> None:
    rows = table({"slower": [(1.1, 1.0)] * 2, "equal": [(1.04, 1.0)] * 2}, "old").splitlines()
    assert rows[2].endswith("| worse |")
    assert not rows[3].endswith("| worse |")


@pytest.mark.slow
def test_another_commit_is_measured_and_removed() -> None:
    before = _worktrees()
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.against", "HEAD", "--rounds=1", "--only=commands"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    figures = [line.split("|")[1].strip() for line in done.stdout.splitlines()]
    assert figures[2:] == ["command start, CPU s", "quantize, CPU s"]
    assert _worktrees() == before


def _worktrees() -> list[Path]:
    listed = subprocess.run(
        ["git", "worktree", "list", "--porcelain"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line for line in listed.stdout.splitlines() if line.startswith("worktree ")]
    return [Path(line.partition(" ")[2]) for line in lines if "edgewright-against" in line]
