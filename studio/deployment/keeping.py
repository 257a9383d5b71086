"""What a machine is asked to do beside answering: compare its answers, keep uncertain requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.api import TargetSpec
from studio.deployment.platforms import is_platform
from studio.deployment.watch_options import KEPT, SAMPLES_MB


def asked(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The options of comparing and keeping, as given; empty where nothing was asked for."""
    if not (arguments.get("keep_samples") or arguments.get("agreement")):
        return {}
    return {option.name: arguments.get(option.name) for option in KEPT}


def why_none_kept(target: TargetSpec) -> str:
    """Why a target can neither keep nor compare requests; empty where it can."""
    if not is_platform(target):
        return ""
    return (
        "Requests can only be kept or compared on a machine that is reached over SSH, or here; "
        f"{target.name} is none."
    )


def sampling(arguments: Mapping[str, Any]) -> dict[str, int] | None:
    """What may be kept of requests: nothing, unless a number is given."""
    most = int(arguments.get("keep_samples") or 0)
    megabytes = float(arguments.get("samples_mb") or SAMPLES_MB)
    return {"most": most, "bytes": int(megabytes * 1e6)} if most else None


def comparing(arguments: Mapping[str, Any]) -> float:
    """Share of a core for comparing answers with the release before; 0: none."""
    return float(arguments.get("agreement") or 0.0) / 100
