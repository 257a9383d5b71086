"""Speed monitor: the model's present speed against its profile, and causes of a slowdown.

The compared quantity is the median time of the model alone for one row of a request, as a profile
measures it: without queue, reading and writing. The interval comes from the medians of pieces of
five seconds, as neighbouring requests share their disturbances.
"""

from __future__ import annotations

import math
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ...shared.documents import read_record
from ...shared.statistics import Z
from .board_state import BoardHistory
from .buckets import BUCKETS, buckets_of, percentile

QUANTILE = "p50"
MARGIN = 1.10
"""Times as slow from which it is said; less is within what machines differ from day to day."""
LEAST_MS = 0.15
"""... and so much in any case: a profile's loop finds in the caches what a request does not."""
ALIKE_SIZE = 1.25
_SLOTS = 12
_SLOT_S = 5.0
_OF_A_SLOT = 5
"""Runs in a piece of five seconds below which its median says nothing."""
_FEWEST_SLOTS = 3
_STUDENT = (4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20)
"""97.5 % quantiles of Student's distribution with 2, 3, ... degrees of freedom."""
_OF_MAD = 1.4826
_OF_MEDIAN = 1.2533
_BUCKET = 0.0125
"""What a bucket of 5 % leaves open of a logarithm, with interpolation."""
_LOWER_CLOCK = 0.92
_BUSY = 0.5
_STOLEN = 0.02
_BESIDE = 1.3
_LONG_QUEUE = 1.0


class SpeedBaseline(NamedTuple):
    """Baseline: the model's time where it was measured.

    Attributes:
        of: ``profile``, or ``start``: the server's own runs when it was loaded.
        ms: Median of one row.
        error: Standard error of its logarithm.
        size: Bytes of the inputs of a row; 0: any.
        clock_mhz: While it was measured, where that is known.
        told: Further details of the profile, for people.
    """

    of: str
    ms: float
    error: float
    size: float = 0.0
    clock_mhz: Optional[float] = None
    told: Mapping[str, object] = {}


class _Origin(NamedTuple):
    """Where and how the bundle's profiles were measured."""

    machine: object = None
    target: object = None
    threads: object = None


class _Profile(NamedTuple):
    """A profile of the model, as the bundle keeps it."""

    target: object = None
    run: object = None
    at: object = None
    threads: object = None
    rows: Optional[int] = None
    p50_ms: Optional[float] = None
    p90_ms: object = None
    p99_ms: object = None
    error: Optional[float] = None
    bytes: Optional[float] = None
    clock_mhz: Optional[float] = None


def of_profiles(
    content: Optional[Mapping[str, object]], machine: Mapping[str, object], threads: int
) -> Tuple[Optional[SpeedBaseline], str]:
    """Return the newest profile of this machine and number of threads, or why it is missing.

    Args:
        content: Of the bundle's baseline; None where it has none.
        machine: ``cpu``, ``arch`` and ``board``, as a profile's environment has them.
    """
    listed = (content or {}).get("profiles")
    known = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if not known:
        return None, "The bundle holds no profile of this model."
    origins = [(read_record(_Origin, one), one) for one in known]
    here = [pair for pair in origins if _same_machine(pair[0].machine, machine)]
    if not here:
        names = ", ".join(sorted({str(origin.target) for origin, _ in origins}))
        return None, "The bundle's profiles ({}) are of other machines.".format(names)
    fitting = [one for origin, one in here if origin.threads == threads]
    if not fitting:
        counts = ", ".join(str(origin.threads) for origin, _ in here)
        sentence = "It was profiled with {} threads and is served with {}: profile it with that."
        return None, sentence.format(counts, threads)
    try:
        return _baseline(read_record(_Profile, fitting[0])), ""
    except (KeyError, TypeError, ValueError):
        return None, "The bundle's profile cannot be read."


def _baseline(found: _Profile) -> SpeedBaseline:
    rows = max(1, found.rows or 1)
    ms = (found.p50_ms or 0.0) / rows
    if not ms > 0.0:
        raise ValueError("no time")
    return SpeedBaseline(
        "profile",
        ms,
        min(1.0, max(0.0, found.error or 0.0)),
        (found.bytes or 0.0) / rows,
        found.clock_mhz or None,
        {
            key: getattr(found, key)
            for key in ("target", "run", "at", "threads", "p90_ms", "p99_ms")
        },
    )


def of_start(seconds: Sequence[float], size: float, rows: int) -> Optional[SpeedBaseline]:
    """Return the baseline from the server's own first runs; None if they are too few."""
    times = [one / max(1, rows) for one in seconds if one > 0.0]
    if len(times) < _OF_A_SLOT:
        return None
    logs = np.log(times)
    spread = _OF_MAD * float(np.median(np.abs(logs - np.median(logs))))
    error = _OF_MEDIAN * max(spread, _BUCKET) / math.sqrt(len(times))
    return SpeedBaseline("start", 1e3 * float(np.exp(np.median(logs))), error, size / max(1, rows))


