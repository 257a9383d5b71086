"""The autoscale setting of one deployment, in the words of Azure Monitor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def autoscale(
    path: str, location: str, least: int, most: int, load: int, tags: Mapping[str, str]
) -> dict[str, Any]:
    """One more instance above a load of the processor in percent, one less below half of it."""
    capacity = {"minimum": str(least), "maximum": str(most), "default": str(least)}
    rules = [
        _rule(path, "GreaterThan", load, "Increase"),
        _rule(path, "LessThan", load // 2, "Decrease"),
    ]
    profile = {"name": "load", "capacity": capacity, "rules": rules}
    properties = {"enabled": True, "targetResourceUri": path, "profiles": [profile]}
    return {"location": location, "tags": dict(tags), "properties": properties}


def _rule(path: str, operator: str, threshold: int, direction: str) -> dict[str, Any]:
    trigger = {
        "metricName": "CpuUtilizationPercentage",
        "metricResourceUri": path,
        "timeGrain": "PT1M",
        "statistic": "Average",
        "timeWindow": "PT5M",
        "timeAggregation": "Average",
        "operator": operator,
        "threshold": threshold,
    }
    action = {"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": "PT5M"}
    return {"metricTrigger": trigger, "scaleAction": action}
