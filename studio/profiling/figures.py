"""Figures of profiles for publications and notebooks, drawn by matplotlib in a light theme.

Both functions take what ``studio profile --json`` or ``studio profiles show --json`` printed.
Importing this module loads matplotlib.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue
from studio.documents.figures import Axes, Figure, new_figure
from studio.documents.figures import write_figure as write_figure
from studio.documents.palette import DIM, SERIES, SURFACE
from studio.profiling import history
from studio.profiling.chart import VERDICT_COLORS
from studio.profiling.history import ProfileDocument, read_profile
from studio.profiling.results import ProfileRun
from studio.profiling.svg_plot import shortened
from studio.runtime.shared.statistics import Z

Json = Mapping[str, JsonValue]

_LABELS = {
    "latency": "Median latency (ms)",
    "throughput": "Samples per second",
    "open-loop": "Requests per second within the limit",
    "sustained": "Median latency at the end (ms)",
    "tokens": "Median time of a token (ms)",
}
_INTERVAL = "95 % confidence interval"
_ROW = 0.42
_AROUND = 1.15


def profile_figure(profile: Json) -> Figure:
    """Draw the measured value of each variant with its confidence interval.

    Raises:
        UsageError: when the profile holds nothing that was measured.
    """
    read = read_profile(profile)
    mode = read.mode
    rows = [(run.id, found) for run in read.runs if (found := _measured(run, mode))]
    if not rows:
        raise UsageError("The profile has no measured values to draw.")

    def draw(axes: Axes) -> None:
        for place, (_, found) in enumerate(rows):
            color = SERIES[place % len(SERIES)]
            _bar(axes, place, found, color)
        _finish(axes, [name for name, _ in rows], _LABELS.get(mode, mode), _title(read))

    return _figure(draw, len(rows))


def comparison_figure(before: Json, after: Json) -> Figure:
    """Draw what two profiles measured of each variant, and the verdict on the ratio.

    Raises:
        UsageError: when they have no variant in common.
    """
    first, second = read_profile(before), read_profile(after)
    mode = first.mode
    runs = [{run.id: run for run in one.runs} for one in (first, second)]
    rows = [
        (row, a, b)
        for row in history.compare(first, second).rows
        if (a := _measured(runs[0][row.id], mode)) and (b := _measured(runs[1][row.id], mode))
    ]
    if not rows:
        raise UsageError("The two profiles have no measured variant in common.")

    def draw(axes: Axes) -> None:
        for place, (row, a, b) in enumerate(rows):
            color = VERDICT_COLORS.get(row.verdict, DIM)
            _bar(axes, place - 0.16, a, DIM, filled=False)
            _bar(axes, place + 0.16, b, color, note=_verdict(row))
        _finish(axes, [row.id for row, *_ in rows], _LABELS.get(mode, mode), "")
        names = (_name(first, "before"), _name(second, "after"))
        axes.set_title(f"\u25cb {names[0]}   \u25cf {names[1]}")

    return _figure(draw, 2 * len(rows))


def _measured(run: ProfileRun, mode: str) -> tuple[float, float, float] | None:
    """Return the value of a run with the ends of its interval; None where nothing was measured."""
    value, low, high = history.figure(run, mode)
    if not value:
        return None
    if low is not None and high is not None:
        return value, low, high
    half = _half(run.round_ms) if mode in ("latency", "tokens") else 0.0
    return value, value * math.exp(-half), value * math.exp(half)


def _half(rounds: Sequence[float]) -> float:
    """Return half the width of the interval of a median, as a logarithm.

    It follows from the means of blocks of neighbouring rounds, as in a comparison of profiles.
    """
    logs = [math.log(each) for each in rounds if each > 0]
    size = max(1, round(len(logs) ** (1 / 3)))
    starts = range(0, len(logs) - size + 1, size)
    blocks = [statistics.fmean(logs[start : start + size]) for start in starts]
    if len(blocks) < 2:
        return 0.0
    return Z * math.sqrt(statistics.variance(blocks) / len(blocks))


def _bar(
    axes: Axes,
    place: float,
    found: tuple[float, float, float],
    color: str,
    *,
    filled: bool = True,
    note: str = "",
) -> None:
    value, low, high = found
    axes.errorbar(
        [value],
        [place],
        xerr=[[value - low], [high - value]],
        fmt="o",
        color=color,
        markerfacecolor=color if filled else SURFACE,
        markersize=5,
        capsize=3,
        linewidth=1.6,
    )
    text = f"{value:.3g}  {note}".strip()
    axes.annotate(text, (high, place), (7, -3), textcoords="offset points", fontsize=8)


def _finish(axes: Axes, names: Sequence[str], label: str, title: str) -> None:
    axes.set_yticks(range(len(names)), [shortened(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)  # the first variant is at the top
    axes.margins(x=0.3)
    axes.set_xlabel(f"{label}, {_INTERVAL}")
    axes.grid(True, axis="x")
    axes.set_axisbelow(True)
    axes.set_title(title)


def _figure(draw: Callable[[Axes], None], rows: int) -> Figure:
    return new_figure(draw, _AROUND + _ROW * max(2, rows))


def _title(profile: ProfileDocument) -> str:
    model = profile.model or profile.runs[0].model.partition(":")[0]
    return " on ".join(part for part in (model, profile.target) if part)


def _name(profile: ProfileDocument, otherwise: str) -> str:
    return f"profile {profile.run}" if profile.run else otherwise


def _verdict(row: history.RowComparison) -> str:
    return "" if row.ratio is None else f"\u00d7 {row.ratio:.3f}, {row.verdict}"
