"""Counts of each run of a server: one loaded release in one process, from its first request on."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence

import numpy as np

from ...shared.files import fresh
from ..engine.served_model import ServedModel

Json = Dict[str, object]
_MOST = 16


class _Followed(NamedTuple):
    """A model with the identity of its run."""

    run: str
    model: ServedModel


class RunCounts:
    """Counts of the models that are or were served here, the newest first.

    It is used in the event loop's thread alone, as the statistics of models are.
    """

    def __init__(self) -> None:
        self._live: List[_Followed] = []
        self._ended: List[Json] = []
        self._number = 0

    def follow(self, models: Sequence[ServedModel]) -> None:
        """Count these models from now on; those that were replaced finish what they have."""
        known = {id(one.model) for one in self._live}
        new = [_Followed(fresh()[:16], one) for one in models if id(one) not in known]
        self._live = [*new, *self._live]

    def snapshot(self, served: Sequence[ServedModel]) -> List[Json]:
        """Return the counts of each run as plain data.

        Args:
            served: What is served now; of others a run ends with its last request.
        """
        self.follow(served)
        self._number += 1
        found: List[Json] = []
        live: List[_Followed] = []
        now = {id(one) for one in served}
        for one in self._live:
            counts = self._counts(one)
            if id(one.model) in now or one.model.statistics.in_flight:
                live.append(one)
                found.append(counts)
            else:
                self._ended.insert(0, counts)
        self._live = live
        del self._ended[_MOST:]
        return [*found, *self._ended][:_MOST]

    def _counts(self, one: _Followed) -> Json:
        counted = one.model.statistics
        counted.settle()
        return {
            "run": one.run,
            "seq": self._number,
            "model": one.model.name[:64],
            "version": one.model.version[:64],
            "release": one.model.source.digest[:64],
            "requests": counted.requests,
            "errors": counted.errors,
            "rejected": counted.failures.get("REJECTED", 0),
            "latency": sparse(counted.latencies),
        }


def sparse(counts: np.ndarray) -> List[List[int]]:
    """Return the places of a histogram that have a count, each with it."""
    places = np.flatnonzero(counts)
    pairs: List[List[int]] = np.column_stack((places, counts[places])).tolist()
    return pairs
