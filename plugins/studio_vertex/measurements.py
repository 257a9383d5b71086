"""Figures of Cloud Monitoring and lines of Cloud Logging for one endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from studio.api import Measurement
from studio_vertex.cloud import Cloud
from studio_vertex.snapshot import EndpointSnapshot

WINDOW_S = 300
_PREFIX = "aiplatform.googleapis.com/prediction/online"
_PERCENTILES = {"p50": "ALIGN_PERCENTILE_50", "p99": "ALIGN_PERCENTILE_99"}


def measure(cloud: Cloud, history: EndpointSnapshot) -> Measurement:
    """Return Google's metrics of the last minutes, which lag by a minute or two."""
    serving = history.serving
    held = history.of(serving) if serving else None
    counts = {
        name: sum(_values(cloud, f"{name}_count", "ALIGN_DELTA", history))
        for name in ("prediction", "error")
    }
    latency = {
        name: max(found)
        for name, aligner in _PERCENTILES.items()
        if (found := _values(cloud, "prediction_latencies", aligner, history))
    }
    requests = int(counts["prediction"])
    return Measurement(
        serving is not None,
        requests,
        int(counts["error"]),
        requests / WINDOW_S,
        latency,
        float(WINDOW_S),
        held.release if held else "",
    )


def _values(cloud: Cloud, metric: str, aligner: str, history: EndpointSnapshot) -> list[float]:
    """Return one value of each series of the endpoint."""
    if history.endpoint is None:
        return []
    now = datetime.now(UTC)
    labels = f'resource.labels.endpoint_id = "{cloud.address.endpoint}"'
    query = {
        "filter": f'metric.type = "{_PREFIX}/{metric}" AND {labels}',
        "interval.startTime": (now - timedelta(seconds=WINDOW_S)).isoformat(),
        "interval.endTime": now.isoformat(),
        "aggregation.alignmentPeriod": f"{WINDOW_S}s",
        "aggregation.perSeriesAligner": aligner,
    }
    path = f"v3/projects/{cloud.address.project}/timeSeries"
    answer = cloud.call("GET", path, "Asking for figures", service="monitoring", query=query)
    points = [one["points"][0] for one in answer.get("timeSeries") or () if one.get("points")]
    return [_number(point.get("value") or {}) for point in points]


def _number(value: Mapping[str, Any]) -> float:
    return float(value.get("doubleValue") or value.get("int64Value") or 0)


def logs(cloud: Cloud, lines: int) -> Iterator[str]:
    """Return the last lines of the endpoint's containers, the oldest first."""
    address = cloud.address
    kind = 'resource.type="aiplatform.googleapis.com/Endpoint"'
    body = {
        "resourceNames": [f"projects/{address.project}"],
        "filter": f'{kind} AND resource.labels.endpoint_id="{address.endpoint}"',
        "orderBy": "timestamp desc",
        "pageSize": max(1, min(lines, 1000)),
    }
    answer = cloud.call("POST", "v2/entries:list", "Reading the log", body, service="logging")
    return iter([_line(one) for one in reversed(answer.get("entries") or ())])


def _line(entry: Mapping[str, Any]) -> str:
    payload = entry.get("jsonPayload") or {}
    said = entry.get("textPayload") or payload.get("message") or json.dumps(payload)
    return f"{entry.get('timestamp', '')} {said}".strip()
