"""What a target does beside answering, as comparing its answers, and what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.api import TargetSpec, UsageError
from studio.deployment.trial import why_no_trial
from studio.deployment.watch_options import KEPT, SAMPLES_MB
from studio.targets.platforms import is_platform


def asked(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The options of comparing and keeping, as given; empty where nothing was asked for."""
    if not (arguments.get("keep_samples") or arguments.get("agreement")):
        return {}
    return {option.name: arguments.get(option.name) for option in KEPT}


def why_none_kept(target: TargetSpec) -> str:
    """Why a target can keep no requests of clients; empty where it can."""
    if not is_platform(target):
        return ""
    return (
        f"{target.name} cannot keep requests: only a machine that is reached over SSH, or this "
        "computer, has a disk from which they can be fetched and deleted."
    )


def why_none_compared(target: TargetSpec) -> str:
    """Why a target cannot go on comparing answers with the release before; empty where it can."""
    why_not = why_no_trial(target)
    return f"No answers are compared: {why_not}" if why_not else ""


def able(target: TargetSpec, wanted: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """What of the options of a deploy a target can do, and why it cannot do the others."""
    found, reasons = dict(wanted), []
    for name, why in (("agreement", why_none_compared), ("keep_samples", why_none_kept)):
        if found.get(name) and (reason := why(target)):
            found[name] = 0
            reasons.append(reason)
    return found, " ".join(reasons)


def check_platform_can(target: TargetSpec, arguments: Mapping[str, Any]) -> None:
    """Refuse what a platform cannot do with requests, before anything is made for it.

    Raises:
        UsageError: with what to use there instead.
    """
    if not is_platform(target):
        return
    if arguments.get("keep_samples"):
        raise UsageError(why_none_kept(target), hint="Leave out --keep-samples.")
    if arguments.get("agreement") and (why_not := why_none_compared(target)):
        raise UsageError(why_not, hint="Leave out --agreement.")
    on_trial = arguments.get("quality") or arguments.get("soak_rule")
    if on_trial and (why_not := why_no_trial(target)):
        raise UsageError(f"There is no quality trial: {why_not}", hint=_INSTEAD)


_INSTEAD = (
    "Use --canary PERCENT, which gives the new release a part of the requests, or studio rollout, "
    "which asks golden samples before and after."
)


def sampling(arguments: Mapping[str, Any]) -> dict[str, int] | None:
    """What may be kept of requests: nothing, unless a number is given."""
    most = int(arguments.get("keep_samples") or 0)
    megabytes = float(arguments.get("samples_mb") or SAMPLES_MB)
    return {"most": most, "bytes": int(megabytes * 1e6)} if most else None


def comparing(arguments: Mapping[str, Any]) -> float:
    """Share of a core for comparing answers with the release before; 0: none."""
    return float(arguments.get("agreement") or 0.0) / 100
