"""Rule of a quality soak: the accepted loss of a release on trial, and the error rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...shared.errors import ReleaseError
from .sequential import BAD, GOOD, OPEN, Errors, ShareTest

KEEP, TAKE_BACK = "keep", "take back"
CLIENTS, GOLDEN = "clients", "golden"


class TrialRule(NamedTuple):
    """Limits of a trial: each pair is a harmless and a harmful value; between them both may pass.

    With four tests a good release is rolled back in at most 2 of 100 soaks (4 x alpha). A bad one
    is committed in 1 of 100 (beta). For language models divergence is one of them, and latency
    is not.

    Attributes:
        disagreement_ok, disagreement: Share of answers unlike those of the release before.
        slower_ok, slower: How many times as long a run takes as one of the release before.
        divergence_ok, divergence: Divergence of a language model from the release before, in nats
            of a token of half of its answers.
        errors_ok, errors: Share of requests that the server fails.
        drift_ok, drift: Share of windows of requests unlike the earlier release's reference data.
        alpha, beta: How often each test may err.
        undecided: What is done when the time is over: ``keep`` or ``take back``. Evidence that
            weighs clearly against the release rolls it back in either case.
        judge: Of ``TESTS``, what is judged.
        requests: ``golden`` to compare golden samples as well while clients are quiet, or
            ``clients`` for their requests alone.
    """

    disagreement_ok: float = 0.02
    disagreement: float = 0.08
    slower_ok: float = 1.05
    slower: float = 1.2
    divergence_ok: float = 0.007
    divergence: float = 0.014
    errors_ok: float = 0.001
    errors: float = 0.02
    drift_ok: float = 0.02
    drift: float = 0.5
    alpha: float = 0.005
    beta: float = 0.01
    undecided: str = KEEP
    judge: str = "errors,agreement,divergence,latency,drift"
    requests: str = GOLDEN

    @property
    def beyond(self) -> float:
        """Ratio from which a stretch counts as slower: half-way between the limits."""
        return math.sqrt(self.slower_ok * self.slower)

    @property
    def diverging(self) -> float:
        """Divergence from which an answer counts as diverging: half-way between the limits."""
        return math.sqrt(self.divergence_ok * self.divergence)


LONGEST = 2.0
"""Times as long as wanted that a trial lasts while what is open weighs against the release."""
_DOUBT = 0.02
"""Probability that the end of the longest trial rolls back a good release, for each open test.

Ville's inequality bounds it as it bounds alpha, which is smaller."""

TESTS = ("errors", "agreement", "divergence", "latency", "drift")
_STRETCHES_OK, _STRETCHES = 0.3, 0.7
"""Half of the stretches are beyond the limit when the ratio is just there, whatever disturbs.

The same is true of answers and their divergence."""


def rule_of(wanted: Mapping[str, object]) -> TrialRule:
    """Return the rule of a request or a pipeline; omitted values are the defaults.

    Raises:
        ReleaseError: for an invalid name or value, with the nearest known name.
    """
    for name in wanted:
        if name not in TrialRule._fields:
            import difflib

            near = difflib.get_close_matches(name, TrialRule._fields, 1)
            hint = "Did you mean {}?".format(near[0]) if near else _KNOWN
            raise ReleaseError("bad-rule", "A soak rule has no {!r}.".format(name), hint)
    values: dict[str, Any] = {}
    for name, value in wanted.items():
        is_text = isinstance(TrialRule._field_defaults[name], str)
        try:
            # What is no number and no text is refused as a text is.
            number = value if isinstance(value, (int, float)) else str(value)
            values[name] = str(value) if is_text else float(number)
        except (TypeError, ValueError):
            text = "Trial rule {} must be a number, not {!r}.".format(name, value)
            raise ReleaseError("bad-rule", text) from None
    found = TrialRule(**values)
    _check(found)
    return found


_KNOWN = "It has: {}.".format(", ".join(TrialRule._fields))


