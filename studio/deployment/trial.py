"""Trials of a release: their rule, why a target supports none, and their result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from studio.api import TakenBack, TargetSpec, UsageError
from studio.deployment.admission import PreflightCheck
from studio.deployment.bundle_facts import facts_of
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
from studio.targets.target import open_target

KeptT = TypeVar("KeptT", bound=KeptOptions)

USUAL_S = 1.0
"""Default length of a soak without a trial."""
TRIAL_S = 300.0
"""Default limit of a trial, which ends as soon as it is decided."""


def why_no_trial(target: TargetSpec) -> str:
    """Return why a target cannot compare a release with the previous one; empty if it can."""
    if open_target(target).holds_trials:
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
    if not open_target(target).holds_trials:
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
    if not options.trial and not options.trial_rule:
        return None
    return parse_rule(options.trial_rule or ())


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


def why_none_kept(target: TargetSpec, what: str = "keep requests") -> str:
    """Return why a target cannot store clients' requests or decisions; empty if it can."""
    if open_target(target).stores_requests:
        return ""
    return f"{target.name} cannot {what}: only boards over SSH and this computer can store them."


def why_none_compared(target: TargetSpec) -> str:
    """Return why a target cannot keep comparing with the previous release; empty if it can."""
    why_not = why_no_trial(target)
    return f"No shadow comparison: {why_not}" if why_not else ""


def without_unsupported(target: TargetSpec, options: KeptT) -> tuple[KeptT, str]:
    """Drop unsupported options; return the others, and the reason for the drop."""
    compared = why_none_compared(target) if options.shadow_cpu else ""
    stored = why_none_kept(target) if options.keep_samples else ""
    supported = replace(
        options,
        shadow_cpu=0.0 if compared else options.shadow_cpu,
        keep_samples=0 if stored else options.keep_samples,
    )
    return supported, " ".join(filter(None, (compared, stored)))


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
    return options.shadow_cpu / 100
