"""Random smooth masks, made in pieces so that no run holds them all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

from studio.evidence.explanations.perturbation import Masks


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
        self._grid = tuple(one + 1 for one in cells)
        self._weights = [_enlarged(*pair) for pair in zip(shape, cells, strict=True)]

    def draw(self, count: int) -> Masks:
        """Return new masks, count × the shape of the map, from 0 to 1."""
        grids = self._balanced(count).reshape(count, *self._grid)
        shifts = [self._random.integers(len(one), size=count) for one in self._weights]
        first = self._weights[0][shifts[0]]
        if len(self._weights) == 1:
            return numpy.matmul(first, grids[:, :, None])[:, :, 0]
        second = self._weights[1][shifts[1]]
        return numpy.matmul(numpy.matmul(first, grids), second.transpose(0, 2, 1))

    def _balanced(self, count: int) -> Masks:
        """Return rows of zeros and ones in equal numbers, each in an order of its own."""
        size = int(numpy.prod(self._grid))
        row = (numpy.arange(size) % 2).astype(numpy.float32)
        found: Masks = self._random.permuted(numpy.tile(row, (count, 1)), axis=1)
        return found


def _enlarged(size: int, cells: int) -> NDArray[numpy.float32]:
    """Return the weights of each coarse value at each pixel: shifts × size × (cells + 1)."""
    edge = -(-size // cells)
    places = numpy.arange(size) + numpy.arange(edge)[:, None]
    at = numpy.clip((places + 0.5) / edge - 0.5, 0, cells)
    distance = numpy.abs(at[:, :, None] - numpy.arange(cells + 1))
    weights: NDArray[numpy.float32] = numpy.clip(1 - distance, 0, None).astype(numpy.float32)
    return weights
