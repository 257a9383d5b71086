"""The mode ``open-loop``: the highest rate of requests at which p99 stays under a limit."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Sequence

import numpy

from ..answers import ArrivalBlock, StreamBlock
from ..bench import Bench
from ..entry import BenchCandidate
from ..facts import OpenLoop, StartDelay, Trial, TrialMessage
from ..statistics import percentiles
from ..statistics.binomial import share_interval

SHARE = 0.01
"""So many requests may take longer than the limit: p99."""

CONFIDENCE = 0.95
"""Of what is said about the rate, over all rates that are tried to confirm it."""

SEARCH_STEPS = 7
"""Halvings of the bracket: from the capacity down, to within some 4 % of it."""

LOWEST = 0.05
"""Share of the capacity below which nobody searches."""

STEPS = 6
"""Rates that are tried to confirm, each STEP of the one before."""

STEP = 0.88

LOOKS = 3
"""Looks at a rate, after a quarter, half and all of its time; its risk is divided among them."""

SEARCH_ARRIVALS = 150
BLOCK = 25
"""Consecutive requests whose late ones are counted together: they are not independent."""

LONGEST_TRIAL = 20.0


@dataclass(frozen=True)
class Attempt:
    """A trial with its single requests.

    Attributes:
        delays: Nanoseconds by which requests were started late.
        late: Whether each request took longer than the limit.
    """

    trial: Trial
    delays: list[int]
    late: list[bool]


class RateSearch:
    """Search and confirmation of the rate, for one candidate after the other."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._seed = bench.config.seed * 1000

    def run(self) -> None:
        """Measure all candidates but the twin."""
        entries = [entry for entry in self._bench.alive if not entry.twin]
        for number, entry in enumerate(entries):
            text = f"Searching the rate of {entry.id}"
            self._bench.progress("open-loop", number, len(entries), text)
            with self._bench.dropping(entry):
                found = self._measure(entry, self._bench.config.seconds / len(entries))
                entry.facts = replace(entry.facts, open_loop=found)

    def _measure(self, entry: BenchCandidate, seconds: float) -> OpenLoop:
        config = self._bench.config
        capacity = self._capacity(entry)
        attempts: list[Attempt] = []
        if config.rate:
            start, share = config.rate, seconds
        else:
            start, share = self._search(entry, capacity, seconds / 2, attempts), seconds / 2
        confirmed = self._confirm(entry, start, share, attempts)
        return replace(
            confirmed,
            limit_ms=config.limit_ms,
            streams=config.streams[0],
            capacity_per_second=capacity,
            confidence=CONFIDENCE,
            start_delay_us=_delays([each for attempt in attempts for each in attempt.delays]),
            trials=tuple(attempt.trial for attempt in attempts),
        )

    def _capacity(self, entry: BenchCandidate) -> float:
        """Return the inferences a second when the next one starts at once."""
        answer = entry.call(
            "cannot run",
            self._bench.config.run_timeout,
            StreamBlock,
            do="streams",
            streams=self._bench.config.streams[0],
            seconds=1.0,
        )
        return answer.per_second

    # Search

    def _search(
        self, entry: BenchCandidate, capacity: float, seconds: float, attempts: list[Attempt]
    ) -> float:
        """Bracket the rate; return the highest that seemed to keep the limit."""
        low, high = capacity * LOWEST, capacity
        rate = capacity * 0.6
        for _ in range(SEARCH_STEPS):
            attempts.append(self._attempt(entry, rate, seconds / SEARCH_STEPS, "search"))
            if attempts[-1].trial.kept:
                low = rate
            else:
                high = rate
            if low >= high * 0.96:
                break
            rate = math.sqrt(low * high)
        return low

    # Confirm

    def _confirm(
        self, entry: BenchCandidate, rate: float, seconds: float, attempts: list[Attempt]
    ) -> OpenLoop:
        """Try rates from the highest down until one is shown to keep the limit.

        With a given rate that one alone is tried. A rate that is shown neither to keep nor to miss
        the limit in its time is undecided, and the next lower one is tried.
        """
        alone = bool(self._bench.config.rate)
        steps = 1 if alone else STEPS
        share = seconds if alone else seconds / 3
        end = time.monotonic() + max(seconds, share)
        missed: list[float] = []
        for _ in range(steps):
            tried = rate
            found = self._judge(entry, rate, share, steps, attempts)
            if found.kept is False:
                missed.append(rate)
            if found.kept or time.monotonic() + share / 2 > end:
                break
            rate *= STEP
        return replace(
            found,
            rate_per_second=tried if found.kept or alone else None,
            fails_at=_fails_at(attempts, missed, tried),
        )

    def _judge(
        self,
        entry: BenchCandidate,
        rate: float,
        seconds: float,
        steps: int,
        attempts: list[Attempt],
    ) -> OpenLoop:
        """Return whether a rate keeps the limit, from trials that begin with an empty queue."""
        alpha = (1 - CONFIDENCE) / steps / LOOKS
        late: list[bool] = []
        kept: bool | None = None
        low = high = 0.0
        for part in (0.25, 0.25, 0.5):
            attempt = self._attempt(entry, rate, seconds * part, "confirm")
            attempts.append(attempt)
            late += attempt.late
            low, high = over_share(late, alpha)
            aborted = attempt.trial.aborted
            kept = True if high <= SHARE else False if low > SHARE or aborted else None
            if kept is not None:
                break
        share = sum(late) / len(late) if late else 0.0
        reason = "" if kept is not None else _undecided(rate, share, len(late))
        return OpenLoop(
            kept=kept,
            over_share=share,
            over_low=low,
            over_high=high,
            arrivals=len(late),
            reason=reason,
        )

    def _attempt(self, entry: BenchCandidate, rate: float, seconds: float, phase: str) -> Attempt:
        """Run one stretch of requests at a rate, and emit it."""
        config = self._bench.config
        least = SEARCH_ARRIVALS if phase == "search" else 2 * BLOCK
        count = max(least, int(rate * min(seconds, LONGEST_TRIAL)))
        # Far beyond what p99 allows there is nothing left to learn, and the queue only grows.
        most_over = max(10, int(count * SHARE * 5))
        self._seed += 1
        limit_ns = int(config.limit_ms * 1e6)
        answer = entry.call(
            "cannot run",
            config.run_timeout + 10 * count / rate,
            ArrivalBlock,
            do="arrivals",
            streams=config.streams[0],
            rate=rate,
            count=count,
            seed=self._seed,
            limit_ns=limit_ns,
            most_over=most_over,
        )
        times = answer.latency_ns
        trial = Trial(
            phase=phase,
            rate=rate,
            seconds=answer.due_ns[-1] / 1e9 if times else 0.0,
            arrivals=len(times),
            over=answer.over,
            kept=not answer.aborted and answer.over <= SHARE * len(times),
            aborted=answer.aborted,
            waiting_most=answer.waiting_most,
            latency_ms=percentiles.latency(times),
        )
        self._bench.emit(TrialMessage(id=entry.id, **vars(trial)))
        self._bench.watch.check()
        return Attempt(trial, answer.start_delay_ns, [each > limit_ns for each in times])