def _same_machine(one: object, other: Mapping[str, object]) -> bool:
    if not isinstance(one, dict):
        return False
    return all(one.get(key) == other.get(key) for key in ("cpu", "arch", "board"))


class Runs:
    """Times of one row in the model, over the last minute: a ring of bucket counts.

    Args:
        size: Bytes of a row's inputs that count; others are only counted separately. 0: all do.
    """

    def __init__(self, size: float = 0.0) -> None:
        self._size = size
        self._counts = np.zeros((_SLOTS, BUCKETS), np.int64)
        self._sums = np.zeros((_SLOTS, 5))  # runs, rows, seconds in the model, in the queue, others
        self._epochs = np.full(_SLOTS, -1, np.int64)

    def record(
        self,
        now: np.ndarray,
        seconds: np.ndarray,
        rows: np.ndarray,
        queue: np.ndarray,
        sizes: np.ndarray,
    ) -> None:
        """Count runs.

        Args:
            now: A monotonic clock at the end of each, in seconds.
            seconds: Of the whole run, for all of its rows.
            queue: Seconds that its first request had waited.
            sizes: Bytes of the inputs of a row.
        """
        epochs = (now / _SLOT_S).astype(np.int64)
        rows = np.maximum(rows, 1.0)
        buckets = buckets_of(seconds / rows)
        fits = np.ones(len(now), bool)
        if self._size > 0:
            fits = np.maximum(sizes / self._size, self._size / np.maximum(sizes, 1e-9)) < ALIKE_SIZE
        ones = np.ones(len(now))
        facts = np.stack([ones, rows, seconds, queue, ~fits * ones], axis=1)
        for epoch in np.unique(epochs):
            slot, chosen = epoch % _SLOTS, epochs == epoch
            if self._epochs[slot] != epoch:
                self._epochs[slot] = epoch
                self._counts[slot] = 0
                self._sums[slot] = 0.0
            self._counts[slot] += np.bincount(buckets[chosen & fits], minlength=BUCKETS)
            self._sums[slot] += facts[chosen].sum(axis=0)

    def recent(self, now: float) -> Tuple[np.ndarray, np.ndarray]:
        """Bucket counts and sums of each piece of the last minute that has some."""
        oldest = int(now / _SLOT_S) - _SLOTS + 1
        there = (self._epochs >= oldest) & (self._sums[:, 0] > 0)
        return self._counts[there], self._sums[there]


def ratio_of(counts: np.ndarray, baseline: SpeedBaseline) -> Optional[Tuple[float, float, float]]:
    """Return the ratio to a baseline with its 95 % interval; None with too few counts.

    The centre is the median of the pieces' medians, the spread their median absolute deviation: one
    disturbed piece changes neither.

    Args:
        counts: Buckets of each piece of five seconds.
    """
    enough = counts[counts.sum(axis=1) >= _OF_A_SLOT]
    if len(enough) < _FEWEST_SLOTS:
        return None
    logs = np.log([1e3 * percentile(one.tolist(), 0.5) / baseline.ms for one in enough])
    centre = float(np.median(logs))
    spread = max(_OF_MAD * float(np.median(np.abs(logs - centre))), _BUCKET)
    student = _STUDENT[min(len(logs) - _FEWEST_SLOTS, len(_STUDENT) - 1)]
    own = student * _OF_MEDIAN * spread / math.sqrt(len(logs))
    half = math.hypot(own, Z * baseline.error)
    return math.exp(centre), math.exp(centre - half), math.exp(centre + half)


class SlowdownCause(NamedTuple):
    """Possible cause of a slowdown.

    Attributes:
        name: ``throttling``, ``clock``, ``stolen``, ``load``, ``beside``, or ``unknown``.
    """

    name: str
    text: str


def causes_of(
    state: BoardHistory, baseline: SpeedBaseline, cores: int, beside: float
) -> List[SlowdownCause]:
    """Return the causes of a slowdown that the board shows, the surest first.

    Args:
        beside: Concurrent runs, in the mean.
    """
    found = []
    slower_clock = ""
    if baseline.clock_mhz and state.clock_mhz:
        share = state.clock_mhz / baseline.clock_mhz
        if share < _LOWER_CLOCK:
            slower_clock = "{:.0f} MHz where {:.0f} were profiled, which explains {:.2f}".format(
                state.clock_mhz, baseline.clock_mhz, 1.0 / share
            )
    if state.throttled:
        heat = "" if state.celsius is None else "{:.0f} °C".format(state.celsius)
        parts = [*state.throttled, heat, slower_clock]
        text = "the board throttles ({})".format(", ".join(part for part in parts if part))
        found.append(SlowdownCause("throttling", text))
    elif slower_clock:
        found.append(
            SlowdownCause("clock", "the clock is lower, and nothing throttles: " + slower_clock)
        )
    if state.stolen > _STOLEN:
        text = "a hypervisor takes {:.0%} of the processors' time".format(state.stolen)
        found.append(SlowdownCause("stolen", text))
    if state.others is not None and state.others > _BUSY * cores:
        text = "other programs keep {:.1f} of {} processors busy".format(state.others, cores)
        found.append(SlowdownCause("load", text))
    if beside > _BESIDE:
        text = "{:.1f} requests run beside each other".format(beside)
        found.append(SlowdownCause("beside", text))
    return found


