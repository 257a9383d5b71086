"""Occlusion: how much a score falls when a window of the sample is covered.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014. Windows overlap by
half where the bound allows it; each place has the mean of the windows that cover it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy

from studio.features.evidence.explanations.methods.attribution import Attribution
from studio.features.evidence.explanations.methods.perturbation import Perturbation
from studio.features.evidence.explanations.methods.scorer import Floats, Scorer, chunk_size, too_few

_FINEST = 16
"""Most windows, without overlap, along the longest axis."""

_COARSEST = 2
Window = tuple[slice, ...]


def occlusion(scorer: Scorer, altered: Perturbation, evaluations: int) -> Attribution:
    """Return how much the score falls where the sample is covered.

    Raises:
        UsageError: when the bound is too small for the coarsest windows.
    """
    affordable = evaluations // altered.rows - 1
    windows = finest_windows(altered.shape, affordable)
    if windows is None:
        least = (len(_windows(altered.shape, _COARSEST, 1)) + 1) * altered.rows
        raise too_few("Occlusion", least, evaluations)
    whole = float(altered.means(scorer.scores(_whole(altered)))[0])
    falls, covered = numpy.zeros(altered.shape), numpy.zeros(altered.shape)
    for piece in _pieces(windows, max(1, chunk_size(altered.sample) // altered.rows)):
        masks = numpy.ones((len(piece), *altered.shape), dtype=numpy.float32)
        for mask, window in zip(masks, piece, strict=True):
            mask[window] = 0
        scores = altered.means(scorer.scores(altered.masked(masks)))
        for score, window in zip(scores, piece, strict=True):
            falls[window] += whole - score
            covered[window] += 1
    return Attribution(falls / covered)


def leave_one_out(scorer: Scorer, altered: Perturbation, evaluations: int) -> Attribution:
    """Return how much the score falls without each feature: tokens of a text, columns of a row.

    Raises:
        UsageError: when the bound is smaller than the number of features.
    """
    count = altered.count
    if (count + 1) * altered.rows > evaluations:
        raise too_few("Occlusion", (count + 1) * altered.rows, evaluations)
    whole = float(altered.means(scorer.scores(_whole(altered)))[0])
    falls: list[Floats] = []
    size = max(1, chunk_size(altered.sample) // altered.rows)
    for start in range(0, count, size):
        choices = ~numpy.eye(min(size, count - start), count, k=start, dtype=numpy.bool_)
        falls.append(whole - altered.means(scorer.scores(altered.kept(choices))))
    return Attribution(numpy.concatenate(falls), by_feature=True)


def finest_windows(shape: Sequence[int], affordable: int) -> list[Window] | None:
    """Return the windows that the bound allows, the smallest first; None where it allows none."""
    for overlap in (2, 1):
        for count in range(min(_FINEST, max(shape)), _COARSEST - 1, -1):
            windows = _windows(shape, count, overlap)
            if len(windows) <= affordable:
                return windows
    return None


def _windows(shape: Sequence[int], count: int, overlap: int) -> list[Window]:
    edge = max(1, -(-max(shape) // count))
    stride = max(1, edge // overlap)
    lines = []
    for size in shape:
        length = min(edge, size)
        starts = [*range(0, size - length, stride), size - length]
        lines.append([slice(start, start + length) for start in starts])
    return list(itertools.product(*lines))


def _whole(altered: Perturbation) -> numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.generic]]:
    return altered.masked(numpy.ones((1, *altered.shape), dtype=numpy.float32))


def _pieces(windows: Sequence[Window], size: int) -> Iterator[Sequence[Window]]:
    for start in range(0, len(windows), size):
        yield windows[start : start + size]
