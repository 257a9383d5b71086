"""Trials of a release: their rule, why a target supports none, and their result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from studio.api import TakenBack, TargetSpec, UsageError
from studio.deployment.options import KEPT, SAMPLES_MB
from studio.runtime.release.trial.decision import rule_of
from studio.runtime.shared.errors import ReleaseError
from studio.targets.platforms import holds_trials, is_platform

USUAL_S = 1.0
"""Of a soak without a trial, where no other time is given."""
TRIAL_S = 300.0
"""Of a trial, at most, where no other time is given: it ends as soon as it is decided."""


def why_no_trial(target: TargetSpec) -> str:
    """Why a target cannot hold a release against the one before; empty where it can."""
    if not is_platform(target) or holds_trials(target):
        return ""
    return (
        f"{target.name} runs each release in a server of its own, which does not have the one "
        "before and so cannot answer the same requests with both."
    )


def said(soak: Mapping[str, Any]) -> str:
    """What a trial found, in a few words; empty where there was none."""
    if not soak.get("tests"):
        return ""
    found = ", ".join(f"{one['test']} {one['says']}" for one in soak["tests"])
    return f"{soak.get('decision')} after {float(soak.get('seconds') or 0):g} s ({found})"


def error_of_trial(result: Mapping[str, Any]) -> TakenBack:
    """The error of a deploy whose result tells of a release that was worse on trial."""
    evidence = json.dumps(result["soak"], sort_keys=True)
    return TakenBack(result["reason"], hint=result["hint"], detail=evidence)


def trial_s(arguments: Mapping[str, Any], rule: Mapping[str, str] | None) -> float:
    """How long a release is watched at most, in seconds: what was given counts, also a second."""
    given = arguments.get("soak_s")
    if given is not None:
        return float(given)
    return USUAL_S if rule is None else TRIAL_S


def trial_options(target: TargetSpec, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a platform that can hold trials is told of one (see ``api.Site.deploy``)."""
    if not holds_trials(target):
        return {}
    rule = soak_rule(arguments)
    trial = None if rule is None else {"seconds": trial_s(arguments, rule), "rule": rule}
    return {"trial": trial, "agreement": float(arguments.get("agreement") or 0.0) / 100}


def soak_rule(arguments: Mapping[str, Any]) -> dict[str, str] | None:
    """The rule's own values; None where quality is not judged.

    Raises:
        UsageError: for a value that it cannot have, or a name that it does not know.
    """
    given = [str(pair) for pair in arguments.get("soak_rule") or ()]
    if not arguments.get("quality") and not given:
        return None
    rule: dict[str, str] = {}
    for pair in given:
        name, sign, value = pair.partition("=")
        if not sign:
            raise UsageError(f"A soak rule is NAME=VALUE, not {pair!r}.")
        rule[name.strip()] = value.strip()
    try:
        rule_of(rule)
    except ReleaseError as error:
        raise UsageError(error.message, hint=error.hint) from None
    return rule


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
        raise UsageError(why_none_kept(target), hint="Omit --keep-samples.")
    if arguments.get("agreement") and (why_not := why_none_compared(target)):
        raise UsageError(why_not, hint="Omit --shadow-cpu.")
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
