"""Sentences and tables of a profile, for people."""

from __future__ import annotations

from collections.abc import Sequence

from studio.documents.text_table import table
from studio.profiling.history import ProfileComparison, ProfileLine
from studio.profiling.language.texts import tokens
from studio.profiling.operator_times import OperatorTimes
from studio.profiling.results import ProfileResult, ProfileRun, Sustained, ThroughputSetting
from studio.profiling.step import ExportResult
from studio.runtime.bench.facts import Percentiles

_MOST_NODES = 20
"""Most nodes of a run in the text."""

_NAMES = ("model", "runtime", "computes in", "threads")


def profile(result: ProfileResult) -> list[str]:
    """Return a row for each run, then sentences: failures, verdicts, operators, notes."""
    return [
        *_TABLES.get(result.mode, _latency)(result.runs),
        *(f"{run.id}: {run.state}: {run.reason}" for run in result.runs if run.reason),
        *(verdict.text for verdict in result.verdicts),
        *energy(result),
        *(line for times in result.operators for line in _operators(times)),
        *result.notes,
    ]


def energy(result: ProfileResult) -> list[str]:
    """Return a line for each run with a known energy: with interval, rail and rates."""
    about = result.energy
    if about is None or about.state != "measured":
        return []
    sensor = (
        f"{about.source} {about.rail}, asked {about.asked_hz:g} times a second, "
        f"{about.updates_hz:g} new values a second"
    )
    unit = "token" if result.mode == "tokens" else "inference"
    return [
        f"{run.id}: {one.mj:.3g} mJ {'a' if unit == 'token' else 'an'} {unit} net of rest "
        f"({one.low:.3g} to {one.high:.3g}; {sensor}){f'; {one.reason}' if one.reason else ''}."
        for run in result.runs
        if (one := run.energy)
    ]


def _operators(times: OperatorTimes) -> list[str]:
    """Return the slowest nodes of a run, with the rest in a sentence."""
    nodes = times.nodes
    if not nodes:
        return []
    rows = [
        (
            "/".join([*each.within, each.name]),
            each.operator,
            _few(each.fused) or "-",
            f"{each.us:.1f}",
            f"{each.share:.1%}",
        )
        for each in nodes[:_MOST_NODES]
    ]
    head = ("node", "operator", "with it", "us", "share")
    lines = ["", f"{times.run}, time of its operators", *table(head, rows, right="   rr")]
    if len(nodes) > _MOST_NODES:
        share = sum(each.share for each in nodes[_MOST_NODES:])
        rest = len(nodes) - _MOST_NODES
        lines.append(f"{rest:,} more nodes take {share:.1%}; --json lists all of them.")
    return [*lines, ""]


def _few(names: Sequence[str]) -> str:
    """Return the first of several names, and the number of the others."""
    return ", ".join([*names[:1], *([f"{len(names) - 1} more"] if len(names) > 1 else [])])


def _latency(runs: Sequence[ProfileRun]) -> list[str]:
    head = (*_NAMES[:2], "device", "computes in", "threads", "p50 ms", "p90", "p99", "error")
    return table(head, [_row(run) for run in runs], right="    rrrrr")


def _throughput(runs: Sequence[ProfileRun]) -> list[str]:
    head = (*_NAMES, "streams", "batch", "per second", "95 %", "p50 ms", "p99", "cores")
    rows = [
        (*_names(run), str(each.streams), str(each.batch), *_rates(each))
        for run in runs
        if run.throughput
        for each in run.throughput.settings
    ]
    return table(head, rows, right="   rrrrrrrr")


def _rates(setting: ThroughputSetting) -> tuple[str, ...]:
    if setting.per_second is None:
        return (setting.reason or setting.state, "", "", "", "")
    known = setting.low is not None and setting.high is not None
    interval = f"{setting.low:.1f}-{setting.high:.1f}" if known else "-"
    latency = [_milliseconds(time) for time in (setting.latency_ms.p50, setting.latency_ms.p99)]
    return (f"{setting.per_second:.1f}", interval, *latency, f"{setting.cores_used:.2f}")


def _open_loop(runs: Sequence[ProfileRun]) -> list[str]:
    head = (*_NAMES, "phase", "per second", "requests", "late", "p50 ms", "p90", "p99")
    rows = [
        (
            *_names(run),
            each.phase,
            f"{each.rate:.1f}",
            str(each.arrivals),
            str(each.over) + ("+" if each.aborted else ""),
            *_percentiles(each.latency_ms),
        )
        for run in runs
        if run.open_loop
        for each in run.open_loop.trials
    ]
    return table(head, rows, right="   r rrrrrr")


def _sustained(runs: Sequence[ProfileRun]) -> list[str]:
    head = (*_NAMES, "seconds", "start ms", "end ms", "throttled", "hottest C")
    rows = [(*_names(run), *_series(run.sustained)) for run in runs if run.sustained]
    return table(head, rows, right="   rrrrrr")


def _series(load: Sustained) -> tuple[str, ...]:
    heat = load.temperature_max_c
    return (
        f"{load.seconds:.0f}",
        _milliseconds(load.start_ms),
        _milliseconds(load.end_ms),
        f"{load.throttled_share:.0%}",
        "-" if heat is None else f"{heat:.0f}",
    )


_TABLES = {
    "latency": _latency,
    "throughput": _throughput,
    "open-loop": _open_loop,
    "sustained": _sustained,
    "tokens": tokens,
}


def _names(run: ProfileRun) -> tuple[str, str, str, str]:
    threads = str(run.threads or "-")
    return run.model, run.runtime or run.backend, run.precision or "-", threads


def _row(run: ProfileRun) -> tuple[str, ...]:
    model, runtime, precision, threads = _names(run)
    error = run.relative_error
    return (
        model,
        runtime,
        run.device or "-",
        precision,
        threads,
        *_percentiles(run.latency_ms),
        "-" if error is None else f"{error:.1%}" if error >= 0.001 else f"{error:.1g}",
    )


def _percentiles(latency: Percentiles) -> list[str]:
    return [_milliseconds(time) for time in (latency.p50, latency.p90, latency.p99)]


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def export(result: ExportResult) -> list[str]:
    """Return the path of the file that was written."""
    return [f"Written: {result.output}"]


def profiles(lines: Sequence[ProfileLine]) -> list[str]:
    """Return a table of profiles."""
    head = ("run", "at", "target", "mode", "models", "backends", "fastest", "best", "")
    rows = [
        (
            line.run,
            line.at[:16].replace("T", " "),
            line.target,
            line.mode,
            ", ".join(line.models),
            ", ".join(line.backends),
            line.fastest or "-",
            _milliseconds(line.best),
            line.unit,
        )
        for line in lines
    ]
    return table(head, rows, "r      r") if rows else ["No profiles yet."]


def comparison(found: ProfileComparison) -> list[str]:
    """Return a table of the variants in both profiles, then what is different."""
    head = ("run", "before", "after", "ratio", "interval", "verdict", "vs baseline")
    rows = [
        (
            row.id,
            _milliseconds(row.before),
            _milliseconds(row.after),
            _milliseconds(row.ratio),
            "-" if row.low is None or row.high is None else f"{row.low:.3f} to {row.high:.3f}",
            row.verdict,
            _milliseconds(row.relative),
        )
        for row in found.rows
    ]
    lines = table(head, rows, " rrrr r") if rows else []
    for names, when in ((found.only_before, "before"), (found.only_after, "after")):
        if names:
            lines.append(f"Only {when}: {', '.join(names)}")
    lines += [f"{d.key}: {d.before} before, {d.after} after" for d in found.differences]
    return [*lines, *found.notes]
