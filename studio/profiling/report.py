"""A profile as figures and tables for the one-file report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.profiling import chart


def latency_figure(run: Mapping[str, Any]) -> str:
    """The latencies of every measured variant, as an SVG element; empty when there are none.

    Args:
        run: The result of ``studio profile``.
    """
    shown = [each for each in run["runs"] if each.get("distribution")]
    return chart.distributions(shown) if shown else ""


def interval_figure(run: Mapping[str, Any]) -> str:
    """The ratios with their intervals, as an SVG element; empty when nothing was compared."""
    shown = [each for each in run["verdicts"] if each["low"] is not None]
    return chart.intervals(shown) if shown else ""


def tradeoff_figure(run: Mapping[str, Any]) -> str:
    """Accuracy against latency with sizes; empty while fewer than two variants have both."""
    quality = run.get("quality") or {}
    points = []
    for each in run["runs"]:
        variant = str(each.get("variant_id") or "")
        value, middle = (quality.get("values") or {}).get(variant), _median(each)
        if value is not None and middle is not None:
            points.append((str(each["id"]), middle, value, (run.get("sizes") or {}).get(variant)))
    return chart.tradeoff(points, str(quality.get("title") or "")) if len(points) > 1 else ""


def throughput_figure(run: Mapping[str, Any]) -> str:
    """Samples a second by setting; empty in other modes."""
    found = {
        str(each["id"]): [
            (f"{one['streams']} × {one['batch']}", one["per_second"], one["low"], one["high"])
            for one in each["throughput"]["settings"]
            if one["state"] == "measured"
        ]
        for each in run["runs"]
        if each.get("throughput")
    }
    return chart.settings(found) if any(found.values()) else ""


def open_loop_figure(run: Mapping[str, Any]) -> str:
    """p50 and p99 against the rate of requests; empty in other modes."""
    lines, limit = {}, None
    for each in run["runs"]:
        found = each.get("open_loop")
        if found:
            limit = found["limit_ms"]
            for key in ("p50", "p99"):
                points = sorted(
                    (trial["rate"], trial["latency_ms"][key])
                    for trial in found["trials"]
                    if (trial.get("latency_ms") or {}).get(key) is not None
                )
                lines[f"{each['id']} {key}"] = points
    words = ("Requests a second", "Latency from the time they were due (ms)")
    return chart.lines(lines, *words, limit) if any(lines.values()) else ""


def sustained_figure(run: Mapping[str, Any]) -> str:
    """The median over the minutes; empty in other modes."""
    lines = {
        str(each["id"]): [(point["t_s"], point["p50_ms"]) for point in each["sustained"]["series"]]
        for each in run["runs"]
        if each.get("sustained")
    }
    return chart.lines(lines, "Seconds", "p50 (ms)") if any(lines.values()) else ""


def _median(run: Mapping[str, Any]) -> float | None:
    return (run.get("latency_ms") or {}).get("p50")


def verdict_table(run: Mapping[str, Any]) -> list[dict[str, str]]:
    """A row for each comparison, in words and with readable numbers."""
    return [
        {
            "reference": str(each["a"]),
            "variant": str(each["b"]),
            "verdict": str(each["verdict"]),
            "ratio": _number(each["ratio"]),
            "interval": _interval(each),
            "margin": f"{each['margin']:.1%}",
            "text": str(each["text"]),
        }
        for each in run["verdicts"]
    ]


def run_table(run: Mapping[str, Any]) -> list[dict[str, str]]:
    """A row for each variant on a backend."""
    return [
        {
            "variant": str(each["id"]),
            "backend": " ".join(filter(None, (each["backend"], each.get("version")))),
            "device": str(each.get("device") or "-"),
            "precision": str(each.get("precision") or "-"),
            "threads": str(each.get("threads") or "-"),
            "samples": str(each["samples"]),
            **{name: _number(value, " ms") for name, value in each["latency_ms"].items()},
            "first": _number(each.get("first_ms"), " ms"),
            "memory": _number(each.get("memory_mb"), " MB"),
            "error": _number(each.get("relative_error")),
            "state": ": ".join(filter(None, (each["state"], each["reason"]))),
        }
        for each in run["runs"]
    ]


def _number(value: float | None, unit: str = "") -> str:
    return "-" if value is None else f"{value:.3g}{unit}"


def _interval(verdict: Mapping[str, Any]) -> str:
    if verdict["low"] is None:
        return "-"
    return f"{verdict['low']:.3f} to {verdict['high']:.3f}"
