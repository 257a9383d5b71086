"""Figures of evaluations, quantizations, benchmarks and monitoring.

Importing this module loads matplotlib.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from studio.api import UsageError
from studio.documents.figures import Axes, Figure, new_figure
from studio.documents.palette import DIM, SERIES
from studio.evaluation.results import MetricValue
from studio.library.report import shown
from studio.monitoring.endpoint.results import Latency
from studio.monitoring.results import TargetSample
from studio.profiling.results import ProfileRun
from studio.quantization.results import QuantizeResult

_HEIGHT = 3.0
_LONGEST = 40
_KILOBYTE = 1000
_PERCENTILES = ("p50", "p90", "p99")


def latency_distribution(runs: Sequence[ProfileRun]) -> Figure:
    """Draw the share of inferences within each latency, a line for each run.

    Raises:
        UsageError: when nothing was measured.
    """
    measured = [run for run in runs if run.distribution]
    if not measured:
        raise UsageError("The profile has no measured values to draw.")

    def draw(axes: Axes) -> None:
        for place, run in enumerate(measured):
            color = SERIES[place % len(SERIES)]
            axes.plot(run.distribution, range(len(run.distribution)), color=color, label=run.id)
        axes.set_xscale("log")  # the slowest inference may take a hundred times the median
        axes.set_ylim(0, 100)
        _finish(axes, "Latency (ms)", "Inferences within it (%)")
        axes.legend([shown(run.id)[:_LONGEST] for run in measured], frameon=False)

    return new_figure(draw, _HEIGHT)


def tradeoff(result: QuantizeResult) -> Figure:
    """Draw the metric of each variant against its size.

    Raises:
        UsageError: when no metric was measured.
    """
    points = [(one, one.metric) for one in result.front if one.metric is not None]
    if not points:
        raise UsageError("The quantization has no metric to draw.", hint="Pass labelled data.")

    def draw(axes: Axes) -> None:
        for place, (one, metric) in enumerate(points):
            size = one.bytes / _KILOBYTE
            axes.plot([size], [metric], "o", color=SERIES[place % len(SERIES)])
            _note(axes, one.name, size, metric)
        axes.margins(0.25)
        title = result.metric.heading if result.metric else "Metric"
        _finish(axes, "Size (kB)", title)

    return new_figure(draw, _HEIGHT)


def metric_values(metric: MetricValue, values: Sequence[tuple[str, float]]) -> Figure:
    """Draw the values of one metric.

    Args:
        values: Each with the name of its data and its runtime.
    """

    def draw(axes: Axes) -> None:
        for place, (_, value) in enumerate(values):
            axes.barh([place], [value], height=0.5, color=SERIES[place % len(SERIES)])
            _note(axes, f"{value:.4f}", value, place)
        axes.set_yticks(range(len(values)), [shown(name)[:_LONGEST] for name, _ in values])
        axes.set_ylim(len(values) - 0.4, -0.6)
        axes.margins(x=0.15)
        _finish(axes, metric.title or metric.name, "")

    return new_figure(draw, 1.2 + 0.4 * len(values))


def latency_over_time(samples: Sequence[TargetSample]) -> Figure:
    """Draw percentiles of the latency over the time of the samples.

    Raises:
        UsageError: when no request was answered.
    """
    seen = [(_second(one), times) for one in samples if (times := one.latency_ms) and times.p50]
    if not seen:
        raise UsageError(
            "No sample has a latency to draw.", hint="Send requests, for a test with call()."
        )
    start = seen[0][0]

    def draw(axes: Axes) -> None:
        for name, color in zip(_PERCENTILES, SERIES[1:], strict=False):
            points = [(at - start, value) for at, one in seen if (value := _percentile(one, name))]
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", color=color, label=name)
        axes.set_ylim(bottom=0)
        _finish(axes, "Seconds", "Latency of the last minute (ms)")
        axes.legend(frameon=False)

    return new_figure(draw, _HEIGHT)


def _percentile(times: Latency, name: str) -> float | None:
    value: float | None = getattr(times, name)
    return value


def _second(sample: TargetSample) -> float:
    return datetime.fromisoformat(sample.at).timestamp() if sample.at else 0.0


def _note(axes: Axes, text: str, x: float, y: float) -> None:
    axes.annotate(
        shown(text)[:_LONGEST],
        (x, y),
        (6, 4),
        textcoords="offset points",
        fontsize=8,
        color=DIM,
    )


def _finish(axes: Axes, across: str, up: str) -> None:
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(True)
    axes.set_axisbelow(True)
