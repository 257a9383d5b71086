"""Quality trials: the rule as it is given, where none can be held, and what one has found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.api import TargetSpec, UsageError
from studio.deployment.platforms import holds_trials, is_platform
from studio.runtime.release.errors import ReleaseError
from studio.runtime.release.quality import rule_of

USUAL_S = 1.0
"""The soak's own default: nothing can be decided in it."""
TRIAL_S = 300.0
"""At most, where no other time is given: a trial ends as soon as it is decided."""


def why_no_trial(target: TargetSpec) -> str:
    """Why a target cannot hold a release against the one before; empty where it can."""
    if not is_platform(target) or holds_trials(target):
        return ""
    return (
        f"{target.name} runs each release in a server of its own, which does not have the one "
        "before and so cannot answer the same requests with both."
    )


def why_no_samples(target: TargetSpec) -> str:
    """Why a target can keep no requests of clients; empty where it can."""
    if not is_platform(target):
        return ""
    return (
        f"{target.name} cannot keep requests: only a machine that is reached over SSH, or this "
        "computer, has a disk from which they can be fetched and deleted."
    )


def check_platform_can(target: TargetSpec, arguments: Mapping[str, Any]) -> None:
    """Refuse what a platform cannot do with requests, before anything is made for it.

    Raises:
        UsageError: with what to use there instead.
    """
    if not is_platform(target):
        return
    if arguments.get("keep_samples"):
        raise UsageError(why_no_samples(target), hint="Leave out --keep-samples.")
    why_not = why_no_trial(target)
    if why_not and arguments.get("agreement"):
        raise UsageError(f"No answers are compared: {why_not}", hint="Leave out --agreement.")
    if why_not and (arguments.get("quality") or arguments.get("soak_rule")):
        raise UsageError(f"There is no quality trial: {why_not}", hint=_INSTEAD)


_INSTEAD = (
    "Use --canary PERCENT, which gives the new release a part of the requests, or studio rollout, "
    "which asks golden samples before and after."
)


def said(soak: Mapping[str, Any]) -> str:
    """What a trial found, in a few words; empty where there was none."""
    if not soak.get("tests"):
        return ""
    found = ", ".join(f"{one['test']} {one['says']}" for one in soak["tests"])
    return f"{soak.get('decision')} after {float(soak.get('seconds') or 0):g} s ({found})"


def trial_s(arguments: Mapping[str, Any], rule: Mapping[str, str] | None) -> float:
    """How long a release is watched at most, in seconds."""
    given = float(arguments.get("soak_s") or 0.0)
    return TRIAL_S if rule is not None and given == USUAL_S else given


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
