"""Whether requests may be run together as one batch, found by trying."""

from __future__ import annotations

import time
from typing import Dict, List, Sequence

import numpy as np

from .session import Feeds, ModelSession

MAX_ROWS = 32
LONGEST_S = 0.005
"""A batch takes no longer: whoever comes while it runs waits for its end."""
_WORTH = 0.9
"""Two rows at once must take less of the time of two rows one after the other."""
_TRIES = 7


def rows_of_a_batch(session: ModelSession, samples: Sequence[Feeds]) -> int:
    """So many rows may be run together; 1 when that is not safe, or does not pay.

    A first axis without a fixed size is no proof that rows do not influence each other (it may be
    a sequence, or a scale that is computed over all rows): two samples that differ must come out
    of one run as they come out of two.

    Args:
        samples: Inputs that the model takes; at least one.
    """
    if not session.free_rows:
        return 1
    one = samples[0]
    other = samples[1] if len(samples) > 1 else _changed(one)
    try:
        both = _joined([one, other])
        alone = _seconds(session, one) + _seconds(session, other)
        if _seconds(session, both) > _WORTH * alone:
            return 1
        if not _independent(session, one, other, both):
            return 1
        eight = _joined([one] * 8)
        row_s = _seconds(session, eight) / _rows(eight)
    except Exception:  # whatever such a batch meets: requests are then run one by one
        return 1
    return max(1, min(MAX_ROWS, int(LONGEST_S / row_s)))


def _rows(feeds: Feeds) -> int:
    return int(next(iter(feeds.values())).shape[0])


def _joined(feeds: Sequence[Feeds]) -> Dict[str, np.ndarray]:
    return {name: np.concatenate([each[name] for each in feeds]) for name in feeds[0]}


def _changed(feeds: Feeds) -> Dict[str, np.ndarray]:
    """Other values of another range: a scale that is computed over all rows would show."""
    changed = {}
    for name, array in feeds.items():
        if array.dtype.kind == "f":
            changed[name] = (array * 3.7 - 0.9).astype(array.dtype)
        elif array.dtype.kind in "iu":
            changed[name] = array + np.ones((), array.dtype)
        else:
            changed[name] = array
    return changed


def _seconds(session: ModelSession, feeds: Feeds) -> float:
    """The shortest of some runs: the others were disturbed."""
    outputs = list(session.outputs)
    session.run(feeds, outputs)
    times: List[float] = []
    for _ in range(_TRIES):
        start = time.perf_counter()
        session.run(feeds, outputs)
        times.append(time.perf_counter() - start)
    return min(times)


def _independent(session: ModelSession, one: Feeds, other: Feeds, both: Feeds) -> bool:
    outputs = list(session.outputs)
    rows = _rows(one)
    together = session.run(both, outputs)
    first, second = session.run(one, outputs), session.run(other, outputs)
    return all(
        _same(array[:rows], a) and _same(array[rows:], b)
        for array, a, b in zip(together, first, second)
    )


def _same(found: np.ndarray, expected: np.ndarray) -> bool:
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    if found.dtype.kind != "f":
        return bool((found == expected).all())
    scale = float(np.max(np.abs(expected.astype(np.float64)), initial=0.0))
    tolerance = 1e-3 if found.dtype.itemsize < 4 else 1e-5
    return np.allclose(
        found.astype(np.float64), expected, rtol=0.0, atol=tolerance * scale, equal_nan=True
    )
