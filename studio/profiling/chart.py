"""The figures of a profile for reports, drawn by matplotlib without a window."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

# The light palette of the window (resources/themes/light.toml): a report is printed and shared.
TEXT = "#1a1f29"
DIM = "#5d6778"
LINE = "#d6dbe3"
SURFACE = "#ffffff"
VERDICT_COLORS = {
    "faster": "#1f8f5f",
    "slower": "#cf3a2b",
    "equal": "#5d6778",
    "undecided": "#a36a00",
}
SERIES_COLORS = ("#5d6778", "#2368e0", "#1f8f5f", "#a36a00", "#8a4fc4", "#cf3a2b")

_WIDTH = 7.2
_ROW = 0.42
_SETTINGS: dict[RcKeyType, Any] = {
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "svg.fonttype": "none",  # text stays text: it can be searched, and read aloud
    "svg.hashsalt": "edgewright",  # the same figure gives the same bytes
    "text.color": TEXT,
    "axes.edgecolor": LINE,
    "axes.labelcolor": DIM,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": DIM,
    "ytick.labelcolor": TEXT,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
}


def distributions(runs: Sequence[Mapping[str, Any]]) -> str:
    """Empirical distributions of the latencies, as an SVG element.

    Args:
        runs: Those with a ``distribution``: its 101 percentiles in milliseconds.
    """

    def draw(axes: Axes) -> None:
        shares = [index / 100 for index in range(101)]
        for number, run in enumerate(runs):
            color = SERIES_COLORS[number % len(SERIES_COLORS)]
            median = run["latency_ms"]["p50"]
            label = f"{run['id']}: {median:.3g} ms"
            axes.plot(run["distribution"], shares, color=color, linewidth=1.6, label=label)
            axes.plot([median], [0.5], "o", color=color, markersize=4)
        # The slowest hundredth would squeeze the rest into a line.
        axes.set_xlim(*_limits([run["distribution"] for run in runs]))
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("Time of one inference (ms)")
        axes.set_ylabel("Share of inferences")
        axes.grid(True)
        axes.legend(frameon=False, loc="lower right")

    return _svg(draw, 3.0)


def intervals(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Ratios with their confidence intervals around the margin, as an SVG element."""
    shown = [each for each in verdicts if each["low"] is not None and each["high"] is not None]

    def draw(axes: Axes) -> None:
        margin = max((each["margin"] for each in shown), default=0.03)
        axes.axvspan(1 / (1 + margin), 1 + margin, color=LINE, alpha=0.6, linewidth=0)
        axes.axvline(1, color=DIM, linewidth=0.8)
        for row, each in enumerate(reversed(shown)):
            color = VERDICT_COLORS[each["verdict"]]
            axes.plot([each["low"], each["high"]], [row, row], color=color, linewidth=2.4)
            axes.plot([each["ratio"]], [row], "o", color=color, markersize=6)
            text = f"{each['verdict']}  {each['ratio']:.3f}"
            axes.annotate(text, (each["high"], row), (8, -3), textcoords="offset points")
        axes.set_yticks(range(len(shown)), [each["b"] for each in reversed(shown)])
        axes.set_ylim(-0.6, max(1, len(shown)) - 0.4)
        axes.margins(x=0.25)
        reference = shown[0]["a"] if shown else "the reference"
        axes.set_xlabel(f"Time as a ratio of {reference}'s; grey: too small to count")
        axes.grid(True, axis="x")

    return _svg(draw, 0.9 + _ROW * max(1, len(shown)))


def tradeoff(points: Sequence[tuple[str, float, float, int | None]], quality: str) -> str:
    """Quality against latency, the size of a file as the area of its point.

    Args:
        points: Name, milliseconds, quality, bytes.
    """
    largest = max((size or 0 for _, _, _, size in points), default=0) or 1

    def draw(axes: Axes) -> None:
        for number, (name, cost, value, size) in enumerate(points):
            color = SERIES_COLORS[number % len(SERIES_COLORS)]
            axes.scatter([cost], [value], s=30 + 120 * (size or 0) / largest, color=color)
            megabytes = f", {size / 1e6:.3g} MB" if size else ""
            axes.annotate(
                name + megabytes, (cost, value), xytext=(9, 4), textcoords="offset points"
            )
        axes.margins(0.3)
        axes.set_xlabel("p50 latency (ms)")
        axes.set_ylabel(quality)
        axes.grid(True)

    return _svg(draw, 3.2)


def settings(found: Mapping[str, Sequence[tuple[str, float, float, float]]]) -> str:
    """Rates with their intervals by setting: name of the setting, rate, low, high."""
    names = list(dict.fromkeys(name for rows in found.values() for name, *_ in rows))

    def draw(axes: Axes) -> None:
        for number, (run, rows) in enumerate(found.items()):
            color = SERIES_COLORS[number % len(SERIES_COLORS)]
            places = [names.index(name) + 0.12 * number for name, *_ in rows]
            middle = [rate for _, rate, _, _ in rows]
            ends = [
                [rate - low for _, rate, low, _ in rows],
                [high - rate for _, rate, _, high in rows],
            ]
            axes.errorbar(places, middle, ends, fmt="o", color=color, capsize=3, label=run)
        axes.set_xticks(range(len(names)), names)
        axes.set_xlabel("Streams × batch")
        axes.set_ylabel("Samples a second")
        axes.set_ylim(bottom=0)
        axes.grid(True, axis="y")
        axes.legend(frameon=False)

    return _svg(draw, 3.0)


def lines(
    found: Mapping[str, Sequence[tuple[float, float]]], x: str, y: str, limit: float | None = None
) -> str:
    """One line for each series of pairs, with a limit where there is one."""

    def draw(axes: Axes) -> None:
        for number, (name, points) in enumerate(found.items()):
            color = SERIES_COLORS[number % len(SERIES_COLORS)]
            marker = "o" if len(points) < 40 else ""
            axes.plot(*zip(*points, strict=True), color=color, marker=marker, label=name)
        if limit is not None:
            axes.axhline(limit, color=VERDICT_COLORS["slower"], linestyle="--", linewidth=1)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.set_ylim(bottom=0)
        axes.grid(True)
        axes.legend(frameon=False)

    return _svg(draw, 3.0)


def _limits(distributions: Sequence[Sequence[float]]) -> tuple[float, float]:
    low = min(each[0] for each in distributions)
    high = max(each[98] for each in distributions)
    room = 0.05 * (high - low) or 0.1 * high
    return low - room, high + room


def _svg(draw: Callable[[Axes], None], height: float) -> str:
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(_SETTINGS):
        figure: Figure = Figure(figsize=(_WIDTH, height), facecolor=SURFACE, layout="constrained")
        draw(figure.subplots())
        out = io.StringIO()
        metadata = {"Date": None, "Creator": "Edgewright"}
        FigureCanvasSVG(figure).print_svg(out, metadata=metadata)  # type: ignore[no-untyped-call]
    text = out.getvalue()
    return text[text.index("<svg") :]  # without the XML declaration, to stand inside HTML
