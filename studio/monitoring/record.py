"""What monitoring adds to the registry."""

from __future__ import annotations

from pathlib import Path

from studio.jobs import Arguments, Result
from studio.registry import Registry


def monitored(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the last look at a target."""
    options = {
        "target": arguments["target"]["name"],
        "seconds": arguments["seconds"],
        "interval": arguments["interval"],
    }
    digest = result["digest"]
    version = next((one for one in registry.versions() if one.digest == digest), None)
    registry.add_run("monitor", version.variant if version else None, options, result)
    return result
