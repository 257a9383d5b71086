"""The view of a run in modes other than latency: two columns of the table, and a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from studio.gui import figures
from studio.gui.charts.chart import Drawing
from studio.gui.charts.lines import TOKENS, Lines, Series
from studio.gui.charts.settings import Rate, Settings
from studio.profiling.results import (
    OpenLoop,
    PointMessage,
    ProfileResult,
    ProfileRun,
    SettingMessage,
    Sustained,
    Throughput,
    ThroughputSetting,
    Trial,
    TrialMessage,
)

LATENCY = "latency"
TOKENS_MODE = "tokens"
_WHOLE = 1000  # from here on the decimals carry no information
OPTIONS = {
    LATENCY: ("seconds",),
    "throughput": ("seconds", "streams", "batch"),
    "open-loop": ("seconds", "p99_limit_ms", "streams"),
    "sustained": ("minutes", "streams"),
    TOKENS_MODE: ("seconds", "streams", "prompt_tokens", "answer_tokens", "contexts"),
}
"""The options that mean something in each mode, of those that depend on it."""

HEADINGS = {
    LATENCY: ("p50 ms", "p90 ms"),
    "throughput": ("max. samples/s", "streams × batch"),
    "open-loop": ("max. requests/s", "limit ms"),
    "sustained": ("first ms", "last ms"),
    TOKENS_MODE: ("tokens/s", "first token ms"),
}
"""The headings of the two columns that depend on the mode."""

CARDS = {
    LATENCY: "Distribution",
    "throughput": "Throughput by setting",
    "open-loop": "Latency vs rate",
    "sustained": "Latency over time",
    TOKENS_MODE: "Tokens by streams",
}


def mode_of(result: ProfileResult) -> str:
    """Return the mode of a result; one that a later studio added is shown as latency."""
    return result.mode if result.mode in HEADINGS else LATENCY


def columns(mode: str, run: ProfileRun) -> tuple[str, str]:
    """Return the texts of the two columns."""
    if mode == "throughput":
        best = run.throughput.best if run.throughput else None
        if best is None:
            return figures.NOTHING, figures.NOTHING
        return amount(best.per_second), f"{best.streams} × {best.batch}"
    if mode == "open-loop":
        found = run.open_loop or OpenLoop()
        return amount(found.rate_per_second), amount(found.limit_ms)
    if mode == "sustained":
        ends = run.sustained or Sustained()
        return figures.milliseconds(ends.start_ms), figures.milliseconds(ends.end_ms)
    if mode == TOKENS_MODE:
        return _tokens(run)
    return figures.milliseconds(run.latency_ms.p50), figures.milliseconds(run.latency_ms.p90)


def _tokens(run: ProfileRun) -> tuple[str, str]:
    """Return tokens a second of one stream, and its time to the first token."""
    settings = run.tokens.settings if run.tokens else ()
    if settings:
        return amount(settings[0].per_second), figures.milliseconds(settings[0].first_ms.p50)
    each = run.latency_ms.p50
    return amount(1000 / each if each else None), figures.NOTHING


def drawing(result: ProfileResult, names: Mapping[str, str]) -> Drawing | None:
    """Return the chart of the mode; None for latency, and before anything is known.

    Args:
        names: What each run is called in a chart, by its key.
    """
    make = {
        "throughput": _settings,
        "open-loop": _rates,
        "sustained": _minutes,
        TOKENS_MODE: _streams,
    }.get(mode_of(result))
    return make(result, names) if make is not None else None


def _settings(result: ProfileResult, names: Mapping[str, str]) -> Drawing | None:
    runs = []
    for number, run in enumerate(result.runs):
        rates = tuple(
            Rate(f"{one.streams} × {one.batch}", rate, one.low or rate, one.high or rate)
            for one in (run.throughput.settings if run.throughput else ())
            if (rate := one.per_second)
        )
        if rates:
            runs.append((names.get(run.id, run.id), _token(number), rates))
    return Settings(tuple(runs), "streams × batch", "samples/s") if runs else None


def _streams(result: ProfileResult, names: Mapping[str, str]) -> Drawing | None:
    runs = []
    for number, run in enumerate(result.runs):
        rates = tuple(
            Rate(str(one.streams), rate, one.low or rate, one.high or rate)
            for one in (run.tokens.settings if run.tokens else ())
            if (rate := one.per_second)
        )
        if rates:
            runs.append((names.get(run.id, run.id), _token(number), rates))
    return Settings(tuple(runs), "streams", "tokens/s of all streams") if runs else None


def _rates(result: ProfileResult, names: Mapping[str, str]) -> Drawing | None:
    series, limit, rate = [], None, None
    for number, run in enumerate(result.runs):
        found = run.open_loop or OpenLoop()
        limit = found.limit_ms or limit
        if number == 0:
            rate = found.rate_per_second
        for key, dashed in (("p99", False), ("p90", True)):
            points = _by_rate(found.trials, key)
            if points:
                name = f"{names.get(run.id, run.id)} {key}"
                series.append(Series(name, tuple(points), _token(number), dashed))
    if not series:
        return None
    title = "latency from the scheduled time, ms"
    return Lines(tuple(series), "requests/s", title, limit, rate)


def _by_rate(trials: Sequence[Trial], key: str) -> list[tuple[float, float]]:
    """Return a percentile by rate; of several trials of one rate that with the most requests."""
    best: dict[float, tuple[int, float]] = {}
    for trial in trials:
        value = getattr(trial.latency_ms, key)
        if value is not None and trial.arrivals >= best.get(trial.rate, (0, 0.0))[0]:
            best[trial.rate] = (trial.arrivals, value)
    return [(rate, best[rate][1]) for rate in sorted(best)]


def sentence(result: ProfileResult, run: ProfileRun | None) -> str:
    """Return a mode's sentence on one run without a comparison; may be empty."""
    if run is None:
        return ""
    parts = (
        run.open_loop.reason if run.open_loop else "",
        run.sustained.drift.text if run.sustained else "",
        *(note for note in result.notes if note.startswith(run.id)),
    )
    return next((part for part in parts if part), "")


