"""The last samples of an endpoint in arrays of fixed length: memory is flat from the first one."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import overload

from studio.lazy_dataclass import dataclass

KEPT = 120
"""Samples of each endpoint that are kept: memory does not grow with time."""


@dataclass(frozen=True, slots=True)
class SamplePoint:
    """The stored values of one sample.

    Attributes:
        tone: ``good``, ``warning``, ``bad``, or nothing where it is not known.
        throughput: Requests a second, or tokens of a language model.
        p99: Milliseconds; the median time to the first token of a language model.
        version: As text; empty where none is served.
        at: Seconds since the epoch, by the clock of the studio; 0 where it is not known.
    """

    tone: str
    throughput: float | None
    p99: float | None
    version: str
    at: float = 0.0


class SampleRing(Sequence[SamplePoint]):
    """The newest samples, the oldest of them first; one more takes the place of the oldest.

    A fleet keeps tens of thousands. As objects they would be 12 MB that Python's collector of
    cycles walks through again and again, 25 ms at a time.
    """

    __slots__ = ("_at", "_count", "_next", "_p99", "_throughput", "_tones", "_versions")

    def __init__(self) -> None:
        self._at, self._throughput, self._p99 = (array("d", bytes(8 * KEPT)) for _ in range(3))
        # Few texts that all endpoints share.
        self._tones, self._versions = [""] * KEPT, [""] * KEPT
        self._next = self._count = 0

    def append(self, moment: SamplePoint) -> None:
        """Append one sample."""
        place = self._next
        self._at[place] = moment.at
        self._throughput[place] = math.nan if moment.throughput is None else moment.throughput
        self._p99[place] = math.nan if moment.p99 is None else moment.p99
        self._tones[place] = sys.intern(moment.tone)
        self._versions[place] = sys.intern(moment.version)
        self._next = (place + 1) % KEPT
        self._count = min(self._count + 1, KEPT)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> SamplePoint: ...
    @overload
    def __getitem__(self, index: slice) -> list[SamplePoint]: ...
    def __getitem__(self, index: int | slice) -> SamplePoint | list[SamplePoint]:
        places = self._places()
        if isinstance(index, slice):
            return [self._moment(place) for place in places[index]]
        return self._moment(places[index])

    def __iter__(self) -> Iterator[SamplePoint]:
        return map(self._moment, self._places())

    def tones(self) -> list[str]:
        """Of each, for a strip that is painted often."""
        return [self._tones[place % KEPT] for place in self._places()]

    def versions(self) -> list[str]:
        """Of each."""
        return [self._versions[place % KEPT] for place in self._places()]

    def _places(self) -> range:
        """Return where they are, oldest first; the arrays are rings."""
        return range(self._next - self._count, self._next)

    def _moment(self, place: int) -> SamplePoint:
        at = place % KEPT
        return SamplePoint(
            self._tones[at],
            _known(self._throughput[at]),
            _known(self._p99[at]),
            self._versions[at],
            self._at[at],
        )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
