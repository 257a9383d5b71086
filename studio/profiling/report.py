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
            "error": _number(each.get("max_error")),
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
