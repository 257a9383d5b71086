"""Comparison of an app on trial with the app before it, by the events of the same frames."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from ...apps.event_match import match_nearest
from ...apps.graph import graph_of
from ...apps.mailbox import ReadFrame
from ...apps.runner import FrameResult, GraphRunner
from ...apps.settings import AppError
from ...backends.failure import first_line
from ...shared.errors import LoadError
from ...shared.statistics import wilson
from ...shared.threads import guarded_thread, yield_to_requests
from ...shared.trial_request import TrialRequest
from ..engine.served_model import ServedModel, load
from ..engine.source import from_bundle
from .bundle import app_of, variables_of
from .hosted_app import BundleContext, RunningApp
from .places import root_of

_AHEAD = 4
"""Turns that the app before may lag behind; the app on trial waits beyond.

Both must see the same frames: a tracker that misses some finds other events."""
_UNTIMED = "the frames of an app are not timed in pairs"

Row = Dict[str, Any]


class EventAgreement:
    """Events of two apps on the same frames: how many are in both.

    Attributes:
        compared: Events of either app that are decided.
        agreed: Those among them that both have found.
    """

    def __init__(self, within_s: float, compare: Sequence[str]) -> None:
        self.compared = self.agreed = 0
        self._within_s = within_s
        self._compare = compare
        self._mine: List[Row] = []
        self._theirs: List[Row] = []
        self._latest = float("-inf")

    def add(self, mine: Sequence[Row], theirs: Sequence[Row], now: float) -> None:
        """Add the events of one turn.

        Args:
            now: Time of its newest frame, on the clock of the frames.
        """
        self._mine += mine
        self._theirs += theirs
        self._latest = max(self._latest, now)
        if mine or theirs:
            self._decide()

    def _decide(self) -> None:
        """Count the events that are too old to be matched otherwise.

        Pairs wait as long as single events. Otherwise there would be too few disagreements at each
        moment, and sequential tests look at each moment.
        """
        match = match_nearest(self._theirs, self._mine, self._within_s, self._compare)
        horizon = self._latest - 2 * self._within_s

        def is_old(row: Row) -> bool:
            return bool(row["at_s"] < horizon)

        old = [pair for pair in match.pairs if is_old(self._theirs[pair[0]])]
        lost = [at for at in match.missing if is_old(self._theirs[at])]
        new = [at for at in match.extra if is_old(self._mine[at])]
        self.agreed += len(old)
        self.compared += len(old) + len(lost) + len(new)
        self._theirs = _without(self._theirs, [*lost, *(first for first, _ in old)])
        self._mine = _without(self._mine, [*new, *(second for _, second in old)])


def _without(rows: List[Row], numbers: Sequence[int]) -> List[Row]:
    left_out = set(numbers)
    return [row for at, row in enumerate(rows) if at not in left_out]


class AppShadow:
    """Runs the app of the previous release on the frames of the one on trial.

    Attributes:
        fault: Why nothing is compared (any more); empty while something is.
        loaded: Whether the previous app runs.
    """

    def __init__(self, running: RunningApp, wish: TrialRequest, folder: Path) -> None:
        self.wish = wish
        self.fault = ""
        self.loaded = False
        trial = running.bundle.document.trial
        self._likeness = EventAgreement(trial.within_s, trial.compare)
        self._running = running
        self._folder = folder
        self._turns: "queue.Queue[Any]" = queue.Queue(_AHEAD)
        self._ended = threading.Event()
        self._thread = guarded_thread("app shadow", self._work, self._failed, lasts=False)
        self._thread.start()

    def end(self) -> None:
        """Compare no more."""
        self._ended.set()
        self._running.engine.watch = None

    def is_idle(self) -> bool:
        """Return whether all frames that came were compared."""
        return not self._turns.unfinished_tasks

    def status(self) -> Dict[str, object]:
        """Return the counts, as plain data."""
        seen = self._likeness
        low, high = wilson(seen.agreed, seen.compared)
        return {
            "release": self.wish.release,
            "trial": True,
            "loaded": self.loaded,
            "low": round(low, 4),
            "high": round(high, 4),
            "compared": seen.compared,
            "agreed": seen.agreed,
            "repeated": 0,
            "timed": 0,
            "slower": 0,
            "ratio": None,
            "fault": self.fault,
            "untimed": _UNTIMED,
            "drift": None,
        }

    def _rows(self, results: Sequence[FrameResult]) -> List[Row]:
        """Return the events that leave the app; those that only its own steps take do not count."""
        events = [event for one in results for event in one.all_events]
        steps = {name for sink in self._running.graph.receivers for name in sink.inputs}
        return [one.to_json() for one in events if not steps or one.step in steps]

    # On the thread of the engine

    def _observe(self, frames: Sequence[ReadFrame], results: Sequence[FrameResult]) -> None:
        mine = self._rows(results)
        while not self._ended.is_set() and not self.fault:
            try:
                self._turns.put((list(frames), mine), timeout=0.5)
                return
            except queue.Full:
                continue

    # On the thread of the comparison

    def _work(self) -> None:
        yield_to_requests()
        try:
            other = self._load()
            self.loaded = True
            # Both begin with no track and no count.
            self._running.engine.begin_again(self._observe)
            while not self._ended.is_set():
                self._compare(other)
        except (LoadError, AppError) as error:
            self.fault = "The previous release cannot run next to this one: {}".format(error)

    def _failed(self, error: BaseException) -> None:
        self.fault = "The comparison ended: {}".format(first_line(error))

    def _load(self) -> GraphRunner:
        source = from_bundle(self._folder)
        bundle = app_of(self._folder, source)
        if bundle is None:
            raise LoadError("it has no app.")
        served: Optional[ServedModel] = None
        if any(one is None for one in bundle.models.values()):
            served = load(source, 0, 1)
        graph = graph_of(bundle.document, variables_of(root_of(self._folder)))
        mine = {one.name for one in self._running.graph.sources}
        if {one.name for one in graph.sources} != mine:
            raise LoadError("it has other sources.")
        return GraphRunner(graph, BundleContext(bundle, served, self._folder))

    def _compare(self, other: GraphRunner) -> None:
        try:
            frames, mine = self._turns.get(timeout=0.5)
        except queue.Empty:
            return
        theirs = self._rows(other.run(frames))
        self._likeness.add(mine, theirs, max(one.stamp.time for one in frames))
        self._turns.task_done()
