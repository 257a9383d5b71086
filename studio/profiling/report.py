"""A profile as figures for the one-file report."""

from __future__ import annotations

from studio.profiling import chart
from studio.profiling.document import ProfileDocument
from studio.profiling.results import ProfileResult


def latency_figure(profile: ProfileResult) -> str:
    """Draw the latencies of every measured variant as an SVG element; empty without any."""
    shown = [run for run in profile.runs if run.distribution]
    return chart.distributions(shown) if shown else ""


def interval_figure(profile: ProfileResult) -> str:
    """Draw the ratios with their intervals as an SVG element; empty when nothing was compared."""
    shown = [each for each in profile.verdicts if each.low is not None]
    return chart.intervals(shown) if shown else ""


def tradeoff_figure(profile: ProfileDocument) -> str:
    """Draw accuracy against latency; empty while fewer than two variants have both."""
    points = []
    for run in profile.runs:
        variant = str(run.variant_id or "")
        value, middle = profile.quality.values.get(variant), run.latency_ms.p50
        if value is not None and middle is not None:
            points.append((run.id, middle, value, profile.sizes.get(variant)))
    return chart.tradeoff(points, profile.quality.title) if len(points) > 1 else ""


def throughput_figure(profile: ProfileResult) -> str:
    """Draw samples a second by setting; empty in other modes."""
    found = {
        run.id: [
            (f"{one.streams} × {one.batch}", rate, one.low or rate, one.high or rate)
            for one in run.throughput.settings
            if (rate := one.per_second) and one.state == "measured"
        ]
        for run in profile.runs
        if run.throughput
    }
    return chart.settings(found) if any(found.values()) else ""


def open_loop_figure(profile: ProfileResult) -> str:
    """Draw p50 and p99 against the rate of requests; empty in other modes."""
    lines, limit = {}, None
    for run in profile.runs:
        if run.open_loop:
            limit, trials = run.open_loop.limit_ms, run.open_loop.trials
            for key in ("p50", "p99"):
                rates = ((trial.rate, getattr(trial.latency_ms, key)) for trial in trials)
                lines[f"{run.id} {key}"] = sorted(one for one in rates if one[1] is not None)
    words = ("Requests a second", "Latency from the time they were due (ms)")
    return chart.lines(lines, *words, limit) if any(lines.values()) else ""


def sustained_figure(profile: ProfileResult) -> str:
    """Draw the median over the minutes; empty in other modes."""
    lines = {
        run.id: [(point.t_s, point.p50_ms) for point in run.sustained.series]
        for run in profile.runs
        if run.sustained
    }
    return chart.lines(lines, "Seconds", "p50 (ms)") if any(lines.values()) else ""
