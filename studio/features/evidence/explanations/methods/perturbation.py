"""Altered copies of a sample: parts of it replaced by a reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy
from numpy.typing import NDArray

from studio.api import Array
from studio.lazy_dataclass import dataclass

Masks = NDArray[numpy.float32]
Features = NDArray[numpy.intp]
Choices = NDArray[numpy.bool_]


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A sample, and what takes the place of its parts.

    Attributes:
        sample: One sample with its batch axis.
        reference: What a removed part becomes: one array of the shape of the sample, or several
            along the first axis.
        axes: Axes of the sample that make up its map, such as height and width.
        features: Number of the feature at each place of the map, from 0.
    """

    sample: Array
    reference: Array
    axes: tuple[int, ...]
    features: Features

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the map."""
        return tuple(self.sample.shape[axis] for axis in self.axes)

    @property
    def count(self) -> int:
        """Number of features."""
        return int(self.features.max()) + 1

    @property
    def rows(self) -> int:
        """Number of references; each altered copy is made once with each of them."""
        return len(self.reference)

    def masked(self, masks: Masks) -> Array:
        """Return copies of the sample.

        Args:
            masks: Share of the sample at each place, from 0 (the reference) to 1; n × the shape
                of the map. Samples of whole numbers are kept from one half on.

        Returns:
            n × references samples, those of one mask in a row.
        """
        shares = masks.reshape(len(masks), 1, *self._spread(masks.shape[1:]))
        if self.sample.dtype.kind != "f":
            mixed = numpy.where(shares >= 0.5, self.sample, self.reference)
        else:
            sample, reference = _floats(self.sample), _floats(self.reference)
            mixed = (sample - reference) * shares
            if reference.any():
                mixed += reference
        return numpy.ascontiguousarray(
            mixed.reshape(-1, *self.sample.shape[1:]), dtype=self.sample.dtype
        )

    def kept(self, choices: Choices) -> Array:
        """Return copies of the sample with some features.

        Args:
            choices: Whether each feature is kept, n × features.
        """
        return self.masked(choices[:, self.features].astype(numpy.float32))

    def means(self, scores: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
        """Return one score for each copy: the mean over the references."""
        found: NDArray[numpy.float64] = scores.reshape(-1, self.rows).mean(axis=1)
        return found

    def _spread(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of a map with axes of size 1 where the sample has further ones."""
        found = [1] * (self.sample.ndim - 1)
        for axis, size in zip(self.axes, shape, strict=True):
            found[axis - 1] = size
        return tuple(found)


def _floats(array: Array) -> NDArray[numpy.floating]:
    """Return the same array, for type checkers: its type was looked at."""
    return cast("NDArray[numpy.floating]", array)


def tiles(shape: Sequence[int], most: int) -> Features:
    """Return the features of a map that is cut into equal tiles.

    Args:
        most: Most tiles along the longest axis; shorter axes get fewer in proportion.
    """
    edge = max(1, -(-max(shape) // most))
    found = numpy.zeros(tuple(shape), dtype=numpy.intp)
    for axis, size in enumerate(shape):
        count = -(-size // edge)
        line = numpy.minimum(numpy.arange(size) // edge, count - 1)
        found = found * count + line.reshape(-1, *[1] * (len(shape) - 1 - axis))
    return found


def each(shape: Sequence[int]) -> Features:
    """Return the features of a map in which each place is one."""
    return numpy.arange(numpy.prod(shape), dtype=numpy.intp).reshape(tuple(shape))
