"""Figures of Azure Monitor for one endpoint."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from studio.api import Measurement
from studio_azureml.cloud import METRICS, Cloud
from studio_azureml.snapshot import EndpointSnapshot

WINDOW_S = 300
_LATENCIES = ("p50", "p90", "p99")


def measure(cloud: Cloud, history: EndpointSnapshot) -> Measurement:
    """Return Azure's metrics of the last minutes, which lag by a minute or two."""
    held = history.of(history.serving)
    counted = _series(cloud, "RequestsPerMinute", "Total", "statusCodeClass eq '*'")
    requests = int(sum(value for _, value in counted))
    errors = int(sum(value for kind, value in counted if kind in ("4xx", "5xx")))
    latency: dict[str, float] = {}
    for name in _LATENCIES:
        found = _series(cloud, f"RequestLatency_{name.upper()}", "Average", "")
        if found:
            latency[name] = max(value for _, value in found)
    serving = history.serving is not None
    release = held.release if held else ""
    rate = requests / WINDOW_S
    return Measurement(serving, requests, errors, rate, latency, float(WINDOW_S), release)


def _series(cloud: Cloud, metric: str, kind: str, split: str) -> list[tuple[str, float]]:
    """Return the values of a metric, each with the value of its one dimension."""
    now = datetime.now(UTC)
    begin = now - timedelta(seconds=WINDOW_S)
    query = {
        "metricnames": metric,
        "aggregation": kind,
        "interval": "PT1M",
        "timespan": f"{begin:%Y-%m-%dT%H:%M:%SZ}/{now:%Y-%m-%dT%H:%M:%SZ}",
        **({"$filter": split} if split else {}),
    }
    path = f"{cloud.address.name}/providers/Microsoft.Insights/metrics"
    answer = cloud.call("GET", path, "Asking for figures", version=METRICS, query=query)
    found: list[tuple[str, float]] = []
    for series in (one for value in answer.get("value") or () for one in value["timeseries"]):
        names: list[Any] = series.get("metadatavalues") or [{}]
        points = [p[kind.lower()] for p in series.get("data") or () if kind.lower() in p]
        found += [(str(names[0].get("value") or ""), float(point)) for point in points]
    return found
