"""The work of the steps that speak with Prometheus."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from studio.api import Extension, UsageError
from studio.jobs import Arguments, Job, Result
from studio.monitoring.alerts.rules import AlertPlan, read_alerts
from studio.monitoring.endpoint.telemetry import series_of
from studio.monitoring.prometheus.exports import write_exports
from studio.monitoring.prometheus.history import history
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
