"""The work of the steps that speak with Prometheus."""

from __future__ import annotations

import json
import math
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from studio.api import Extension, TargetError, UsageError
from studio.jobs import Arguments, Job, Result
from studio.monitoring.alerts.rules import AlertPlan, read_alerts
from studio.monitoring.endpoint.telemetry import series_of
from studio.monitoring.prometheus.exports import EXPRESSIONS, write_exports
from studio.monitoring.views import view_of
from studio.plugin_host import PluginHost
from studio.registry import Registry
from studio.targets.connect import target_of


def with_endpoints(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Add where each target serves, as its last release says."""
    found = {}
    for target in registry.targets():
        for release in registry.releases(target.name):
            endpoint = str(release.details.get("endpoint") or "")
            if release.state == "serving" and endpoint:
                found[target.name] = endpoint
                break
    return {**arguments, "known_endpoints": found}


def export(arguments: Arguments, job: Job) -> Result:
    """Write the files.

    Raises:
        UsageError: for an endpoint or a rule that cannot be used, or when nothing is deployed.
    """
    endpoints = dict(arguments.get("known_endpoints") or {})
    for pair in arguments.get("endpoints") or ():
        name, sign, address = str(pair).partition("=")
        if not sign or ":" not in address:
            raise UsageError(f"An endpoint is NAME=HOST:PORT, not {pair!r}.")
        endpoints[name] = address
    if not endpoints:
        raise UsageError("Nothing is deployed yet.", hint="Give --endpoints NAME=HOST:PORT.")
    plan = AlertPlan()
    if arguments.get("alerts"):
        plugins = [one.id for one in PluginHost.discover().all(Extension.MONITOR)]
        plan = read_alerts(Path(arguments["alerts"]), plugins)
    files = write_exports(
        Path(arguments["out"]),
        endpoints,
        plan,
        float(arguments["interval"]),
        str(arguments["alertmanager"]),
    )
    return {"files": [str(file) for file in files], "endpoints": endpoints}


def read_history(arguments: Arguments, job: Job) -> Result:
    """The series of one figure."""
    spec, metric = target_of(arguments["target"]), str(arguments["metric"])
    now, seconds = time.time(), float(arguments["seconds"])
    if arguments.get("prometheus"):
        found = history(str(arguments["prometheus"]), spec.name, metric, now, seconds)
        return {"target": spec.name, "metric": metric, "series": found, "notes": []}
    view = view_of(spec, job)
    try:
        view.open()
        lines = view.telemetry()
    finally:
        view.close()
    series, notes = series_of(lines, metric)
    kept = {name: [p for p in points if p[0] >= now - seconds] for name, points in series.items()}
    return {"target": spec.name, "metric": metric, "series": kept, "notes": notes}


_TIMEOUT_S = 15.0
_MOST_BYTES = 32 << 20
_POINTS = 300


def history(
    server: str, target: str, metric: str, end: float, seconds: float, step_s: float = 0.0
) -> dict[str, list[list[float]]]:
    """The values of a figure: ``[time, value]`` pairs by instance.

    Args:
        server: The address of Prometheus.
        target: As the exported scrape configuration names it.
        metric: A key of ``exports.EXPRESSIONS``.
        end: Seconds since the epoch.
        step_s: Between two points; 0 for some 300 of them.

    Raises:
        UsageError: for an address or a figure that cannot be.
        TargetError: when Prometheus does not answer, or refuses, in its words.
    """
    if metric not in EXPRESSIONS:
        known = ", ".join(EXPRESSIONS)
        raise UsageError(f"There is no figure {metric!r}.", hint=f"Known: {known}.")
    if not server.startswith(("http://", "https://")):
        raise UsageError(f"{server} is no address of a Prometheus server.")
    step = step_s or max(seconds / _POINTS, 1.0)
    name = target.replace("\\", "\\\\").replace('"', '\\"')
    query = {
        "query": f'({EXPRESSIONS[metric]}) and on (instance) up{{target="{name}"}}',
        "start": f"{end - seconds:.3f}",
        "end": f"{end:.3f}",
        "step": f"{step:.3f}",
    }
    found = _ask(f"{server.rstrip('/')}/api/v1/query_range?{urllib.parse.urlencode(query)}")
    return {
        str(series.get("metric", {}).get("instance") or "all"): [
            [float(at), float(value)]
            for at, value in series.get("values") or ()
            if math.isfinite(float(value))
        ]
        for series in found
    }


def _ask(url: str) -> list[dict[str, Any]]:
    where = url.partition("/api/")[0]
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            document = json.loads(answer.read(_MOST_BYTES))
        result = document["data"]["result"]
    except urllib.error.HTTPError as error:
        with error:
            reason = error.read(2000).decode("utf-8", "replace")
        raise TargetError(f"Prometheus at {where} refuses.", detail=reason) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(getattr(error, "reason", error))
        raise TargetError(f"Prometheus at {where} does not answer: {reason}.") from None
    return list(result)
