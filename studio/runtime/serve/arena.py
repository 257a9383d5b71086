"""Whether onnxruntime shall keep the memory of its runs, found by trying."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Callable, List

from .session import Feeds, ModelSession, invented_feeds

_SMALL = 16 << 20
"""Bytes of a model that is quickly loaded twice."""
_WORTH = 0.95
"""An arena must take less of the time of runs without one; less than that is noise."""
_ROUNDS = 20
_ROUND_S = 0.005


def session_of(
    path: Path, threads: int, golden: Callable[[ModelSession], List[Feeds]]
) -> ModelSession:
    """A session that is not slower than with an arena, and has none if it can be.

    An arena takes memory in steps that double and keeps all of it between runs. The C library,
    asked for one block a run, is as quick for small models and gives back what is not in use: of
    a network with .5 MB of weights that is 1.8 MB of 60.

    Args:
        golden: Inputs that the model takes, where there are some.

    Raises:
        LoadError: when onnxruntime cannot load it.
    """
    small = _is_small(path)
    session = ModelSession(path, threads, arena=not small)
    if not small:
        return session
    try:
        feeds = (golden(session) or [invented_feeds(session.inputs)])[0]
        pays = _pays(session, ModelSession(path, threads, arena=True), feeds)
    except Exception:  # inputs cannot be invented for it: nothing is known
        pays = True
    if not pays:
        return session
    del session  # what it took is taken again, instead of more
    return ModelSession(path, threads, arena=True)


def _is_small(path: Path) -> bool:
    """Whether the model is, with what it may keep in files beside it."""
    try:
        return sum(one.stat().st_size for one in path.parent.iterdir()) <= _SMALL
    except OSError:  # onnxruntime will say why
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
