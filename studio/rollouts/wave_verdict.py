"""The verdict on a whole wave: all its targets' evidence together.

A release that is worse by little, or on targets with few requests, is not found on any one of
them. Together they may have enough. The sequential tests of a trial stay valid. Each answer is
another observation of the same release, in any order of the targets. A target that has decided
adds no more (Wald 1945). Ville's inequality holds at each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from studio.deployment.results import TrialEvidence, TrialTest
from studio.documents.dataclass_json import read_parts
from studio.rollouts.results import KEPT, TargetRow
from studio.rollouts.rule import RolloutRule
from studio.runtime.release.trial.decision import Counts, TrialDecision, rule_of
from studio.runtime.release.trial.sequential import BAD
from studio.runtime.shared.statistics import wilson

_MOST = 1000
"""Observations of a target that count; a board may claim any number, and decide for all others."""
_FEWEST = 2
"""Targets of a wave from which on there is more evidence than that of each."""


def wave_verdict(
    rows: Iterable[TargetRow], rule: RolloutRule, trial_rule: Mapping[str, str]
) -> str:
    """Return why the release is worse on the targets that kept it; empty if it is not.

    Args:
        trial_rule: Values of the trial's rule that are not the default.
    """
    kept = [row for row in rows if row.state == KEPT]
    if len(kept) < _FEWEST:
        return ""
    return _of_requests(kept, rule) or _of_trials(kept, trial_rule)


def _of_requests(rows: Sequence[TargetRow], rule: RolloutRule) -> str:
    sent = [row.now for row in rows if row.now is not None]
    requests = sum(one.requests for one in sent)
    errors = sum(one.errors for one in sent)
    if not requests or wilson(errors, requests)[0] <= rule.max_error_rate:
        return ""
    return (
        f"{errors} of {requests} requests to {len(sent)} targets failed, "
        f"limit {rule.max_error_rate:.1%}"
    )


def _of_trials(rows: Sequence[TargetRow], trial_rule: Mapping[str, str]) -> str:
    found = [read_parts(TrialEvidence, row.trial) for row in rows]
    events, of = Counter[str](), Counter[str]()
    for evidence in found:
        for test in evidence.tests:
            seen = _bounded(test)
            events[test.test] += seen.events
            of[test.test] += seen.of
    if not of:
        return ""
    counts = {name: Counts(events[name], number) for name, number in of.items() if number}
    findings = TrialDecision(rule_of(trial_rule)).findings(counts)
    bad = [one.text for one in findings if one.says == BAD]
    return f"{', '.join(bad)}, on {len(rows)} targets together" if bad else ""


def _bounded(test: TrialTest) -> Counts:
    """Return the counts of a target, scaled to the most that counts; none where they cannot be."""
    if not 0 <= test.events <= test.of:
        return Counts()
    scale = min(1.0, _MOST / test.of) if test.of else 1.0
    return Counts(round(test.events * scale), round(test.of * scale))
