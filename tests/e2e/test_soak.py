"""A short soak: clients that stall and vanish harm neither the server nor the other clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.serve.meter import slope
from tests.benchmarks.soak import faults

ROOT = Path(__file__).parents[2]
SECONDS = 20
KINDS = {"stall_in_head", "stall_in_body", "vanish", "break_off", "read_nothing", "talk_nonsense"}


@pytest.mark.slow
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="server and clients need a core each")
@pytest.mark.long
def test_nothing_fails_and_nothing_is_left() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.soak", "--seconds", str(SECONDS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS + 120,
        check=False,
    )
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert (done.returncode, told["faults"]) == (0, []), told
    assert told["failed"] == 0
    assert told["requests"] > 10 * SECONDS
    assert set(told["visits"]) >= KINDS
    assert told["told"].keys() >= {"talk_nonsense: 400", "stall_in_body: 200"}
    assert told["files"]["most"] > told["files"]["before"] >= told["files"]["after"]


def test_a_leak_is_told_from_noise() -> None:
    times = [float(second) for second in range(60)]
    flat = [7e7 + 1000.0 * (second % 7) for second in range(60)]
    leak = [value + 5000.0 * second for second, value in enumerate(flat)]
    found, low, high = slope(times, leak)
    assert low <= found <= high
    assert low > 4900
    _, low, high = slope(times, flat)
    assert low < 100
    assert high > -100


def test_says_what_went_wrong() -> None:
    good = {
        "server_ended": False,
        "failed": 0,
        "requests": 1000,
        "refused": 10,
        "files": {"before": 17, "after": 17},
        "memory": {"sure_growth_mb": 0.1},
    }
    assert faults(good, 4.0) == []
    assert len(faults({**good, "failed": 3}, 4.0)) == 1
    assert len(faults({**good, "refused": 11}, 4.0)) == 1
    assert len(faults({**good, "files": {"before": 17, "after": 18}}, 4.0)) == 1
    assert len(faults({**good, "memory": {"sure_growth_mb": 4.1}}, 4.0)) == 1
    assert len(faults({**good, "server_ended": True}, 4.0)) == 1
