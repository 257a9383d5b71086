"""RISE and D-RISE: a map from the scores of randomly masked copies of a picture.

Petsiuk et al., "RISE: Randomized Input Sampling for Explanation of Black-box Models", 2018.
Petsiuk et al., "Black-box Explanation of Object Detectors via Saliency Maps", 2021.

Two things differ from the papers, and both let the map converge with fewer evaluations. Each mask
keeps one half of its coarse cells exactly. The map is the covariance of scores and masks, in which
their means cancel out. The order of the places in the limit is the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

from studio.features.evidence.explanations.methods.attribution import Attribution
from studio.features.evidence.explanations.methods.perturbation import Masks, Perturbation
from studio.features.evidence.explanations.methods.scorer import Floats, Scorer, chunk_size, too_few
from studio.lazy_dataclass import dataclass

_MOST_SHIFTS = 32
"""Shifts along each axis; on large maps there are pixels between them."""


@dataclass(frozen=True, slots=True)
class DrawnMasks:
    """Masks with the grids that they are made of.

    Attributes:
        masks: n × the shape of the map, from 0 to 1.
        grids: n × cells.
        shifts: Number of the shift along each axis, n × axes.
    """

    masks: Masks
    grids: NDArray[numpy.float32]
    shifts: NDArray[numpy.int64]

    def every_second(self, first: int) -> DrawnMasks:
        """Return every second mask."""
        return DrawnMasks(self.masks[first::2], self.grids[first::2], self.shifts[first::2])


class MaskGenerator:
    """Masks of RISE (Petsiuk et al., 2018): a coarse random grid, enlarged and shifted.

    A grid is enlarged by one matrix along each axis, which holds the bilinear weights of every
    pixel for one shift. Each grid has as many kept as removed cells.

    Args:
        shape: Of the map: one or two axes.
        cells: Cells of the coarse grid along each axis.
    """

    def __init__(self, shape: Sequence[int], cells: Sequence[int], seed: int) -> None:
        self._random = numpy.random.Generator(numpy.random.PCG64(seed))
        pairs = list(zip(shape, cells, strict=True))
        self._is_line = len(pairs) == 1
        # A line is a map of one row.
        self._weights = [numpy.ones((1, 1, 1), numpy.float32)] if self._is_line else []
        self._weights += [_enlarged(*pair) for pair in pairs]
        self._grid = tuple(one.shape[2] for one in self._weights)
        self._shifts = tuple(len(one) for one in self._weights)
        # Each pixel mixes two rows of the grid: the number of the upper one, and the other's share.
        rows = self._weights[0]
        self._lower = numpy.minimum((rows > 0).argmax(axis=2), max(rows.shape[2] - 2, 0))
        self._shares = 1 - numpy.take_along_axis(rows, self._lower[:, :, None], axis=2)[:, :, 0]

    def draw(self, count: int) -> DrawnMasks:
        """Return new masks."""
        grids = self._balanced(count).reshape(count, *self._grid)
        shifts = numpy.stack([self._random.integers(one, size=count) for one in self._shifts], 1)
        columns = numpy.ascontiguousarray(self._weights[1][shifts[:, 1]].transpose(0, 2, 1))
        masks = self._rows(numpy.matmul(grids, columns), shifts[:, 0])
        return DrawnMasks(masks[:, 0] if self._is_line else masks, grids, shifts)

    def _rows(self, wide: Masks, shifts: NDArray[numpy.int64]) -> Masks:
        """Return masks from their coarse rows: whole rows are mixed, which needs no product."""
        number, index = numpy.arange(len(wide))[:, None], self._lower[shifts]
        masks: Masks = wide[number, index]
        if wide.shape[1] > 1:
            above = wide[number, index + 1]
            above -= masks
            above *= self._shares[shifts][:, :, None]
            masks += above
        return masks

    def _balanced(self, count: int) -> NDArray[numpy.float32]:
        """Return rows of zeros and ones in equal numbers, each in an order of its own."""
        size = int(numpy.prod(self._grid))
        row = (numpy.arange(size) % 2).astype(numpy.float32)
        found: NDArray[numpy.float32] = self._random.permuted(numpy.tile(row, (count, 1)), axis=1)
        return found

    def total(self) -> MaskTotal:
        """Return an empty weighted sum of masks of this generator."""
        return MaskTotal(self._weights, self._is_line)


class MaskTotal:
    """A weighted sum of masks, kept as sums of their coarse grids.

    Enlarging is linear, so the grids of each shift are summed first and enlarged once at the end.
    The pixels of the single masks are not needed for it.
    """

    def __init__(self, weights: Sequence[NDArray[numpy.float32]], is_line: bool) -> None:
        self._weights, self._is_line = weights, is_line
        shifts, cells = zip(*((len(one), one.shape[2]) for one in weights), strict=True)
        self._sums = numpy.zeros((*shifts, *cells))

    def add(self, drawn: DrawnMasks, weights: NDArray[numpy.float64]) -> None:
        """Add masks, each with its weight."""
        rows, columns = drawn.shifts.T
        products = drawn.grids * weights[:, None, None]
        numpy.add.at(self._sums, (rows, columns), products)

    def plus(self, other: MaskTotal, factor: float = 1.0) -> MaskTotal:
        """Return the sum of this one and a multiple of another one."""
        found = MaskTotal(self._weights, self._is_line)
        found._sums = self._sums + factor * other._sums
        return found

    def value(self) -> NDArray[numpy.float64]:
        """Return the sum in the shape of the map."""
        first, second = (one.astype(numpy.float64) for one in self._weights)
        # Axes: i, j are shifts, a, b cells, x, y pixels.
        wide = numpy.einsum("ijab,jyb->iay", self._sums, second, optimize=True)
        found: NDArray[numpy.float64] = numpy.einsum("ixa,iay->xy", first, wide, optimize=True)
        return found[0] if self._is_line else found


def _enlarged(size: int, cells: int) -> NDArray[numpy.float32]:
    """Return the weights of each coarse value at each pixel: shifts × size × (cells + 1)."""
    edge = -(-size // cells)
    shifts = numpy.unique(numpy.arange(_MOST_SHIFTS) * edge // _MOST_SHIFTS)
    places = numpy.arange(size) + shifts[:, None]
    at = numpy.clip((places + 0.5) / edge - 0.5, 0, cells)
    distance = numpy.abs(at[:, :, None] - numpy.arange(cells + 1))
    weights: NDArray[numpy.float32] = numpy.clip(1 - distance, 0, None).astype(numpy.float32)
    return weights


LEAST = 16
"""Fewest masks of a map that is more than noise."""

CELLS = 7
DETECTOR_CELLS = 16
"""Cells along the longer side: an object covers a small part of the picture of a detector."""


def rise(
    scorer: Scorer,
    altered: Perturbation,
    evaluations: int,
    seed: int,
    cells: int = CELLS,
) -> Attribution:
    """Return the map of a score: one mask for each evaluation, and no more in memory than a batch.

    Args:
        evaluations: Most samples to score.
        cells: Cells of the coarse grid along the longer side.

    Raises:
        UsageError: for fewer evaluations than ``LEAST``.
    """
    count = evaluations // altered.rows
    if count < LEAST:
        raise too_few("RISE", LEAST * altered.rows, evaluations)
    masks = MaskGenerator(altered.shape, grid_cells(altered.shape, cells), seed)
    halves = (_Covariance(masks), _Covariance(masks))
    piece = max(2, chunk_size(altered.sample) // altered.rows // 2 * 2)
    for start in range(0, count, piece):
        drawn = masks.draw(min(piece, count - start))
        scores = altered.means(scorer.scores(altered.masked(drawn.masks)))
        for offset, half in enumerate(halves):
            half.add(drawn.every_second(offset), scores[offset::2])
    whole = halves[0].with_other(halves[1])
    return Attribution(whole.value(), (halves[0].value(), halves[1].value()))


class _Covariance:
    """Covariance of scores with the masks at each place, summed up piece by piece."""

    def __init__(self, generator: MaskGenerator) -> None:
        self._generator = generator
        self._count, self._scores = 0, 0.0
        self._masks, self._products = generator.total(), generator.total()

    def add(self, drawn: DrawnMasks, scores: Floats) -> None:
        """Add masks with their scores."""
        self._count += len(scores)
        self._scores += float(scores.sum())
        self._masks.add(drawn, numpy.ones(len(scores)))
        self._products.add(drawn, scores)

    def with_other(self, other: _Covariance) -> _Covariance:
        """Return the covariance over the masks of both."""
        found = _Covariance(self._generator)
        found._count, found._scores = self._count + other._count, self._scores + other._scores
        found._masks = self._masks.plus(other._masks)
        found._products = self._products.plus(other._products)
        return found

    def value(self) -> Floats:
        """Return the covariance at each place."""
        mean = self._scores / self._count
        found: Floats = self._products.plus(self._masks, -mean).value() / self._count
        return found


def grid_cells(shape: Sequence[int], most: int) -> tuple[int, ...]:
    """Return the cells along each axis; small maps get fewer, of two pixels and more."""
    edge = max(max(shape) / most, 2.0)
    return tuple(max(1, round(size / edge)) for size in shape)
