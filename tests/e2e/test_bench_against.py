"""``make bench-against``: figures of two commits, paired in one run."""

from __future__ import annotations

import os
import signal
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


@pytest.mark.parametrize(
    ("rounds", "is_worse"),
    [
        ([(1.1, 1.0), (1.1, 1.0)], True),
        ([(1.04, 1.0), (1.04, 1.0)], False),
        ([(1.5, 1.0), (0.9, 1.0)], False),  # its interval holds 1
        ([(1.5, 1.0)], False),  # of one round nothing is known
    ],
)
def test_what_is_surely_worse_is_marked(rounds: list[tuple[float, float]], is_worse: bool) -> None:
    assert table({"figure": rounds}, "old").endswith("| worse |") is is_worse


def test_figures_of_the_other_commits_own_bench_are_named() -> None:
    lines = table({"mine": [(1.0, 1.0)], "theirs": [(1.0, 1.0)]}, "old", {"theirs"}).splitlines()
    assert lines[2].startswith("| mine |")
    assert lines[3].startswith("| theirs * |")
    assert lines[-1] == r"\* old was measured with its own bench, as this one fails there."


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


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    before = _worktrees()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.against", "HEAD", "--only=paint"],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:  # fmt: skip
        assert process.stderr is not None
        while "round 1" not in process.stderr.readline():
            assert process.poll() is None
        assert _worktrees() != before
        process.send_signal(number)
        process.stderr.read()
    assert process.returncode != 0
    assert _worktrees() == before
    assert [*tmp_path.iterdir()] == []


def _worktrees() -> list[Path]:
    listed = subprocess.run(
        ["git", "worktree", "list", "--porcelain"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line for line in listed.stdout.splitlines() if line.startswith("worktree ")]
    return [Path(line.partition(" ")[2]) for line in lines if "edgewright-against" in line]
