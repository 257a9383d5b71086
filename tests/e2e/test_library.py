"""Scripts that import the studio, run as programs of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio, interruptible

pytestmark = pytest.mark.slow

DIGITS = """
import json, sys
import studio

model = studio.open(studio.get_sample("digits", "digits"))
int8 = model.quantize(max_drop=0.01, out="int8.onnx")
profile = model.profile(int8, seconds=1, threads=1)
score = int8.evaluate(samples=100)
target = "local/script"
plan = model.plan(target)
model.deploy(target)
endpoint = int8.deploy(target)
bundle = int8.package("bundle")
called = endpoint.call("digits/heldout.npz", requests=50)
watched = endpoint.monitor(5, interval=0.5)
back = endpoint.rollback()
served = studio.endpoint(target).releases()
again = endpoint.call(requests=10)
address = endpoint.url
endpoint.undeploy(purge=True)
json.dump({
    "names": [model.name, int8.name],
    "ratio": int8.result.size_ratio,
    "notes": len(int8.report.notes),
    "profile": profile.table(),
    "score": score.result.metric.value,
    "bundle": bundle.result.bundle,
    "possible": plan.result.possible,
    "called": called.table(),
    "samples": len(watched.samples),
    "health": watched.result.health,
    "back": [back.result.left_version, back.result.to],
    "served": served.table(),
    "failed": again.result.failed,
    "address": address,
    "left": endpoint.url,
}, sys.stdout)
"""

INTERRUPTED = """
import studio

model = studio.open(studio.get_sample("digits"))
print("started", flush=True)
model.profile(seconds=300, rounds=10000)
"""


def script(studio: Studio, text: str, folder: Path, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=folder,
        env=studio.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def test_digits_from_the_file_to_the_endpoint_and_back(studio: Studio, tmp_path: Path) -> None:
    program = script(studio, DIGITS, tmp_path)
    out, err = program.communicate(timeout=600)
    assert program.returncode == 0, err
    assert err == "", "a script is silent"
    made = json.loads(out)
    assert made["names"] == ["digits:fp32", "digits:int8"]
    assert made["ratio"] < 0.5
    assert made["notes"] == 2, "calibration data and labels were found in the folder"
    assert [row["run"] for row in made["profile"]] == made["names"]
    assert made["profile"][1]["low"] <= made["profile"][1]["ratio"] <= made["profile"][1]["high"]
    assert made["score"] > 0.9
    assert Path(made["bundle"]).is_dir()
    assert made["possible"]
    assert (made["called"][0]["answered"], made["called"][0]["failed"]) == (50, 0)
    assert made["samples"] >= 2
    assert made["health"] == "healthy"
    assert made["back"] == [2, 1]
    assert next(row["state"] for row in made["served"]) == "serving"
    assert made["failed"] == 0
    assert made["address"].startswith("http://127.0.0.1:")
    assert made["left"] == ""
    assert {path.name for path in tmp_path.iterdir()} >= {"digits", "int8.onnx", "bundle"}
    # The command line finds what the script has done, in the same registry.
    assert studio.ok("inspect", tmp_path / "int8.onnx")["quantized"]
    assert studio.ok("versions", "list")


def test_an_interrupt_leaves_nothing_half_done(studio: Studio, tmp_path: Path) -> None:
    program = script(studio, INTERRUPTED, tmp_path, preexec_fn=interruptible)
    assert program.stdout is not None
    assert program.stdout.readline() == "started\n"
    jobs = studio.home / "edgewright" / "data" / "jobs"
    deadline = time.monotonic() + 60
    while not any(jobs.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)  # the benchmark is under way
    os.kill(program.pid, signal.SIGINT)
    _, err = program.communicate(timeout=60)
    assert program.returncode != 0
    assert err.strip().splitlines()[-1] == "KeyboardInterrupt"
    assert not list(jobs.iterdir()), "the job's folder is removed"
    assert studio.ok("profiles", "list")["profiles"] == []
