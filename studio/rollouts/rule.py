"""The rule that keeps a new release or rolls it back, from requests before and after.

The limit applies to the Wilson score interval of the error rate (E. B. Wilson, 1927). So one error
in twenty requests does not count as a lasting rate of 5 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.api import Array
from studio.lazy_dataclass import dataclass
from studio.rollouts.results import RequestStats
from studio.runtime.serve.outputs.agreement import Agreement
from studio.runtime.serve.outputs.detections import listed_boxes
from studio.runtime.shared.statistics import wilson

_NOISE_MS = 1.0
"""Smaller differences come from the network and the studio's machine, not from the model."""


@dataclass(frozen=True, slots=True)
class RolloutRule:
    """Limits for a new release.

    Attributes:
        max_error_rate: Largest share of failed requests.
        max_latency_ratio: Largest ratio of the median latency to the previous release.
        least_requests: Number of requests for a verdict.
        min_agreement: Smallest share of samples with answers equal to the previous release's;
            0 sets no limit, as a newly trained model may answer differently.
    """

    max_error_rate: float = 0.01
    max_latency_ratio: float = 1.5
    least_requests: int = 50
    min_agreement: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict ``keep``, ``take back``, or ``wait`` for more requests, with its reason."""

    verdict: str
    reason: str


def judge(before: RequestStats | None, now: RequestStats, rule: RolloutRule) -> Decision:
    """Evaluate the rule on the requests to the new and to the previous release.

    Args:
        before: Requests to the previous release; None without one.
    """
    if now.requests < rule.least_requests:
        missing = f"{now.requests} of {rule.least_requests} requests"
        return Decision("wait", f"{missing} that it takes to judge")
    low, high = wilson(now.errors, now.requests)
    share = f"{now.errors} of {now.requests} requests failed"
    if low > rule.max_error_rate:
        return Decision("take back", f"{share}, limit {rule.max_error_rate:.1%}")
    ratio = now.p50_ms / before.p50_ms if before and before.p50_ms else None
    if ratio is not None and is_slower(before, now, rule):
        text = f"median latency is {ratio:.2f}× the previous release"
        return Decision("take back", f"{text}, limit {rule.max_latency_ratio:.2f}")
    # An interval across the limit decides nothing, so more requests are sent.
    if now.errors and high > rule.max_error_rate:
        return Decision("wait", f"{share}, too few requests for a verdict")
    latency = f", median latency {ratio:.2f} times the one before" if ratio is not None else ""
    return Decision("keep", f"{share}{latency}")


def is_slower(before: RequestStats | None, now: RequestStats, rule: RolloutRule) -> bool:
    """Return whether the median latency exceeds its limit.

    Other load on either machine can only make a release look slower. So measure again, and use the
    shorter time (``quicker``).
    """
    if before is None or not before.p50_ms:
        return False
    ratio, slower_ms = now.p50_ms / before.p50_ms, now.p50_ms - before.p50_ms
    return ratio > rule.max_latency_ratio and slower_ms > _NOISE_MS


def quicker(one: RequestStats, other: RequestStats) -> RequestStats:
    """Add up the requests of two measurements, with the lower latency of the two."""
    told = [figures for figures in (one, other) if figures.p50_ms]
    best = min(told, key=lambda figures: figures.p50_ms, default=one)
    requests, errors = one.requests + other.requests, one.errors + other.errors
    return RequestStats(requests, errors, best.p50_ms, best.p99_ms)


def judge_agreement(found: Decision, agreement: float | None, rule: RolloutRule) -> Decision:
    """Apply the limit on agreement to a verdict, or add the agreement to its reason."""
    if agreement is None or found.verdict != "keep":
        return found
    share = f"{agreement:.0%} of the results agree with the previous release"
    if agreement < rule.min_agreement:
        return Decision("take back", f"{share}, at least {rule.min_agreement:.0%} must")
    return Decision("keep", f"{found.reason}, {share}")


Answers = Sequence[Mapping[str, Array] | None]
"""The answers to the samples, by output name; None for a missing answer."""


def agreement(before: Answers, now: Answers) -> float | None:
    """Return the share of equal answers; None if no answers are comparable.

    The runtime's ``Agreement`` decides, as in a trial: equal classes, boxes or marked places, or
    close numbers.
    """
    likeness = Agreement()
    said = [
        likeness.same(one, other)
        for one, other in zip(before, now, strict=False)
        if one is not None and other is not None and (_comparable(one, other) or _boxes(one, other))
    ]
    return sum(said) / len(said) if said else None


def _comparable(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return set(one) == set(other) and all(one[name].shape == other[name].shape for name in one)


def _boxes(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    told = [listed_boxes(answer) is not None for answer in (one, other)]
    return set(one) == set(other) and any(told)
