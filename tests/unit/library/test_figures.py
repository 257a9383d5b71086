"""Figures of the library: what they draw, and that hostile names and absent values do no harm."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from studio.api import UsageError
from studio.evaluation.results import MetricChange, MetricValue
from studio.library.figures import (
    latency_distribution,
    latency_over_time,
    metric_values,
    tradeoff,
)
from studio.library.reports import MonitorReport, ProfileReport, QuantizationReport
from studio.monitoring.endpoint.results import Latency
from studio.monitoring.results import TargetSample
from studio.profiling.results import ProfileResult, ProfileRun
from studio.quantization.results import FrontPoint, QuantizeResult
from studio.runtime.bench.facts import Percentiles

PNG = b"\x89PNG\r\n"
HOSTILE = r"$\frac{<b>" + "x" * 80
DISTRIBUTION = tuple(1.0 + number / 100 for number in range(101))


def run(name: str) -> ProfileRun:
    return ProfileRun(
        id=name,
        model=name,
        state="measured",
        latency_ms=Percentiles(p50=1.5),
        distribution=DISTRIBUTION,
        round_ms=(1.4, 1.5, 1.6, 1.5) * 5,
    )


def texts(figure: Any) -> list[str]:
    """The notes in the plot."""
    (axes,) = figure.axes
    return [text.get_text() for text in axes.texts]


def test_a_line_for_each_measured_run() -> None:
    figure = latency_distribution([run("fp32"), run(HOSTILE), ProfileRun("failed")])
    (axes,) = figure.axes
    assert [len(line.get_xdata()) for line in axes.lines] == [101, 101]
    assert figure._repr_png_().startswith(PNG)  # type: ignore[attr-defined]


def test_both_figures_of_a_profile() -> None:
    report = ProfileReport("profile", ProfileResult(runs=(run("fp32"), run(HOSTILE))))
    for figure in (report.figure(), report.figure("distribution"), report.compared_with(report)):
        assert figure._repr_png_().startswith(PNG)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["intervals", "distribution"])
def test_nothing_measured(kind: Any) -> None:
    with pytest.raises(UsageError, match="no measured values"):
        ProfileReport("profile", ProfileResult()).figure(kind)


def test_variants_by_size_and_metric() -> None:
    points = (
        FrontPoint(1, "fp32", "fp32", 4000, 0.9, 1.0),
        FrontPoint(2, HOSTILE, "int8", 1000, 0.8, 0.5),
        FrontPoint(3, "no metric", "int8", 1000, None, 0.5),
    )
    made = QuantizeResult(front=points, metric=MetricChange("top1", "Top-1", 0.9, 0.8, 0.1))
    figure = tradeoff(made)
    assert len(texts(figure)) == 2
    assert figure.axes[0].get_ylabel() == "Top-1"
    assert figure._repr_png_().startswith(PNG)  # type: ignore[attr-defined]
    rows = QuantizationReport("quantize", made).table()
    assert [row["variant"] for row in rows] == ["fp32", HOSTILE, "no metric"]


def test_no_metric() -> None:
    with pytest.raises(UsageError, match="no metric"):
        tradeoff(QuantizeResult())


def test_values_of_a_metric() -> None:
    metric = MetricValue("top1", "", 0.9)
    figure = metric_values(metric, [("here", 0.9), (HOSTILE, 0.8)])
    assert texts(figure) == ["0.9000", "0.8000"]
    assert figure._repr_png_().startswith(PNG)  # type: ignore[attr-defined]


def sample(second: int, p50: float | None) -> TargetSample:
    times = Latency(p50=p50, p90=p50 and 2 * p50, p99=None, count=3)
    return TargetSample("local", f"2026-01-01T00:00:{second:02}+00:00", latency_ms=times)


def test_latency_over_time() -> None:
    samples = (sample(1, None), sample(2, 1.0), sample(4, 2.0))
    figure = latency_over_time(samples)
    lines = {line.get_label(): list(line.get_xdata()) for line in figure.axes[0].lines}
    assert lines == {"p50": [0.0, 2.0], "p90": [0.0, 2.0]}
    report = MonitorReport("monitor", samples[-1], (), samples)
    assert [row["p50_ms"] for row in report.table()] == [None, 1.0, 2.0]
    assert report.figure().axes


def test_no_latency() -> None:
    with pytest.raises(UsageError, match="No sample has a latency"):
        latency_over_time([TargetSample("local")])


def test_no_state_of_pyplot() -> None:
    code = "import sys, studio.library.figures; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"
