"""Tuning of a release by measurement: rows of a batch, memory kept between runs, and its cache.

The settings are stored next to the release, so that a rollback starts without tuning: measuring
takes several sessions and many runs, and would delay the previous release while the processors
are busy.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from ...backends.backend_model import Feeds
from ...shared.documents import read_record
from ...shared.files import write_atomically
from .session import ModelSession

MAX_ROWS = 32
LONGEST_S = 0.005
"""A batch takes no longer: whoever comes while it runs waits for its end."""
_BATCH_WORTH = 0.9
"""Two rows at once must take less of the time of two rows one after the other."""
_TRIES = 7


def rows_of_a_batch(session: ModelSession, samples: Sequence[Feeds]) -> int:
    """Return the rows that may be run together; 1 when that is not safe, or does not pay.

    A first axis without a fixed size does not prove that rows are independent: it may be a
    sequence, or a scale may be computed over all rows. Two samples that differ must come out of
    one run as they come out of two.

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
        if _seconds(session, both) > _BATCH_WORTH * alone:
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
    """Return the shortest of some runs: the others were disturbed."""
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


_SMALL = 16 << 20
"""Bytes of a model that is quickly loaded again."""
_QUICK_S = 0.02
_ARENA_WORTH = 0.95
"""An arena must take less of the time of runs without one; less than that is noise."""
_ROUNDS = 20
_ROUND_S = 0.005


def does_without(path: Path, session: ModelSession, seconds: float, feeds: Feeds) -> bool:
    """Return whether a model is as quick without an arena.

    An arena allocates memory in steps that double and retains all of it between runs. The C
    library, with one block per run, is as quick for small models and frees unused memory: for a
    network with .5 MB of weights that is 1.8 MB of 60.

    Args:
        session: One with an arena.
        seconds: Of a run.
        feeds: Inputs that the model takes.
    """
    if seconds > _QUICK_S or not _is_small(path):
        return False
    return not _pays(ModelSession(path, session.threads, arena=False), session, feeds)


def _is_small(path: Path) -> bool:
    """Return whether the model is small, with its external data files."""
    try:
        return sum(one.stat().st_size for one in path.parent.iterdir()) <= _SMALL
    except OSError:  # it has gone, or is not readable
        return False


def _pays(lean: ModelSession, rich: ModelSession, feeds: Feeds) -> bool:
    """Return whether runs with an arena are faster, by the shortest of each, until disproved.

    What disturbs a round makes it longer: only of many rounds it can be said that none was short.
    """
    for session in (lean, rich):
        _round(session, feeds, 1)
    runs = max(1, int(_ROUND_S / max(_round(lean, feeds, 1), 1e-6)))
    lean_s = rich_s = math.inf
    for _ in range(_ROUNDS):
        lean_s = min(lean_s, _round(lean, feeds, runs))
        rich_s = min(rich_s, _round(rich, feeds, runs))
        if rich_s >= _ARENA_WORTH * lean_s:
            return False
    return True


def _round(session: ModelSession, feeds: Feeds, runs: int) -> float:
    outputs = list(session.outputs)
    start = time.thread_time()
    for _ in range(runs):
        session.run(feeds, outputs)
    return (time.thread_time() - start) / runs


_MOST = 8


class TuningResult(NamedTuple):
    """Measured execution settings of a release.

    Attributes:
        seconds: Of a run on one thread.
        threads: Of a run.
        arena: Whether onnxruntime keeps the memory of its runs.
        rows: Of several requests that may be run together.
    """

    seconds: float
    threads: int
    arena: bool
    rows: int


class TuningCache:
    """A file with what was found for the releases of one root.

    Args:
        path: The file; None keeps nothing.
        conditions: What else the findings depend on, in one line; under others they do not count.
    """

    def __init__(self, path: Optional[Path], conditions: str) -> None:
        self._path = path
        self._conditions = conditions

    def recall(self, digest: str) -> Optional[TuningResult]:
        """Return the stored result of a release, or None if it is missing or damaged."""
        kept = self._read().get(digest) or {}
        if not isinstance(kept, dict) or kept.get("conditions") != self._conditions:
            return None
        try:
            found = read_record(TuningResult, kept)
            return found._replace(threads=max(1, found.threads), rows=max(1, found.rows))
        except (KeyError, TypeError, ValueError):
            return None

    def store(self, digest: str, found: TuningResult) -> None:
        """Store a result; a disk that refuses it must not prevent serving."""
        if self._path is None:
            return
        entries = self._read()
        entries.pop(digest, None)
        entries[digest] = dict(found._asdict(), conditions=self._conditions)
        newest = dict(list(entries.items())[-_MOST:])
        with contextlib.suppress(OSError):
            write_atomically(self._path, json.dumps(newest).encode("utf-8"))

    def _read(self) -> Dict[str, object]:
        if self._path is None:
            return {}
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
