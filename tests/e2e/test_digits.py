"""The main job on digits: command by command, and as the pipeline that ``make run`` runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.rigs import killing

pytestmark = pytest.mark.slow

CONNECTS = ("-e", "trace=connect,sendto")
OUTSIDE = re.compile(r"sa_family=AF_INET6?, (?!.*(127\.0\.0\.1|\"::1\"))")


@pytest.mark.long
def test_the_commands_one_by_one(studio: Studio, digits: Path, tmp_path: Path) -> None:
    float_model, small = digits / "digits.onnx", tmp_path / "int8.onnx"

    assert studio.ok("inspect", float_model)["parameters"] > 10_000

    made = studio.ok(
        "quantize",
        float_model,
        *("--data", digits / "calibration.npz", "--eval-data", digits / "heldout.npz"),
        *("--out", small, "--max-drop", "0.01"),
    )
    assert {"output", "preset", "size_ratio", "metric", "latency_ratio", "front"} <= set(made)
    assert {"peak_memory_mb", "seconds"} <= set(made)
    assert Path(made["output"]) == small
    assert made["metric"]["before"] - made["metric"]["after"] <= 0.01
    assert made["size_ratio"] < 0.5

    profile = studio.ok("profile", float_model, small, "--seconds", "1")
    assert {"environment", "runs", "verdicts", "operators"} <= set(profile)
    (verdict,) = profile["verdicts"]
    assert verdict["low"] <= verdict["ratio"] <= verdict["high"]
    assert verdict["verdict"] in ("faster", "slower", "equal", "undecided")
    for run in profile["runs"]:
        assert run["latency_ms"]["p50"] > 0

    plan = studio.ok("deploy", float_model, "--target", "local", "--dry-run")
    assert plan["state"] == "planned"
    assert studio.ok("releases", "--target", "local") == []

    first = studio.ok("deploy", float_model, "--target", "local")
    assert {"release", "version", "bytes_sent", "bytes_total", "endpoint", "steps"} <= set(first)
    called = studio.ok("call", "--requests", "200", "--data", digits / "heldout.npz")
    assert (called["answered"], called["failed"]) == (200, 0)

    second = studio.ok("deploy", small, "--target", "local")
    assert second["version"] != first["version"]
    seen = studio.ok("monitor", "--target", "local")
    assert {"health", "throughput", "latency_ms", "errors", "drift", "alerts"} <= set(seen)
    assert str(seen["version"]) == str(second["version"])

    back = studio.ok("rollback", "--target", "local")
    assert (back["from"], back["to"]) == (second["version"], first["version"])
    newest = studio.ok("releases", "--target", "local")[0]
    assert (newest["version"], newest["state"]) == (first["version"], "serving")
    assert {"release", "at"} <= set(newest)
    assert studio.ok("call", "--requests", "20")["failed"] == 0


def test_the_recipe_leaves_a_report_no_telemetry_and_no_connection_outside(
    studio: Studio, tmp_path: Path, need: object
) -> None:
    tracer = need("strace")  # type: ignore[operator]
    trace, report = tmp_path / "trace", tmp_path / "report.html"
    ended = studio.run(
        "run",
        killing.digits_pipeline(tmp_path / "digits"),
        "--report",
        report,
        # With a filter in the kernel, these calls alone stop: the run takes half the time.
        under=(tracer, "-f", "--seccomp-bpf", "-qq", *CONNECTS, "-o", str(trace)),
        timeout=600,
    )
    assert ended.code == 0, ended.err
    assert str(report) in ended.out
    page = report.read_text()
    for words in ("Graph of digits", "Latency", "Deployment of version", "Rollback", "Gates"):
        assert words in page
    assert not re.search(r"(src|href)=.?(https?:)?//", page), "it loads something"
    outside = [line for line in trace.read_text().splitlines() if OUTSIDE.search(line)]
    assert not outside, outside[:3]
    assert list(studio.user.rglob("*")) == [], "something was written into the empty home"
