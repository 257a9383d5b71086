"""How the result of a deploy names its release."""

from __future__ import annotations

from studio.api import TargetSpec
from studio.jobs import Result
from studio.packages import Bundle


def release_on(target: TargetSpec, bundle: Bundle) -> Result:
    """The target, and which release of which model in which precision."""
    return {
        "target": target.name,
        "release": bundle.digest,
        "version": bundle.version,
        "name": bundle.name,
        "precision": str(bundle.raw["model"].get("precision") or ""),
    }
