"""Whether onnxruntime shall keep the memory of its runs, found by trying."""

from __future__ import annotations

import math
import time
from pathlib import Path

from .session import Feeds, ModelSession

_SMALL = 16 << 20
"""Bytes of a model that is quickly loaded again."""
_QUICK_S = 0.02
_WORTH = 0.95
"""An arena must take less of the time of runs without one; less than that is noise."""
_ROUNDS = 20
_ROUND_S = 0.005


def does_without(path: Path, session: ModelSession, seconds: float, feeds: Feeds) -> bool:
    """Whether a model is as quick without an arena.

    An arena takes memory in steps that double and keeps all of it between runs. The C library,
    asked for one block a run, is as quick for small models and gives back what is not in use: of
    a network with .5 MB of weights that is 1.8 MB of 60.

    Args:
        session: One with an arena.
        seconds: Of a run.
        feeds: Inputs that the model takes.
    """
    if seconds > _QUICK_S or not _is_small(path):
        return False
    return not _pays(ModelSession(path, session.threads, arena=False), session, feeds)


def _is_small(path: Path) -> bool:
    """Whether the model is, with what it may keep in files beside it."""
    try:
        return sum(one.stat().st_size for one in path.parent.iterdir()) <= _SMALL
    except OSError:  # it has gone, or nobody may look
        return False


def _pays(lean: ModelSession, rich: ModelSession, feeds: Feeds) -> bool:
    """Whether runs with an arena take less, by the shortest of each; looked at until it is not so.

    What disturbs a round makes it longer: only of many rounds it can be said that none was short.
    """
    for session in (lean, rich):
        _round(session, feeds, 1)
    runs = max(1, int(_ROUND_S / max(_round(lean, feeds, 1), 1e-6)))
    lean_s = rich_s = math.inf
    for _ in range(_ROUNDS):
        lean_s = min(lean_s, _round(lean, feeds, runs))
        rich_s = min(rich_s, _round(rich, feeds, runs))
        if rich_s >= _WORTH * lean_s:
            return False
    return True


def _round(session: ModelSession, feeds: Feeds, runs: int) -> float:
    outputs = list(session.outputs)
    start = time.thread_time()
    for _ in range(runs):
        session.run(feeds, outputs)
    return (time.thread_time() - start) / runs
