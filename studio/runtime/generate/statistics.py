"""Counts of generated answers, under the names of OpenTelemetry's conventions for GenAI."""

from __future__ import annotations

import threading
from typing import Dict, List, NamedTuple, Sequence, Tuple

from .request import Generation, Reason

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


class GenerationStatistics:
    """Counts of the answers of one model; written by its loop, read by the server.

    Attributes:
        prompt, cached, answer: Tokens of all prompts, of these from caches, and of all answers.
        reasons: Number of answers by the reason of their end.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.prompt = self.cached = self.answer = 0
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
            if reason not in (Reason.STOP, Reason.LENGTH) or not times.first:
                return
            duration, first, each, prompts, answers = (row[2] for row in self._histograms)
            duration.add(times.last - times.submitted)
            first.add(times.first - times.submitted)
            if generation.produced > 1:
                each.add((times.last - times.first) / (generation.produced - 1))
            prompts.add(len(generation.request.tokens))
            answers.add(generation.produced)
