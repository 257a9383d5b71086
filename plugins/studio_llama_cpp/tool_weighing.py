"""The weights of errors in the rounding of weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from studio_llama_cpp.tool_library import Array

_DAMP = 0.01


class Weighing(NamedTuple):
    """The prices of errors of weights under the inputs that they meet.

    Attributes:
        products: Mean of the inputs' products, (columns, columns), with a little added to its
            diagonal.
        upper: Upper Cholesky factor of its inverse.
    """

    products: Array
    upper: Array


def weighing(products: Array) -> Weighing:
    """Return how errors count under the mean products of inputs (columns, columns)."""
    damped = products.astype(np.float64)
    mean = float(np.mean(np.diag(damped))) or 1.0
    damped[np.diag_indices_from(damped)] += _DAMP * mean
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T
    return Weighing(damped.astype(np.float32), upper.astype(np.float32))
