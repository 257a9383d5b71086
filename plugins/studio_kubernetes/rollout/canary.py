"""Decision whether a canary is promoted, rolled back or watched further, from two measurements.

Errors are compared by the interval of a difference of two proportions after Newcombe (1998, method
10: two Wilson intervals combined), which holds for few errors too; latency by the ratio of a
percentile, with a bound on how few requests may decide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.api.platforms import wilson

PROMOTE, ROLL_BACK, WAIT = "promote", "roll back", "wait"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Measurements of one release during the comparison.

    Attributes:
        errors: Requests that the server failed, not those that clients spoilt.
        buckets: Upper bound in seconds -> requests up to it, cumulative as Prometheus has them.
    """

    requests: int
    errors: int
    buckets: Mapping[float, int] = field(default_factory=dict)

    @property
    def error_rate(self) -> float:
        """Share of the requests that failed."""
        return self.errors / self.requests if self.requests else 0.0

    def percentile_s(self, share: float) -> float | None:
        """Return the latency at a percentile, interpolated within a bucket."""
        total = max(self.buckets.values(), default=0)
        if not total:
            return None
        wanted, below, low = share * total, 0, 0.0
        for bound, count in sorted(self.buckets.items()):
            if count >= wanted:
                if math.isinf(bound):
                    return low
                inside = count - below
                return low + (bound - low) * ((wanted - below) / inside if inside else 1.0)
            below, low = count, bound
        return low


@dataclass(frozen=True, slots=True)
class CanaryRule:
    """Limits of a canary's errors and latency.

    Attributes:
        more_errors: Share of the requests that may fail in addition.
        slower: Ratio of the latencies that is still good.
        percentile: Of the latency that is compared.
        requests: Of each release, before latency decides or the canary is promoted.
    """

    more_errors: float = 0.01
    slower: float = 1.25
    percentile: float = 0.9
    requests: int = 200


@dataclass(frozen=True, slots=True)
class Decision:
    """Decision with its reason in one sentence."""

    action: str
    reason: str


def decide(stable: Traffic, canary: Traffic, rule: CanaryRule | None = None) -> Decision:
    """Compare a canary with the stable release over the same time."""
    rule = rule or CanaryRule()
    low, high = newcombe(canary, stable)
    rates = f"{_percent(canary.error_rate)} of its requests fail, {_percent(stable.error_rate)}"
    if canary.requests and stable.requests and low > rule.more_errors:
        return Decision(ROLL_BACK, f"{rates} of the others.")
    few = min(stable.requests, canary.requests)
    if few < rule.requests:
        name = "canary" if canary.requests <= stable.requests else "serving release"
        return Decision(WAIT, f"The {name} had {few} of {rule.requests} requests.")
    ratio = latency_ratio(stable, canary, rule.percentile)
    if ratio is not None and ratio > rule.slower:
        percentile = f"p{rule.percentile * 100:.0f}"
        return Decision(ROLL_BACK, f"Its {percentile} latency is {ratio:.2f} times the other's.")
    if high > rule.more_errors:
        return Decision(WAIT, f"{rates} of the others: not enough requests to tell.")
    slow = "no latency is known" if ratio is None else f"its latency is {ratio:.2f} of the other's"
    return Decision(PROMOTE, f"{rates} of the others, and {slow}.")


def newcombe(one: Traffic, other: Traffic) -> tuple[float, float]:
    """Return the 95 % interval of the difference in the error rate."""
    low_one, high_one = wilson(one.errors, one.requests)
    low_other, high_other = wilson(other.errors, other.requests)
    rate_one, rate_other = one.error_rate, other.error_rate
    apart = rate_one - rate_other
    low = apart - math.hypot(rate_one - low_one, high_other - rate_other)
    high = apart + math.hypot(high_one - rate_one, rate_other - low_other)
    return low, high


def latency_ratio(stable: Traffic, canary: Traffic, share: float) -> float | None:
    """Return the canary's latency as a multiple of the stable release's, or None if unknown."""
    one, other = canary.percentile_s(share), stable.percentile_s(share)
    return one / other if one is not None and other else None


def _percent(share: float) -> str:
    return f"{share * 100:.2f} %"
