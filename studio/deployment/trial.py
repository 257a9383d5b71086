"""Quality trials: the rule as it is given, where none can be held, and what one has found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from studio.api import TakenBack, TargetSpec, UsageError
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
