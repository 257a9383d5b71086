"""Registry records of monitoring."""

from __future__ import annotations

from pathlib import Path

from studio.documents.dataclass_json import JsonValue, to_json
from studio.monitoring.results import TargetSample
from studio.monitoring.step import MonitorOptions
from studio.registry import Registry
from studio.settings import full_path


def monitored(
    registry: Registry, options: MonitorOptions, result: TargetSample, folder: Path
) -> TargetSample:
    """Store the last sample of a target."""
    given: dict[str, JsonValue] = {
        "target": options.target.name,
        "seconds": options.seconds,
        "interval": options.interval,
    }
    if options.alerts is not None:  # evidence reads which rules were watched
        given["alerts"] = str(full_path(options.alerts))
    version = next((one for one in registry.versions() if one.digest == result.digest), None)
    registry.add_run("monitor", version.variant if version else None, given, to_json(result))
    return result
