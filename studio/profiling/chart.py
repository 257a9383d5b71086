"""The charts of a profile for reports, as SVG elements."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from studio.documents.palette import DIM, LINE, SERIES
from studio.profiling.history import ProfileDocument
from studio.profiling.results import Comparison, ProfileResult, ProfileRun
from studio.profiling.svg_plot import Axis, Plot, Series

VERDICT_COLORS = {
    "faster": "#1f8f5f",
    "slower": "#cf3a2b",
    "equal": "#5d6778",
    "undecided": "#a36a00",
}
_DASHES = ("", "7 3", "2 3", "9 3 2 3")

_ROW = 32.0
_TEXT_ROOM = 0.45
"""Share of the plot for the text next to an interval."""
_FEW_POINTS = 40


def latency_figure(profile: ProfileResult) -> str:
    """Draw the latencies of every measured variant as an SVG element; empty without any."""
    shown = [run for run in profile.runs if run.distribution]
    return distributions(shown) if shown else ""


def interval_figure(profile: ProfileResult) -> str:
    """Draw the ratios with their intervals as an SVG element; empty when nothing was compared."""
    shown = [each for each in profile.verdicts if each.low is not None]
    return intervals(shown) if shown else ""


def tradeoff_figure(profile: ProfileDocument) -> str:
    """Draw accuracy against latency; empty while fewer than two variants have both."""
    points = []
    for run in profile.runs:
        variant = str(run.variant_id or "")
        value, middle = profile.quality.values.get(variant), run.latency_ms.p50
        if value is not None and middle is not None:
            points.append((run.id, middle, value, profile.sizes.get(variant)))
    return tradeoff(points, profile.quality.title) if len(points) > 1 else ""


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
    return settings(found) if any(found.values()) else ""


def open_loop_figure(profile: ProfileResult) -> str:
    """Draw p50 and p99 against the rate of requests; empty in other modes."""
    points, limit = {}, None
    for run in profile.runs:
        if run.open_loop:
            limit, trials = run.open_loop.limit_ms, run.open_loop.trials
            for key in ("p50", "p99"):
                rates = ((trial.rate, getattr(trial.latency_ms, key)) for trial in trials)
                points[f"{run.id} {key}"] = sorted(one for one in rates if one[1] is not None)
    words = ("Requests a second", "Latency from the time they were due (ms)")
    return lines(points, *words, limit) if any(points.values()) else ""


def sustained_figure(profile: ProfileResult) -> str:
    """Draw the median over the minutes; empty in other modes."""
    medians = {
        run.id: [(point.t_s, point.p50_ms) for point in run.sustained.series]
        for run in profile.runs
        if run.sustained
    }
    return lines(medians, "Seconds", "p50 (ms)") if any(medians.values()) else ""


def distributions(runs: Sequence[ProfileRun]) -> str:
    """Return the empirical distributions of latencies as an SVG element.

    Args:
        runs: Those with a ``distribution``: its 101 percentiles in milliseconds.
    """
    medians = [run.latency_ms.p50 or 0.0 for run in runs]
    names = [f"{run.id}: {middle:.3g} ms" for run, middle in zip(runs, medians, strict=True)]
    series = series_of(names)
    # The slowest hundredth would squeeze the rest into a line.
    low, high = _limits([run.distribution for run in runs])
    plot = Plot(
        "Distribution of latencies",
        f"Median time of one inference: {'; '.join(names)}.",
        Axis(low, high, "Time of one inference (ms)"),
        Axis(0, 1.02, "Share of inferences"),
        series=series,
    )
    for run, middle, one in zip(runs, medians, series, strict=True):
        plot.line(((ms, index / 100) for index, ms in enumerate(run.distribution)), one)
        plot.dot(middle, 0.5, one.color)
    return plot.svg()


def intervals(verdicts: Sequence[Comparison]) -> str:
    """Return the ratios with their confidence intervals around the margin as an SVG element."""
    shown = [
        (each, (each.low, each.ratio, each.high))
        for each in verdicts
        if each.low is not None and each.high is not None and each.ratio is not None
    ]
    margin = max((each.margin for each, _ in shown), default=0.03)
    reference = shown[0][0].a if shown else "the reference"
    rows = list(reversed(shown))
    ends = [value for _, values in shown for value in values]
    low, high = _with_room([*ends, 1 / (1 + margin), 1 + margin], 0.1)
    high += _TEXT_ROOM * (high - low)
    texts = [
        f"{each.b} is {each.verdict}: {ratio:.3f} ({low:.3f} to {high:.3f})"
        for each, (low, ratio, high) in shown
    ]
    plot = Plot(
        "Ratios with their confidence intervals",
        f"Time as a ratio of {reference}'s. {'; '.join(texts)}.",
        Axis(low, high, f"Time as a ratio of {reference}'s; grey: too small to count"),
        Axis(
            -0.6,
            max(1, len(rows)) - 0.4,
            "",
            tuple((index, each.b) for index, (each, _) in enumerate(rows)),
        ),
        height=80 + _ROW * max(1, len(rows)),
        grid="x",
    )
    plot.band(1 / (1 + margin), 1 + margin, LINE)
    plot.upright(1, DIM)
    for row, (each, (low, ratio, high)) in enumerate(rows):
        color = VERDICT_COLORS.get(each.verdict, DIM)
        plot.interval(((low, row), (high, row)), color)
        plot.dot(ratio, row, color, 5)
        plot.text(high, row, f"{each.verdict}  {ratio:.3f}")
    return plot.svg()


def tradeoff(points: Sequence[tuple[str, float, float, int | None]], quality: str) -> str:
    """Return quality against latency, with the file size as the area of its point.

    Args:
        points: Name, milliseconds, quality, bytes.
    """
    largest = max((size or 0 for _, _, _, size in points), default=0) or 1
    texts = [
        f"{name} {cost:.3g} ms, {value:.4g}{_megabytes(size)}" for name, cost, value, size in points
    ]
    plot = Plot(
        "Quality against latency",
        f"{quality} and median latency: {'; '.join(texts)}.",
        Axis(*_with_room([cost for _, cost, _, _ in points], 0.3), "p50 latency (ms)"),
        Axis(*_with_room([value for _, _, value, _ in points], 0.3), quality),
        height=320,
    )
    for number, (name, cost, value, size) in enumerate(points):
        radius = 4 + 6 * math.sqrt((size or 0) / largest)
        plot.dot(cost, value, SERIES[number % len(SERIES)], radius)
        plot.text(cost, value, name + _megabytes(size), radius + 6)
    return plot.svg()


def settings(found: Mapping[str, Sequence[tuple[str, float, float, float]]]) -> str:
    """Return rates with their intervals by setting: name of the setting, rate, low, high."""
    names = list(dict.fromkeys(name for rows in found.values() for name, *_ in rows))
    highest = max((high for rows in found.values() for *_, high in rows), default=1.0)
    series = series_of(list(found), dashed=False)
    best = [f"{run}: {max(r[1] for r in rows):.4g} a second" for run, rows in found.items() if rows]
    plot = Plot(
        "Throughput by setting",
        f"Most samples a second: {'; '.join(best)}.",
        Axis(-0.4, len(names) - 0.4, "Streams × batch", tuple(enumerate(names))),
        Axis(0, 1.05 * highest, "Samples a second"),
        series=series,
        grid="y",
    )
    for number, (one, rows) in enumerate(zip(series, found.values(), strict=True)):
        for name, rate, low, high in rows:
            place = names.index(name) + 0.12 * number
            plot.interval(((place, low), (place, high)), one.color, 2)
            plot.dot(place, rate, one.color)
    return plot.svg()


def lines(
    found: Mapping[str, Sequence[tuple[float, float]]], x: str, y: str, limit: float | None = None
) -> str:
    """Return one line for each series of pairs, with a limit if set."""
    points = [point for rows in found.values() for point in rows]
    series = series_of(list(found))
    highest = max([*(value for _, value in points), *([limit] if limit is not None else [])])
    plot = Plot(
        f"{y} by {x[:1].lower()}{x[1:]}",
        "; ".join(_ends(name, rows) for name, rows in found.items() if rows) + ".",
        Axis(*_with_room([place for place, _ in points], 0.03), x),
        Axis(0, 1.05 * highest or 1.0, y),
        series=series,
    )
    for one, rows in zip(series, found.values(), strict=True):
        plot.line(rows, one)
        if len(rows) < _FEW_POINTS:
            for place, value in rows:
                plot.dot(place, value, one.color, 3.5)
    if limit is not None:
        plot.level(limit, VERDICT_COLORS["slower"])
    return plot.svg()


def series_of(names: Iterable[str], *, dashed: bool = True) -> list[Series]:
    """Return the styles of series, which differ by colour and by dashes."""
    return [
        Series(
            name,
            SERIES[index % len(SERIES)],
            _DASHES[index % len(_DASHES)] if dashed else "",
        )
        for index, name in enumerate(names)
    ]


def _ends(name: str, rows: Sequence[tuple[float, float]]) -> str:
    (first, low), (last, high) = rows[0], rows[-1]
    return f"{name}: {low:.4g} at {first:.4g}, {high:.4g} at {last:.4g}"


def _megabytes(size: int | None) -> str:
    return f", {size / 1e6:.3g} MB" if size else ""


def _with_room(values: Sequence[float], share: float) -> tuple[float, float]:
    """Return the ends of some values with room beyond both."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    room = share * (high - low) or 0.1 * abs(high) or 1.0
    return low - room, high + room


def _limits(distributions: Sequence[Sequence[float]]) -> tuple[float, float]:
    low = min(each[0] for each in distributions)
    high = max(each[98] for each in distributions)
    room = 0.05 * (high - low) or 0.1 * high
    return low - room, high + room