def _minutes(result: ProfileResult, names: Mapping[str, str]) -> Drawing | None:
    series, marked = [], []
    for number, run in enumerate(result.runs):
        points = run.sustained.series if run.sustained else ()
        if not points:
            continue
        line = tuple((point.t_s, point.p50_ms) for point in points)
        series.append(Series(names.get(run.id, run.id), line, _token(number)))
        step = points[0].t_s
        marked += [(p.t_s - step, p.t_s) for p in points if "throttled" in p.spoiled]
    if not series:
        return None
    return Lines(
        tuple(series), "seconds", "p50 latency, ms", marked=tuple(marked), wrong="throttled"
    )


Message = SettingMessage | TrialMessage | PointMessage
MESSAGES: Mapping[str, type[Message]] = {
    "setting": SettingMessage,
    "trial": TrialMessage,
    "point": PointMessage,
}
"""What a running job tells of a mode, by the message's name."""


def add_message(result: ProfileResult, message: Message) -> ProfileResult:
    """Return a running job's result with a setting, a trial or a point that it reported."""
    runs = (_with(run, message) if run.id == message.id else run for run in result.runs)
    return replace(result, runs=tuple(runs))


def _with(run: ProfileRun, message: Message) -> ProfileRun:
    if isinstance(message, SettingMessage):
        setting = ThroughputSetting(message.streams, message.batch, per_second=message.per_second)
        tried = run.throughput or Throughput()
        return replace(run, throughput=replace(tried, settings=(*tried.settings, setting)))
    if isinstance(message, TrialMessage):
        found = run.open_loop or OpenLoop()
        return replace(run, open_loop=replace(found, trials=(*found.trials, message)))
    sustained = run.sustained or Sustained()
    return replace(run, sustained=replace(sustained, series=(*sustained.series, message)))


def _token(number: int) -> str:
    return TOKENS[number % len(TOKENS)]


def amount(value: float | None) -> str:
    """Return a figure with four digits, or without fraction where it is large."""
    known = figures.number(value)
    if known is None:
        return figures.NOTHING
    return f"{known:,.0f}" if abs(known) >= _WHOLE else f"{known:.4g}"
