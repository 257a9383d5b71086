"""``studio profile``: latency, with verdicts that can be trusted."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from studio.cli.session import add_step, run_step
from studio.documents.text_table import table
from studio.workspace import energy_sentences

_MOST_NODES = 20
"""Of a run, in the text."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "profile")


def run(arguments: argparse.Namespace) -> int:
    """Profile and print."""
    return run_step("profile", arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """A row for each run, then sentences: what failed, the verdicts, what makes them doubtful."""
    lines = _TABLES[result.get("mode", "latency")](result["runs"])
    lines += [f"{run['id']}: {run['state']}: {run['reason']}" for run in _failed(result)]
    lines += [str(verdict["text"]) for verdict in result["verdicts"]]
    lines += energy_sentences(result)
    lines += [line for found in result.get("operators") or () for line in _operators(found)]
    return lines + [str(note) for note in result["notes"]]


def _operators(found: Mapping[str, Any]) -> list[str]:
    """The nodes of a run that take longest; the rest in a sentence."""
    nodes = found["nodes"]
    if not nodes:
        return []
    rows = [
        (
            "/".join([*each["within"], each["name"]]),
            each["operator"],
            _few(each["fused"]) or "-",
            f"{each['us']:.1f}",
            f"{each['share']:.1%}",
        )
        for each in nodes[:_MOST_NODES]
    ]
    head = ("node", "operator", "with it", "us", "share")
    lines = ["", f"{found['run']}, time of its operators", *table(head, rows, right="   rr")]
    if len(nodes) > _MOST_NODES:
        share = sum(each["share"] for each in nodes[_MOST_NODES:])
        rest = len(nodes) - _MOST_NODES
        lines.append(f"{rest:,} more nodes take {share:.1%}; --json lists all of them.")
    return [*lines, ""]


def _few(names: Sequence[str]) -> str:
    """The first of several names, and how many more there are."""
    return ", ".join([*names[:1], *([f"{len(names) - 1} more"] if len(names) > 1 else [])])


def _latency(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    head = (*_NAMES[:2], "device", "computes in", "threads", "p50 ms", "p90", "p99", "error")
    return table(head, [_row(run) for run in runs], right="    rrrrr")


def _throughput(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    head = (*_NAMES, "streams", "batch", "per second", "95 %", "p50 ms", "p99", "cores")
    rows = [
        (*_names(run), str(each["streams"]), str(each["batch"]), *_rates(each))
        for run in runs
        for each in (run["throughput"] or {"settings": []})["settings"]
    ]
    return table(head, rows, right="   rrrrrrrr")


def _rates(setting: Mapping[str, Any]) -> tuple[str, ...]:
    if setting["per_second"] is None:
        return (setting["reason"] or setting["state"], "", "", "", "")
    low, high = setting["low"], setting["high"]
    interval = "-" if low is None else f"{low:.1f}-{high:.1f}"
    latency = [_milliseconds(setting["latency_ms"][name]) for name in ("p50", "p99")]
    return (f"{setting['per_second']:.1f}", interval, *latency, f"{setting['cores_used']:.2f}")


def _open_loop(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    head = (*_NAMES, "phase", "per second", "requests", "late", "p50 ms", "p90", "p99")
    rows = [
        (
            *_names(run),
            each["phase"],
            f"{each['rate']:.1f}",
            str(each["arrivals"]),
            str(each["over"]) + ("+" if each["aborted"] else ""),
            *(_milliseconds(each["latency_ms"].get(name)) for name in ("p50", "p90", "p99")),
        )
        for run in runs
        for each in (run["open_loop"] or {"trials": []})["trials"]
    ]
    return table(head, rows, right="   r rrrrrr")


def _sustained(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    head = (*_NAMES, "seconds", "start ms", "end ms", "throttled", "hottest C")
    rows = [(*_names(run), *_series(run["sustained"])) for run in runs if run["sustained"]]
    return table(head, rows, right="   rrrrrr")


def _series(found: Mapping[str, Any]) -> tuple[str, ...]:
    heat = found["temperature_max_c"]
    return (
        f"{found['seconds']:.0f}",
        _milliseconds(found["start_ms"]),
        _milliseconds(found["end_ms"]),
        f"{found['throttled_share']:.0%}",
        "-" if heat is None else f"{heat:.0f}",
    )


_NAMES = ("model", "runtime", "computes in", "threads")


def _names(run: Mapping[str, Any]) -> tuple[str, ...]:
    runtime = str(run.get("runtime") or run["backend"])
    return str(run["model"]), runtime, str(run.get("precision") or "-"), _threads(run)


def _threads(run: Mapping[str, Any]) -> str:
    return str(run.get("threads") or "-")


_TABLES = {
    "latency": _latency,
    "throughput": _throughput,
    "open-loop": _open_loop,
    "sustained": _sustained,
}


def _failed(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [run for run in result["runs"] if run["reason"]]


def _row(run: Mapping[str, Any]) -> tuple[str, ...]:
    latency = run.get("latency_ms") or {}
    error = run.get("relative_error")
    return (
        str(run["model"]),
        str(run.get("runtime") or run["backend"]),
        str(run["device"] or "-"),
        str(run.get("precision") or "-"),
        _threads(run),
        *(_milliseconds(latency.get(name)) for name in ("p50", "p90", "p99")),
        "-" if error is None else f"{error:.1%}" if error >= 0.001 else f"{error:.1g}",
    )


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
