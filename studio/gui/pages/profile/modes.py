"""What the modes beside latency show of a run: two columns of the table, and a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.gui import figures
from studio.gui.charts.chart import Drawing
from studio.gui.charts.lines import TOKENS, Lines, Series
from studio.gui.charts.settings import Rate, Settings

Json = Mapping[str, Any]

LATENCY = "latency"
_WHOLE = 1000  # from here on nobody reads what is behind the point
OPTIONS = {
    LATENCY: ("seconds",),
    "throughput": ("seconds", "streams", "batch"),
    "open-loop": ("seconds", "limit", "streams"),
    "sustained": ("minutes", "streams"),
}
"""The options that mean something in each mode, of those that depend on it."""

HEADINGS = {
    LATENCY: ("p50 ms", "p90 ms"),
    "throughput": ("max. samples/s", "streams × batch"),
    "open-loop": ("max. requests/s", "limit ms"),
    "sustained": ("first ms", "last ms"),
}
"""The headings of the two columns that depend on the mode."""

CARDS = {
    LATENCY: "Distribution",
    "throughput": "Throughput by setting",
    "open-loop": "Latency vs rate",
    "sustained": "Latency over time",
}


def mode_of(result: Json) -> str:
    """The mode of a result; what was measured before there were modes is latency."""
    mode = str(result.get("mode") or LATENCY)
    return mode if mode in HEADINGS else LATENCY


def columns(mode: str, run: Json) -> tuple[str, str]:
    """The texts of the two columns."""
    if mode == "throughput":
        best = (run.get("throughput") or {}).get("best") or {}
        setting = f"{best['streams']} × {best['batch']}" if best else figures.NOTHING
        return amount(best.get("per_second")), setting
    if mode == "open-loop":
        found = run.get("open_loop") or {}
        return amount(found.get("rate_per_second")), amount(found.get("limit_ms"))
    if mode == "sustained":
        found = run.get("sustained") or {}
        return tuple(figures.milliseconds(found.get(key)) for key in ("start_ms", "end_ms"))  # type: ignore[return-value]
    latency = run.get("latency_ms") or {}
    return figures.milliseconds(latency.get("p50")), figures.milliseconds(latency.get("p90"))


def drawing(result: Json, names: Mapping[str, str]) -> Drawing | None:
    """The chart of the mode; None for latency, and before anything is known.

    Args:
        names: What each run is called in a chart, by its key.
    """
    make = {"throughput": _settings, "open-loop": _rates, "sustained": _minutes}.get(
        mode_of(result)
    )
    return make(result, names) if make is not None else None


def _settings(result: Json, names: Mapping[str, str]) -> Drawing | None:
    runs = []
    for number, run in enumerate(result.get("runs") or ()):
        settings = (run.get("throughput") or {}).get("settings") or ()
        rates = tuple(
            Rate(
                f"{one['streams']} × {one['batch']}",
                one["per_second"],
                one["low"] if one.get("low") is not None else one["per_second"],
                one["high"] if one.get("high") is not None else one["per_second"],
            )
            for one in settings
            if one.get("per_second")
        )
        if rates:
            runs.append((names.get(str(run["id"]), str(run["id"])), _token(number), rates))
    return Settings(tuple(runs), "streams × batch", "samples/s") if runs else None


def _rates(result: Json, names: Mapping[str, str]) -> Drawing | None:
    series, limit, rate = [], None, None
    for number, run in enumerate(result.get("runs") or ()):
        found = run.get("open_loop") or {}
        limit = figures.number(found.get("limit_ms")) or limit
        if number == 0:
            rate = figures.number(found.get("rate_per_second"))
        for key, dashed in (("p99", False), ("p90", True)):
            points = _by_rate(found.get("trials") or (), key)
            if points:
                name = f"{names.get(str(run['id']), str(run['id']))} {key}"
                series.append(Series(name, tuple(points), _token(number), dashed))
    if not series:
        return None
    title = "latency from the scheduled time, ms"
    return Lines(tuple(series), "requests/s", title, limit, rate)


def _by_rate(trials: Sequence[Json], key: str) -> list[tuple[float, float]]:
    """A percentile by rate; of several trials of one rate that with the most requests."""
    best: dict[float, tuple[int, float]] = {}
    for trial in trials:
        value = (trial.get("latency_ms") or {}).get(key)
        count = int(trial.get("arrivals") or 0)
        if value is not None and count >= best.get(trial["rate"], (0, 0.0))[0]:
            best[trial["rate"]] = (count, value)
    return [(rate, best[rate][1]) for rate in sorted(best)]


def sentence(result: Json, run: Json) -> str:
    """What a mode says of one run, where nothing was compared; empty where it says nothing."""
    parts = (
        (run.get("open_loop") or {}).get("reason"),
        ((run.get("sustained") or {}).get("drift") or {}).get("text"),
        *(note for note in result.get("notes") or () if str(note).startswith(str(run.get("id")))),
    )
    return next((str(part) for part in parts if part), "")


def _minutes(result: Json, names: Mapping[str, str]) -> Drawing | None:
    series, marked = [], []
    for number, run in enumerate(result.get("runs") or ()):
        points = (run.get("sustained") or {}).get("series") or ()
        line = [(p["t_s"], p["p50_ms"]) for p in points if p.get("p50_ms") is not None]
        if line:
            name = names.get(str(run["id"]), str(run["id"]))
            series.append(Series(name, tuple(line), _token(number)))
        step = points[0]["t_s"] if points else 0.0
        marked += [(p["t_s"] - step, p["t_s"]) for p in points if "throttled" in p["spoiled"]]
    if not series:
        return None
    return Lines(
        tuple(series), "seconds", "p50 latency, ms", marked=tuple(marked), wrong="throttled"
    )


def add_message(result: Json, name: str, values: Json) -> dict[str, Any]:
    """A running job's result with a setting, a trial or a point that it tells."""
    place = {
        "setting": ("throughput", "settings"),
        "trial": ("open_loop", "trials"),
        "point": ("sustained", "series"),
    }[name]
    rows = {key: value for key, value in values.items() if key != "id"}
    runs = [dict(run) for run in result.get("runs") or ()]
    for run in runs:
        if run.get("id") == values.get("id"):
            part = dict(run.get(place[0]) or {})
            part[place[1]] = [*part.get(place[1], ()), rows]
            run[place[0]] = part
    return {**result, "runs": runs}


def _token(number: int) -> str:
    return TOKENS[number % len(TOKENS)]


def amount(value: Any) -> str:
    """A figure with four digits, or without fraction where it is large."""
    known = figures.number(value)
    if known is None:
        return figures.NOTHING
    return f"{known:,.0f}" if abs(known) >= _WHOLE else f"{known:.4g}"
