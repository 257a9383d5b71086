"""Counts of generated answers, under the names of OpenTelemetry's conventions for GenAI."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Deque, Dict, List, NamedTuple, Optional, Sequence, Tuple

from .request import Generation, Reason

_MINUTE = 60
_SHARES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
_MOST_RECENT = 512
TOKENS, SECONDS = "{token}", "s"


class Instrument(NamedTuple):
    """A histogram of the conventions.

    Attributes:
        bounds: Upper ends of its buckets, as the conventions advise.
    """

    name: str
    unit: str
    text: str
    bounds: Tuple[float, ...]


_OFTEN = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_FIRST = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1),
    *(0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
_EACH = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_COUNTS = tuple(float(4**power) for power in range(14))

DURATION = Instrument("gen_ai.server.request.duration", SECONDS, "Time to the last token", _OFTEN)
FIRST = Instrument("gen_ai.server.time_to_first_token", SECONDS, "Time to the first token", _FIRST)
EACH = Instrument("gen_ai.server.time_per_output_token", SECONDS, "Time between two tokens", _EACH)
USAGE = Instrument("gen_ai.client.token.usage", TOKENS, "Tokens of requests", _COUNTS)


class BucketCounts:
    """Counts of values by buckets."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self.counts = [0] * (len(self._bounds) + 1)
        self.total = 0.0

    @property
    def count(self) -> int:
        """Number of values."""
        return sum(self.counts)

    def add(self, value: float) -> None:
        """Count a value."""
        place = next((i for i, bound in enumerate(self._bounds) if value <= bound), -1)
        self.counts[place] += 1
        self.total += value


class RecentAnswers:
    """Speed of the last minute: tokens by the second, and the times of answers that ended in it."""

    def __init__(self, began: Optional[float] = None) -> None:
        """Begin to count.

        Args:
            began: When, by the monotonic clock; now by default.
        """
        self._began = time.monotonic() if began is None else began
        self._tokens = [0] * _MINUTE
        self._second = 0
        self._ended: Deque[Tuple[float, float, Optional[float]]] = deque(maxlen=_MOST_RECENT)

    def token(self, now: float) -> None:
        """Count a token."""
        self._advance(int(now))
        self._tokens[self._second % _MINUTE] += 1

    def ended(self, now: float, first: float, each: Optional[float]) -> None:
        """Note an answer: seconds to its first token, and between two tokens."""
        self._ended.append((now, first, each))

    def _advance(self, second: int) -> None:
        for passed in range(max(self._second + 1, second - _MINUTE + 1), second + 1):
            self._tokens[passed % _MINUTE] = 0
        self._second = max(self._second, second)

    def status(self, now: float) -> Dict[str, object]:
        """Return the speed as plain data; times are None without an answer in the last minute."""
        self._advance(int(now))
        known = [one for one in tuple(self._ended) if one[0] >= now - _MINUTE]
        span = max(1.0, min(float(_MINUTE), now - self._began))
        return {
            "tokens_per_s": round(sum(self._tokens) / span, 2),
            "first_token_ms": _milliseconds([first for _, first, _ in known]),
            "token_ms": _milliseconds([each for _, _, each in known if each is not None]),
        }


def _milliseconds(seconds: Sequence[float]) -> Dict[str, Optional[float]]:
    ordered = sorted(seconds)
    places = ((name, share * (len(ordered) - 1)) for name, share in _SHARES)
    return {name: round(1e3 * ordered[round(at)], 2) if ordered else None for name, at in places}


class GenerationStatistics:
    """Counts of the answers of one model; written by its loop, read by the server.

    Attributes:
        prompt, cached, answer: Tokens of all prompts, of these from caches, and of all answers.
        reasons: Number of answers by the reason of their end.
        recent: Speed of the last minute.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.prompt = self.cached = self.answer = 0
        self.recent = RecentAnswers()
        self.reasons: Dict[str, int] = {reason.value: 0 for reason in Reason}
        self._histograms: List[Tuple[Instrument, str, BucketCounts]] = [
            (DURATION, "", BucketCounts(DURATION.bounds)),
            (FIRST, "", BucketCounts(FIRST.bounds)),
            (EACH, "", BucketCounts(EACH.bounds)),
            (USAGE, "input", BucketCounts(USAGE.bounds)),
            (USAGE, "output", BucketCounts(USAGE.bounds)),
        ]

    def histograms(self) -> List[Tuple[Instrument, str, BucketCounts]]:
        """Return the instruments, the kind of their tokens or nothing, and what they counted."""
        return self._histograms

    def ended(self, generation: Generation) -> None:
        """Count an answer that has ended."""
        times, reason = generation.times, generation.reason
        with self._lock:
            if reason is not None:
                self.reasons[reason.value] += 1
            self.prompt += len(generation.request.tokens) if times.started else 0
            self.cached += generation.cached
            self.answer += generation.produced
            if reason in (Reason.CANCELLED, Reason.FAILED) or not times.first:
                return
            duration, first, each, prompts, answers = (row[2] for row in self._histograms)
            duration.add(times.last - times.submitted)
            first.add(times.first - times.submitted)
            pause: Optional[float] = None
            if generation.produced > 1:
                pause = (times.last - times.first) / (generation.produced - 1)
                each.add(pause)
            self.recent.ended(times.last, times.first - times.submitted, pause)
            prompts.add(len(generation.request.tokens))
            answers.add(generation.produced)
