"""Scores of altered samples, batch by batch, with a bound on their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

import numpy
from numpy.typing import NDArray

from studio.api import Array, Feeds, Progress, Sample, Silent, UsageError
from studio.lazy_dataclass import dataclass

Floats = NDArray[numpy.float64]
Outputs = Mapping[str, Array]
Reader = Callable[[Outputs], Floats]
"""Makes one score for each sample of the outputs of a batch."""

Answer = Callable[[Iterable[Sample]], Iterator[Outputs]]
"""Runs samples, here or on a target, and gives their outputs in the same order."""

_MOST_ROWS = 64
_RUNS = 4
"""Least inferences of a batch, for parallel sessions. Not the number of processors: sums in another
order would change the last bits of a map from one computer to the next."""

_CHUNK_BYTES = 48 << 20
"""Memory of the altered samples that exist at one time."""

_LARGEST_CHUNK = 512


class Scorer(Protocol):
    """A function of a batch of samples with one score for each, such as that of a class."""

    def scores(self, batch: Array) -> Floats:
        """Return the scores of n samples, n × the shape of the input without its batch axis."""


@dataclass(frozen=True, slots=True)
class ModelScorer:
    """Scores by a loaded model.

    Attributes:
        answer: Runs the model.
        name: The input that is altered; the other feeds stay as they are.
        feeds: One sample.
        reader: Makes scores of outputs.
        is_batched: Whether the model takes several samples at once.
    """

    answer: Answer
    name: str
    feeds: Feeds
    reader: Reader
    is_batched: bool = False

    def scores(self, batch: Array) -> Floats:
        """Return the scores of the samples, in their order."""
        found = [self.reader(outputs) for outputs in self.answer(self._runs(batch))]
        return numpy.concatenate(found)

    def _runs(self, batch: Array) -> Iterator[Sample]:
        rows = min(max(1, len(batch) // _RUNS), _MOST_ROWS) if self.is_batched else 1
        for start in range(0, len(batch), rows):
            part = batch[start : start + rows]
            feeds = {name: _repeated(one, len(part)) for name, one in self._others()}
            yield Sample({**feeds, self.name: part})

    def _others(self) -> Iterator[tuple[str, Array]]:
        return ((name, one) for name, one in self.feeds.items() if name != self.name)


def _repeated(array: Array, count: int) -> Array:
    if count == 1 or not array.ndim:
        return array
    return numpy.repeat(array, count, axis=0)


class BoundedScorer:
    """Scores with a bound on their number; each batch is a point of progress."""

    def __init__(self, scorer: Scorer, most: int, progress: Progress | None = None) -> None:
        self._scorer, self._progress = scorer, progress or Silent()
        self.most, self._used = most, [0]

    @property
    def used(self) -> int:
        """Samples that were scored."""
        return self._used[0]

    def sharing(self, scorer: Scorer) -> BoundedScorer:
        """Return another scorer below the same bound."""
        found = BoundedScorer(scorer, self.most, self._progress)
        found._used = self._used
        return found

    def scores(self, batch: Array) -> Floats:
        """Return the scores of the samples.

        Raises:
            UsageError: when these are more than the bound allows.
            Cancelled: when the user has cancelled the work.
        """
        self._used[0] += len(batch)
        if self.used > self.most:
            raise UsageError(
                f"The explanation needs more than {self.most} evaluations.",
                hint="Raise --evaluations.",
            )
        self._progress.progress(self.used - len(batch), self.most)
        return self._scorer.scores(batch)


def chunk_size(sample: Array) -> int:
    """Return the number of altered copies of a sample that are made at one time, an even one."""
    fitting = _CHUNK_BYTES // max(sample.nbytes, 1)
    return max(2, min(_LARGEST_CHUNK, fitting) // 2 * 2)


def too_few(method: str, least: int, given: int) -> UsageError:
    """Return the error for a bound that is below what a method needs."""
    return UsageError(
        f"{method} needs at least {least} evaluations here, and the bound is {given}.",
        hint=f"Give --evaluations {least} or more.",
    )
