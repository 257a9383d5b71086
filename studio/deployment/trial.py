"""Trials of a release: their rule, why a target supports none, and their result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from studio.api import TakenBack, TargetSpec, UsageError
from studio.deployment.admission import PreflightCheck
from studio.deployment.bundle_facts import facts_of
from studio.deployment.decisions.record_options import why_none_recorded
from studio.deployment.options import SAMPLES_MB, DeployOptions, KeptOptions, TrialOptions
from studio.deployment.results import DeployResult, TrialEvidence
from studio.documents.dataclass_json import JsonValue, read_parts
from studio.lazy_dataclass import dataclass
from studio.packages import Bundle
from studio.runtime.release.trial.decision import (
    GOLDEN,
    LONGEST,
    TAKE_BACK,
    TrialDecision,
    rule_of,
)
from studio.runtime.shared.errors import ReleaseError
from studio.targets.inventory import Inventory
from studio.targets.platforms import holds_trials, is_platform

KeptT = TypeVar("KeptT", bound=KeptOptions)

USUAL_S = 1.0
"""Default length of a soak without a trial."""
TRIAL_S = 300.0
"""Default limit of a trial, which ends as soon as it is decided."""


def why_no_trial(target: TargetSpec) -> str:
    """Return why a target cannot compare a release with the previous one; empty if it can."""
    if not is_platform(target) or holds_trials(target):
        return ""
    return (
        f"{target.name} runs each release in a separate server, so live requests "
        "cannot be compared with the previous release."
    )


def summary_of_trial(soak: Mapping[str, JsonValue]) -> str:
    """Summarize the findings of a trial; empty without one."""
    evidence = read_parts(TrialEvidence, soak)
    if not evidence.tests:
        return ""
    findings = ", ".join(f"{one.test} {one.says}" for one in evidence.tests)
    return f"{evidence.decision} after {evidence.seconds or 0:g} s ({findings})"


def error_of_trial(result: DeployResult) -> TakenBack:
    """Return the error for a result whose release failed its trial."""
    evidence = json.dumps(result.soak, sort_keys=True)
    return TakenBack(result.reason or "", hint=result.hint, detail=evidence)


def trial_s(soak_s: float | None, rule: Mapping[str, str] | None) -> float:
    """Return the longest trial or soak in seconds; a given value has precedence."""
    if soak_s is not None:
        return soak_s
    return USUAL_S if rule is None else TRIAL_S


def longest_s(seconds: float, rule: Mapping[str, str] | None) -> float:
    """Return how long a trial or soak may last: what is open may extend a trial."""
    return seconds if rule is None else LONGEST * seconds


def trial_options(target: TargetSpec, options: DeployOptions) -> dict[str, JsonValue]:
    """Return the trial options for a platform that supports trials (see ``api.Site.deploy``)."""
    if not holds_trials(target):
        return {}
    rule = soak_rule(options)
    trial: JsonValue = None
    if rule is not None:
        trial = {"seconds": trial_s(options.soak_s, rule), "rule": rule}
    return {"trial": trial, "agreement": comparing(options)}


def trial_checks(bundle: Bundle, found: Inventory, options: TrialOptions) -> list[PreflightCheck]:
    """Return the warning that a trial with few requests keeps the release; none without a trial."""
    given = soak_rule(options)
    if given is None or not found.current or found.current == bundle.digest:
        return []
    rule = rule_of(given)
    needed = TrialDecision(rule).requests_needed()
    text = f"a verdict needs about {needed} different requests of clients"
    if rule.requests == GOLDEN and not bundle.backend.generates:
        count = facts_of(bundle).golden.count
        text += f" (while they are quiet, {count} golden samples are compared)"
    if rule.undecided == TAKE_BACK:
        return [PreflightCheck("trial", True, f"{text}; with fewer it rolls back")]
    limit = trial_s(options.soak_s, given)
    text += f"; with fewer in {limit:g} s the release is kept without a verdict"
    hint = f"Send requests during the trial, or add --trial-rule 'undecided={TAKE_BACK}'."
    return [PreflightCheck("trial", False, text, hint, warning=True)]


def soak_rule(options: TrialOptions) -> dict[str, str] | None:
    """Return the trial's rule; None if quality is not compared.

    Raises:
        UsageError: for an unknown name, or a value out of range.
    """
    if not options.quality and not options.soak_rule:
        return None
    return parse_rule(options.soak_rule or ())


def parse_rule(pairs: Sequence[str]) -> dict[str, str]:
    """Return the values of a rule from ``NAME=VALUE`` pairs.

    Raises:
        UsageError: for an unknown name, or a value out of range.
    """
    rule: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise UsageError(f"A trial rule must be NAME=VALUE, not {pair!r}.")
        rule[name.strip()] = value.strip()
    try:
        rule_of(rule)
    except ReleaseError as error:
        raise UsageError(error.message, hint=error.hint) from None
    return rule


def why_none_kept(target: TargetSpec) -> str:
    """Return why a target cannot store clients' requests; empty if it can."""
    if not is_platform(target):
        return ""
    return (
        f"{target.name} cannot keep requests: only boards over SSH and this computer "
        "can store them."
    )


def why_none_compared(target: TargetSpec) -> str:
    """Return why a target cannot keep comparing with the previous release; empty if it can."""
    why_not = why_no_trial(target)
    return f"No shadow comparison: {why_not}" if why_not else ""


def without_unsupported(target: TargetSpec, options: KeptT) -> tuple[KeptT, str]:
    """Drop unsupported options; return the others, and the reason for the drop."""
    compared = why_none_compared(target) if options.agreement else ""
    stored = why_none_kept(target) if options.keep_samples else ""
    supported = replace(
        options,
        agreement=0.0 if compared else options.agreement,
        keep_samples=0 if stored else options.keep_samples,
    )
    return supported, " ".join(filter(None, (compared, stored)))


def check_platform_can(target: TargetSpec, options: DeployOptions) -> None:
    """Refuse options that a platform has no use for, before a bundle is packaged.

    Raises:
        UsageError: with the alternative on a platform.
    """
    if not is_platform(target):
        return
    if options.keep_samples:
        raise UsageError(why_none_kept(target), hint="Omit --keep-samples.")
    if options.keep_decisions:
        raise UsageError(why_none_recorded(target), hint="Omit --keep-decisions.")
    if options.agreement and (why_not := why_none_compared(target)):
        raise UsageError(why_not, hint="Omit --shadow-cpu.")
    if options.providers:
        raise UsageError(
            f"{target.name} takes the execution providers that its image has.",
            hint="Omit --providers.",
        )
    on_trial = options.quality or options.soak_rule
    if on_trial and (why_not := why_no_trial(target)):
        raise UsageError(f"No trial: {why_not}", hint=_INSTEAD)


_INSTEAD = (
    "Use --canary PERCENT to send a share of the traffic to the new release, or "
    "studio rollout to compare golden samples before and after."
)


@dataclass(frozen=True, slots=True)
class Sampling:
    """Limits of stored requests on a target: their number, and their size."""

    most: int
    bytes: int


def sampling(options: KeptOptions) -> Sampling | None:
    """Return the limits of stored requests; None unless a number is given."""
    if not options.keep_samples:
        return None
    return Sampling(options.keep_samples, int((options.samples_mb or SAMPLES_MB) * 1e6))


def comparing(options: KeptOptions) -> float:
    """Return the share of a core for comparing answers with the release before; 0: none."""
    return options.agreement / 100
