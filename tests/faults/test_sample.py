"""A sample of the fault campaign; ``make faults`` runs all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.faults import durability
from tests.faults.campaign import Campaign
from tests.faults.links import CLASSES, strikes
from tests.faults.matrix import cases
from tests.faults.points import which_one
from tests.faults.tally import Tally

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.needs("strace", "mount", "unshare")
def test_a_sample_of_the_campaign(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    out = tmp_path / "faults.json"
    # A process of its own: what multiprocessing starts lives as long as the one that asked for it.
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--sample", "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    parts = json.loads(out.read_text())["parts"]
    assert all(part["violations"] == [] for part in parts.values())
    counts = {name: part["points"] for name, part in parts.items()}
    assert counts["points"] >= 15, counts
    assert counts["matrix"] >= 5, counts
    assert parts["mutants"]["outcomes"] == {"caught": 2}


def test_what_a_fault_left_is_called_by_its_name() -> None:
    assert which_one("", "") == "nothing", "no release came through, and none was there before"
    assert which_one("a", "a") == "old"
    assert which_one("b", "a") == which_one("b", "") == "new"


def test_a_campaign_in_which_nothing_struck_does_not_pass() -> None:
    done = Campaign(whole=True)
    done.add(Tally("points", outcomes=Counter(["next: new after done"])))
    assert "only 0 faults of points, not 500" in done.violations
    assert "next: old after a fault was never seen" in done.violations


def test_the_plan_of_the_campaign() -> None:
    named = cases()
    assert len(named) == len(set(named)) >= 100
    hits = strikes(1)
    assert len([one for one in hits if not one.where]) == 200
    assert {one.where for one in hits} - {""} == set(CLASSES)
    assert hits == strikes(1) != strikes(2)


@pytest.mark.parametrize(
    ("trace", "sentence"),
    [
        ("", None),
        ('write(3</r/.a>, "x", 1) = 1\nrename("/r/.a", "/r/a") = 0\n', "before its content"),
        ('rename("/r/.a", "/r/a") = 0\n', "the folder of a was never flushed"),
        (
            'rename("/r/b/.a", "/r/b/a") = 0\nrename("/r/.s", "/r/state.json") = 0\n'
            "fsync(3</r>) = 0\nfsync(3</r/b>) = 0\n",
            "before the folder of a was flushed",
        ),
        (
            'write(3</r/.a>, "x", 1) = 1\nfsync(3</r/.a>) = 0\nrename("/r/.a", "/r/a") = 0\n'
            "fsync(3</r>) = 0\n",
            None,
        ),
    ],
)
def test_what_a_power_cut_could_undo(trace: str, sentence: str | None) -> None:
    found = durability.undone_by_a_power_cut(trace, Path("/r"))
    assert (found == []) if sentence is None else any(sentence in one for one in found)
