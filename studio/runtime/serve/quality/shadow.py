"""Comparison of some requests with an earlier release: agreement of the answers, and speed.

While a release is on trial (see ``release.soak``), a file next to the server's report names the
previous one. The server then loads that one, too, and a thread with a low priority runs some of
the requests through both, interleaved. No client waits for it, no input leaves the process, and it
takes a fifth of one core at most. While clients are quiet, a trial compares golden samples, too. If
a deploy requests it, the answers alone are compared further after the trial, for a smaller share of
a core.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Tuple

import numpy as np

from ...backends.failure import first_line
from ...drift.watch import DriftWatch, watch_of
from ...shared.errors import LoadError
from ...shared.statistics import wilson
from ...shared.threads import guarded_thread, yield_to_requests
from ...shared.trial_request import TrialRequest, wish_for
from ..engine.observer import Attached
from ..engine.served_model import ServedModel
from ..engine.session import ModelSession
from ..engine.source import from_bundle
from ..outputs.agreement import Agreement
from .deduplication import Deduplicator
from .first_row import Arrays, first_row, takes_rows
from .golden_requests import GoldenRequests
from .paired_timing import PairedTiming, pair

_QUIET_S = 1.0
"""Without a request of a client, after which golden samples are compared."""


class ShadowComparison:
    """The comparison of one served model with an earlier release.

    Attributes:
        compared, agreed: Samples that both answered, and that they answered alike.
        repeated: Samples that were like others a short while ago; their answers do not count.
        golden: Samples of ``compared`` that no client sent.
        race: Timing of both, where that is requested.
        fault: Why nothing is compared (any more); empty while something is.
        loaded: Whether the earlier release can answer.
    """

    def __init__(self, model: ServedModel, wish: TrialRequest, folder: Path) -> None:
        self.wish = wish
        self.fault = ""
        self.compared = self.agreed = self.repeated = self.golden = 0
        self._novelty = Deduplicator()
        self.race = PairedTiming(wish.beyond)
        self.loaded = False
        self._model = model
        self._folder = folder
        self._drift: Optional[DriftWatch] = None
        self._before = model.session.watch
        self._sample: Optional[Tuple[Arrays, Arrays]] = None
        self._wanted = False
        self._ended = False
        self._came = threading.Event()
        self._in_rows = takes_rows(model.session)
        self._likeness = Agreement()
        model.session.watch = self
        self._thread = guarded_thread("mirror", self._work, self._failed, lasts=False)
        self._thread.start()

    # In the path of a request

    def observe(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> None:
        """Observe a request; copy its first row when the thread wants a sample."""
        if self._before is not None:
            self._before.observe(inputs, outputs)
        drift = self._drift
        if drift is not None:
            drift.observe(inputs, outputs)
        if self._wanted:
            self._wanted = False
            # What clients send is overwritten by the next request: this is the only copy.
            self._sample = first_row(inputs, outputs, self._in_rows)
            if self._sample is not None:
                self._came.set()
            else:
                self._wanted = True

    # On the thread of the comparison

    def end(self) -> None:
        """Stop comparing, and unload the other release."""
        self._ended = True
        self._came.set()
        if self._model.session.watch is self:
            self._model.session.watch = self._before

    def _work(self) -> None:
        yield_to_requests()
        try:
            other = self._load()
            golden = GoldenRequests(self._model) if self.wish.golden else None
            self.loaded = True
            while not self._ended:
                self._wanted = True
                if self._came.wait(_QUIET_S if golden else None):
                    self._came.clear()
                    if self._ended or self._sample is None:
                        continue
                    start = time.thread_time()
                    self._compare(other, *self._sample)
                    self._sample = None
                elif golden:
                    self._wanted = False
                    start = time.thread_time()
                    self._compare_golden(other, golden)
                # Of the processor's time, not of the clock's: it is taken where others want it.
                self._rest((time.thread_time() - start) * (1.0 / self.wish.share - 1.0))
        except (LoadError, ModuleNotFoundError) as error:
            self.fault = "The previous release cannot run next to this one: {}".format(error)
        finally:
            self._wanted = False

    def _compare_golden(self, other: ModelSession, golden: GoldenRequests) -> None:
        """Compare the next golden sample; each one counts once, however often it is timed."""
        inputs, outputs, is_new = golden.take()
        if is_new:
            self.golden += self._compare(other, inputs, outputs)
        elif self.wish.timed:
            self._time(self._model.session, other, inputs, list(outputs))

    def _failed(self, error: BaseException) -> None:
        self.fault = "The comparison ended: {}".format(first_line(error))

    def _rest(self, seconds: float) -> None:
        if seconds > 1e-3 and not self._ended:
            self._came.wait(seconds)
            if not self._ended:
                self._came.clear()

    def _load(self) -> ModelSession:
        source = from_bundle(self._folder)
        mine = self._model.session
        same = self._model.source.acceleration.of_release(source.digest)
        session = ModelSession(source.path, mine.threads, mine.arena, source.backend, same)
        if set(session.inputs) != set(mine.inputs):
            raise LoadError("it has other inputs.")
        self._drift = watch_of(source.drift)
        return session

    def _compare(self, other: ModelSession, inputs: Arrays, outputs: Arrays) -> bool:
        """Compare the answers to one sample; return whether it counts."""
        names = [name for name in outputs if name in other.outputs]
        if not names:
            raise LoadError("it has other outputs.")
        session = self._model.session
        try:
            theirs = other.quietly(inputs, names)
        except Exception as error:
            raise LoadError("it does not take these inputs. " + first_line(error)) from None
        is_new = self._novelty.add(inputs)
        if is_new:
            mine = {name: outputs[name] for name in names}
            self.compared += 1
            self.agreed += self._likeness.same(mine, dict(zip(names, theirs)))
        else:
            self.repeated += 1
        if self.wish.timed:
            self._time(session, other, inputs, names)
        return is_new

    def _time(self, new: ModelSession, old: ModelSession, inputs: Arrays, names: List[str]) -> None:
        # A single thread's own time does not see who else wants the processor.
        clock = time.thread_time if new.threads == 1 else time.perf_counter
        runs = [partial(one.quietly, inputs, names) for one in (new, old)]
        shapes = tuple(inputs[name].shape for name in sorted(inputs))
        self.race.add(shapes, pair(runs, clock))

    def status(self) -> Dict[str, object]:
        """Return the counts, as plain data."""
        drift = self._drift
        low, high = wilson(self.agreed, self.compared)
        ratio = self.race.ratio
        told: Dict[str, object] = {
            "release": self.wish.release,
            "trial": self.wish.timed,
            "loaded": self.loaded,
            "low": round(low, 4),
            "high": round(high, 4),
            "compared": self.compared,
            "agreed": self.agreed,
            "repeated": self.repeated,
            "golden": self.golden,
            "timed": self.race.stretches,
            "slower": self.race.slower,
            "ratio": None if ratio is None else round(ratio, 4),
            "fault": self.fault,
            "drift": None,
        }
        if drift is not None:
            seen = drift.status()
            keys = ("windows", "differing", "alarm", "causes", "fault")
            told["drift"] = {key: seen[key] for key in keys}
        return told


def follow(model: ServedModel) -> Optional[Attached]:
    """Start, continue or end a comparison, as the file requests now; return it, or None."""
    found = wish_for(model.source.path, model.source.digest, model.source.beside)
    mirror = model.mirror
    if mirror is not None and (found is None or found[0] != mirror.wish):
        mirror.end()
        model.mirror = mirror = None
    if mirror is None and found is not None:
        compare = model.comparison or partial(_comparison, model)
        model.mirror = mirror = compare(*found)
    return mirror


def _comparison(model: ServedModel, wish: TrialRequest, folder: Path) -> Attached:
    if model.generator is None:
        return ShadowComparison(model, wish, folder)
    from .text_shadow import TextShadow

    return TextShadow(model.generator, wish, folder)
