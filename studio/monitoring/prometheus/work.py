"""The work of the steps for Prometheus."""

from __future__ import annotations

import json
import math
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import closing
from dataclasses import replace

from studio.api import Extension, TargetError, UsageError
from studio.documents.dataclass_json import from_json
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.monitoring.alerts.rules import AlertPlan, read_alerts
from studio.monitoring.endpoint.telemetry import series_of
from studio.monitoring.prometheus.exports import EXPRESSIONS, write_exports
from studio.monitoring.prometheus.step import ExportOptions, HistoryOptions
from studio.monitoring.results import ExportResult, HistoryResult
from studio.monitoring.views import view_of
from studio.plugin_host import PluginHost
from studio.registry import Registry


def with_endpoints(registry: Registry, options: ExportOptions) -> ExportOptions:
    """Add the endpoint of each target from its last release."""
    found = {}
    for target in registry.targets():
        for release in registry.releases(target.name):
            endpoint = str(release.details.get("endpoint") or "")
            if release.state == "serving" and endpoint:
                found[target.name] = endpoint
                break
    return replace(options, known_endpoints=found)


def export(options: ExportOptions, job: Job) -> ExportResult:
    """Write the files for Prometheus.

    Raises:
        UsageError: for an endpoint or a rule that cannot be used, or when nothing is deployed.
    """
    endpoints = dict(options.known_endpoints)
    for pair in options.endpoints:
        name, sign, address = pair.partition("=")
        if not sign or ":" not in address:
            raise UsageError(f"An endpoint is NAME=HOST:PORT, not {pair!r}.")
        endpoints[name] = address
    if not endpoints:
        raise UsageError(
            "Nothing is deployed yet.", hint="Deploy a model, or pass --endpoints NAME=HOST:PORT."
        )
    plan = AlertPlan()
    if options.alerts:
        plugins = [one.id for one in PluginHost.discover().all(Extension.MONITOR)]
        plan = read_alerts(options.alerts, plugins)
    files = write_exports(options.out, endpoints, plan, options.interval, options.alertmanager)
    return ExportResult(tuple(map(str, files)), endpoints)


def read_history(options: HistoryOptions, job: Job) -> HistoryResult:
    """Return the series of one metric."""
    target, metric, now, seconds = options.target, options.metric, time.time(), options.seconds
    if options.prometheus:
        found = history(options.prometheus, target.name, metric, now, seconds)
        return HistoryResult(target.name, metric, found, ())
    with closing(view_of(target, job)) as view:
        view.open()
        lines = view.telemetry()
    series, notes = series_of(lines, metric)
    kept = {name: [p for p in points if p[0] >= now - seconds] for name, points in series.items()}
    return HistoryResult(target.name, metric, kept, tuple(notes))


_TIMEOUT_S = 15.0
_MOST_BYTES = 32 << 20
_POINTS = 300


def history(
    server: str, target: str, metric: str, end: float, seconds: float, step_s: float = 0.0
) -> dict[str, list[list[float]]]:
    """Query the values of a metric: ``[time, value]`` pairs by instance.

    Args:
        server: The address of Prometheus.
        target: Name in the exported scrape configuration.
        metric: A key of ``exports.EXPRESSIONS``.
        end: Seconds since the epoch.
        step_s: Interval between two points; 0 for about 300 points.

    Raises:
        UsageError: for an invalid address or an unknown metric.
        TargetError: when Prometheus does not answer, or refuses, with its message.
    """
    if metric not in EXPRESSIONS:
        known = ", ".join(EXPRESSIONS)
        raise UsageError(f"Unknown metric {metric!r}.", hint=f"Known: {known}.")
    if not server.startswith(("http://", "https://")):
        raise UsageError(f"Invalid address of a Prometheus server: {server}.")
    step = step_s or max(seconds / _POINTS, 1.0)
    # Quotes and backslashes in a name must not end the label's value in PromQL.
    name = target.replace("\\", "\\\\").replace('"', '\\"')
    query = {
        "query": f'({EXPRESSIONS[metric]}) and on (instance) up{{target="{name}"}}',
        "start": f"{end - seconds:.3f}",
        "end": f"{end:.3f}",
        "step": f"{step:.3f}",
    }
    found = _query(f"{server.rstrip('/')}/api/v1/query_range?{urllib.parse.urlencode(query)}")
    return {
        series.metric.instance or "all": [
            [float(at), float(value)] for at, value in series.values if math.isfinite(float(value))
        ]
        for series in found
    }


@dataclass(frozen=True, slots=True)
class _Instance:
    """The label that identifies a series."""

    instance: str = ""


@dataclass(frozen=True, slots=True)
class _Series:
    """The values of an instance: times, and numbers as texts."""

    metric: _Instance = _Instance()
    values: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Data:
    """The data of an answer, without its status."""

    result: tuple[_Series, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer of Prometheus to a range query."""

    data: _Data


def _query(url: str) -> tuple[_Series, ...]:
    where = url.partition("/api/")[0]
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            return from_json(_Answer, json.loads(answer.read(_MOST_BYTES))).data.result
    except urllib.error.HTTPError as error:
        with error:
            reason = error.read(2000).decode("utf-8", "replace")
        raise TargetError(f"Prometheus at {where} refused the query.", detail=reason) from None
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "reason", error))
        raise TargetError(f"Prometheus at {where} does not answer: {reason}.") from None