class SpeedMonitor:
    """The comparison of one served model with its baseline.

    Attributes:
        baseline: None without any measurement.
        note: Reason why it is not a profile's; empty where it is.
    """

    def __init__(self, baseline: Optional[SpeedBaseline], note: str, cores: int) -> None:
        self.baseline = baseline
        self.note = note
        self.runs = Runs(baseline.size if baseline is not None else 0.0)
        self._cores = cores

    def ratio(self, now: float) -> Optional[float]:
        """Return the ratio to the baseline; None where it cannot be said."""
        found = None if self.baseline is None else ratio_of(self.runs.recent(now)[0], self.baseline)
        return None if found is None else round(found[0], 3)

    def status(self, now: float, state: BoardHistory) -> Dict[str, object]:
        """Return the status that the monitor shows, as plain data.

        Returns:
            ``of, quantile, baseline_ms, now_ms, ratio, low, high, verdict`` (``slower``, ``as
            measured``, ``faster``, ``undecided``). Also ``cause, causes, text, note, profile``, and
            the clients' time in the queue (``queue_ms``).
        """
        counts, sums = self.runs.recent(now)
        told: Dict[str, object] = {
            "of": None,
            "quantile": QUANTILE,
            "ratio": None,
            "low": None,
            "high": None,
            "verdict": "",
            "cause": "",
            "causes": [],
            "queue_ms": None,
            "note": self.note,
        }
        if self.baseline is None:
            return {**told, "text": "There is nothing to hold its speed against."}
        of = self.baseline
        told.update(of=of.of, baseline_ms=round(of.ms, 4), profile=dict(of.told))
        runs, rows, seconds, queue, others = sums.sum(axis=0) if len(sums) else np.zeros(5)
        if runs:
            told["queue_ms"] = round(1e3 * queue / runs, 4)
            told["rows"] = round(rows / runs, 2)
        found = ratio_of(counts, of)
        if found is None:
            return {**told, "text": _too_few(int(runs), int(others))}
        ratio, low, high = found
        verdict = _verdict(low, high, of.ms)
        told.update(ratio=round(ratio, 3), low=round(low, 3), high=round(high, 3), verdict=verdict)
        told["now_ms"] = round(ratio * of.ms, 4)
        beside = seconds / (len(sums) * _SLOT_S)
        causes = causes_of(state, of, self._cores, beside) if verdict == "slower" else []
        if verdict == "slower" and not causes:
            causes = [SlowdownCause("unknown", "nothing that the board tells explains it")]
        told["causes"] = [cause._asdict() for cause in causes]
        told["cause"] = causes[0].name if causes else ""
        texts = [_verdict_text(verdict, found, of), *(cause.text for cause in causes)]
        if queue / runs > _LONG_QUEUE * seconds / runs:
            texts.append("clients wait {:.3g} ms for their turn".format(1e3 * queue / runs))
        if others > 0.2 * runs:
            texts.append("{:.0%} of the runs are of another size, left out".format(others / runs))
        return {**told, "text": "; ".join(texts) + "."}


def _verdict(low: float, high: float, ms: float) -> str:
    allowed = max(MARGIN, 1.0 + LEAST_MS / ms)
    if low > allowed:
        return "slower"
    if high < 1.0 / MARGIN:
        return "faster"
    return "as measured" if high <= allowed else "undecided"


def _verdict_text(verdict: str, found: Tuple[float, float, float], of: SpeedBaseline) -> str:
    what = "profiled" if of.of == "profile" else "measured at the start"
    numbers = "{:.2f} times the median {} ({:.2f} to {:.2f})".format(found[0], what, *found[1:])
    if verdict == "as measured" and found[0] > MARGIN:
        return numbers + _LITTLE.format(LEAST_MS)
    return numbers + {"slower": ": slower", "faster": ": faster"}.get(verdict, "")


_LITTLE = ": within the {:.2f} ms that a request may take more than a run of a profile"


def _too_few(runs: int, others: int) -> str:
    if others and others >= 0.8 * runs:
        return "Nearly all requests are of another size than what was measured."
    if runs - others >= _FEWEST_SLOTS * _OF_A_SLOT:
        # There are enough of them, but not for long enough: the interval comes from the pieces.
        return "Too soon to say: requests must come for {:.0f} s.".format(_FEWEST_SLOTS * _SLOT_S)
    return "Too few requests in the last minute ({}) to say.".format(runs)
