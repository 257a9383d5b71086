"""Copies of the first row of a request and of its answer, for those who look at one at leisure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Mapping, Optional, Tuple

import numpy as np

if TYPE_CHECKING:
    from ..engine.session import ModelSession

Arrays = Dict[str, np.ndarray]
RequestInputs = Mapping[str, np.ndarray]


def takes_rows(session: ModelSession) -> bool:
    """Return whether the first axis of each input is a batch, not fixed by the model."""
    return all(spec.shape and spec.shape[0] < 0 for spec in session.inputs.values())


def first_row(
    inputs: RequestInputs, outputs: RequestInputs, in_rows: bool
) -> Optional[Tuple[Arrays, Arrays]]:
    """Return a copy of the first row; of a request with one row, of all its arrays.

    None where the boxes of several rows share one list and cannot be separated.

    Args:
        in_rows: See ``takes_rows``.
    """
    sizes = {array.shape[0] if array.ndim else 0 for array in inputs.values()}
    rows = sizes.pop() if in_rows and len(sizes) == 1 else 1
    given, answered = _first_of(inputs, rows), _first_of(outputs, rows)
    if len(given) < len(inputs) or len(answered) < len(outputs):
        return None
    return given, answered


def _first_of(arrays: RequestInputs, rows: int) -> Arrays:
    if rows == 1:
        return {name: array.copy() for name, array in arrays.items()}
    found = {name: a for name, a in arrays.items() if a.ndim and a.shape[0] == rows}
    return {name: array[:1].copy() for name, array in found.items()}