def over_share(late: Sequence[bool], alpha: float) -> tuple[float, float]:
    """Return limits of the share of late requests, each at 1 - alpha, though they cluster.

    A queue makes late requests neighbours. By how much blocks of them vary more than independent
    ones would (the design effect), the sample counts for less.
    """
    count, hits = len(late), sum(late)
    effect = design_effect(late)
    return share_interval(hits / effect, count / effect, alpha)


def design_effect(late: Sequence[bool]) -> float:
    """Return the variance of block counts over that of independent requests, at least 1."""
    blocks = len(late) // BLOCK
    share = sum(late) / max(1, len(late))
    if blocks < 2 or not 0 < share < 1:
        return 1.0
    counts = numpy.asarray(late[: blocks * BLOCK], dtype=numpy.float64).reshape(blocks, BLOCK)
    variance = float(counts.sum(axis=1).var(ddof=1))
    return max(1.0, variance / (BLOCK * share * (1 - share)))


def _fails_at(attempts: list[Attempt], missed: list[float], tried: float) -> float | None:
    """Return the lowest rate above the confirmed one at which the limit was missed."""
    trials = [each.trial for each in attempts]
    searched = [each.rate for each in trials if each.phase == "search" and not each.kept]
    above = [rate for rate in [*searched, *missed] if rate > tried]
    return min(above, default=None)


def _undecided(rate: float, share: float, arrivals: int) -> str:
    return (
        f"At {rate:.4g} a second {share:.2%} of {arrivals} requests were late, "
        "which neither shows that p99 keeps the limit nor that it does not: give more time."
    )


def _delays(delays: Sequence[int]) -> StartDelay:
    """Return the delays that the bench itself adds, in microseconds."""
    if not delays:
        return StartDelay()
    shares = numpy.percentile(delays, [50, 99]) / 1e3
    return StartDelay(round(float(shares[0]), 1), round(float(shares[1]), 1))