def _check(rule: TrialRule) -> None:
    shares = ("disagreement", "errors", "drift")
    for name in shares:
        low, high = getattr(rule, name + "_ok"), getattr(rule, name)
        if not 0.0 < low < high < 1.0:
            raise _bad("{0}_ok must be below {0}, both between 0 and 1".format(name))
    if not 0.0 < rule.divergence_ok < rule.divergence <= 100.0:
        raise _bad("divergence_ok must be below divergence, and above 0")
    if not 0.5 <= rule.slower_ok < rule.slower <= 100.0:
        raise _bad("slower_ok must be below slower, and no less than 0.5")
    if not (0.0 < rule.alpha <= 0.2 and 0.0 < rule.beta <= 0.2):
        raise _bad("alpha and beta must be above 0 and at most 0.2")
    if rule.undecided not in (KEEP, TAKE_BACK):
        raise _bad("undecided is {} or {}".format(KEEP, TAKE_BACK))
    if rule.requests not in (CLIENTS, GOLDEN):
        raise _bad("requests is {} or {}".format(GOLDEN, CLIENTS))
    unknown = [name for name in _judged(rule) if name not in TESTS]
    if unknown or not _judged(rule):
        raise _bad("judge names some of {}".format(", ".join(TESTS)))


def _judged(rule: TrialRule) -> list[str]:
    return [name.strip() for name in rule.judge.split(",") if name.strip()]


def _bad(text: str) -> ReleaseError:
    return ReleaseError("bad-rule", "The soak rule cannot be used: {}.".format(text))


class Counts(NamedTuple):
    """Counts of one test of a release on trial.

    Attributes:
        events, of: Number of observations against it, of all.
        why_not: Why this cannot judge it; empty when it can.
        told: Further details for people; they decide nothing.
    """

    events: int = 0
    of: int = 0
    why_not: str = ""
    told: str = ""


class TrialFinding(NamedTuple):
    """Result of one test: a row of the evidence.

    Attributes:
        says: ``good``, ``bad``, ``open`` or ``not judged``.
        text: The same for people.
    """

    test: str
    says: str
    events: int
    of: int
    text: str


class TrialDecision:
    """Decision on a release from counts and a rule."""

    def __init__(self, rule: TrialRule) -> None:
        self.rule = rule
        errors = Errors(rule.alpha, rule.beta)
        self._tests = {
            "errors": ShareTest(rule.errors_ok, rule.errors, errors),
            "agreement": ShareTest(rule.disagreement_ok, rule.disagreement, errors),
            "divergence": ShareTest(_STRETCHES_OK, _STRETCHES, errors),
            "latency": ShareTest(_STRETCHES_OK, _STRETCHES, errors),
            "drift": ShareTest(rule.drift_ok, rule.drift, errors),
        }
        self._names = _judged(rule)

    def findings(self, counts: Mapping[str, Counts]) -> list[TrialFinding]:
        """Return one row per test; divergence has one only where it is counted."""
        names = [name for name in self._names if name != "divergence" or name in counts]
        return [self._finding(name, counts.get(name, Counts())) for name in names]

    def when_over(self, findings: Sequence[TrialFinding], is_longest: bool) -> str:
        """Return what is done when the time of an open trial is over.

        Args:
            is_longest: Whether it cannot be extended (see ``LONGEST``).

        Returns:
            ``open`` to extend it, or a value of ``undecided``.
        """
        against = max(map(self.weight, findings), default=0.0)
        if against > 0.0 and not is_longest:
            return OPEN
        return TAKE_BACK if against >= -math.log(_DOUBT) else self.rule.undecided

    def requests_needed(self) -> int:
        """Return the number of requests that a good release needs for a verdict."""
        counted = {"errors", "agreement"}.intersection(self._names)
        return max((self._tests[name].fewest for name in counted), default=0)

    def weight(self, finding: TrialFinding) -> float:
        """Return the evidence against a release that is in an open test; 0 for the others."""
        if finding.says != OPEN:
            return 0.0
        return self._tests[finding.test].evidence(finding.events, finding.of)

    def _finding(self, name: str, seen: Counts) -> TrialFinding:
        if seen.why_not:
            return TrialFinding(name, "not judged", seen.events, seen.of, seen.why_not)
        says = self._tests[name].verdict(seen.events, seen.of)
        text = _TEXTS[name].format(seen.events, seen.of)
        return TrialFinding(name, says, seen.events, seen.of, text + seen.told)


_TEXTS = {
    "errors": "{} of {} requests failed",
    "agreement": "{} of {} results differ from the previous release",
    "divergence": "{} of {} answers diverge from the previous release",
    "latency": "{} of {} stretches of runs were slower than allowed next to the previous release",
    "drift": "{} of {} windows of requests differ from the reference data of the previous release",
}


def decision(findings: list[TrialFinding]) -> str:
    """Return ``bad`` if one test is, ``good`` if all judged tests are, otherwise ``open``."""
    says = [one.says for one in findings]
    if BAD in says:
        return BAD
    judged = [one for one in says if one != "not judged"]
    return GOOD if judged and all(one == GOOD for one in judged) else OPEN
