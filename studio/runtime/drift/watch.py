"""Drift monitor of one served version: frames in, windows judged, an alarm raised."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import Callable, Deque, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from .columns import ColumnWatch
from .estimate import KEPT, Estimated
from .reference import MAX_BINS, OF_LAST, Reference
from .signals import Block, bins_of, count, names_of
from .sketch import Sketch
from .window import Alarm, WindowTest, WindowVerdict, causes

MOST_FRAMES_S = 256.0
"""Frames a second that are looked at: eight windows, whatever the load. It bounds the cost."""
MOST_ROWS = 4
"""Rows of one request that are looked at: those of a large batch are enough to know it."""
LONGEST_STRIDE = 64
BUSY_WINDOWS = 4
"""Windows in a row that fill too quickly before fewer frames are taken: a burst is no load."""
CALM_WINDOWS = 8
"""Windows of frames unlike each other after which more of them are taken again."""

_FAR = 60_000.0
"""Widths of the reference from its middle: the range of two bytes."""
_LEAST_WIDTH = 1e-6
_NOTHING = Reference(1, 8, (), ())

Listener = Callable[[WindowVerdict, "DriftWatch"], None]


def watch_of(content: Optional[Mapping[str, object]]) -> Optional[DriftWatch]:
    """Return the watch for the reference of a bundle, or None without a reference.

    One that this runtime cannot use gives a watch with that fault: the model is served anyway.
    """
    if content is None:
        return None
    try:
        return DriftWatch(Reference.from_json(content), frames_s=MOST_FRAMES_S)
    except ValueError as error:
        blind = DriftWatch(_NOTHING)
        blind.fault = "The reference data cannot be used: {}.".format(error)
        return blind


class DriftWatch:
    """Drift watch over a stream of requests; takes every n-th frame, so that frames differ.

    The lasting state (``state_bytes``) is constant in size; in addition there is room for the raw
    samples of one window.

    Args:
        frames_s: Frames a second that are sampled; of more requests only every n-th is. The
            verdict on a window does not depend on it.
        clock: Seconds that never go back.

    Attributes:
        estimated: How often the model is right, where labelled data were there; else None.
        fault: Why nothing is watched any more; empty while something is.
        stride: Every which frame is taken, for frames that resemble each other.
        spared: Every which of these, for the load.
    """

    def __init__(
        self,
        reference: Reference,
        heard: Optional[Listener] = None,
        frames_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reference = reference
        self.fault = ""
        self.stride = self.spared = 1
        self.alarm = Alarm()
        self.recent: Deque[WindowVerdict] = deque(maxlen=OF_LAST)
        self._heard = heard
        self._lock = threading.Lock()
        self._test = WindowTest(reference)
        self._together = self._test.together(self.recent)
        self._edges = reference.edges()
        self._block = Block(reference.taps, reference.window)
        columns = [signal.column for signal in reference.signals]
        self._columns = None if columns == list(range(_width(reference))) else columns
        self._needs = [(tap.side == "input", tap.name) for tap in reference.taps]
        self._shortest_s = reference.window / frames_s
        self._clock = clock
        self._begun = clock()
        self._middle, self._scale = _units(self._edges)
        self._numbers = np.zeros((reference.window, len(reference.signals)), np.float16)
        self._counts = np.zeros((len(reference.signals), MAX_BINS), np.uint8)
        tabular = any(signal.run for signal in reference.signals)
        self._single = ColumnWatch(reference.signals) if tabular else None
        self._bins = np.zeros((reference.window, len(reference.signals)), np.uint8)
        self._judged = Sketch(len(reference.signals))
        self._filled = 0
        self._sure = 0
        self.estimated: Optional[Estimated] = None
        if reference.estimate is not None and reference.estimate.column < _width(reference):
            self.estimated = Estimated(reference.estimate, reference.window)
        self._passed = 0
        self._every = 1
        self._quick = 0
        self._alike = 0
        self._calm = 0

    def observe(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> None:
        """Sample the inputs and outputs of a request; never fails, whatever they are."""
        if self.fault:
            return
        self._passed += 1
        if self._passed < self._every:
            return
        arrays = []
        for of_inputs, name in self._needs:
            array = (inputs if of_inputs else outputs).get(name)
            if array is None:
                return  # not all outputs were requested; the next request may do
            arrays.append(array)
        self._passed = 0
        try:
            with self._lock:
                self._add(arrays)
        except (ValueError, TypeError, IndexError, MemoryError) as error:
            # A watch that fails must not harm the served model; its status contains the reason.
            self.fault = "The requests do not fit the reference data: {}.".format(error)

    def _add(self, arrays: Sequence[np.ndarray]) -> None:
        rows = len(arrays[0])
        if rows == 1:
            self._block.add(arrays)
            if self._filled + self._block.filled == self.reference.window:
                self._settle()
            return
        for row in range(min(rows, MOST_ROWS)):
            self._block.add(arrays, row)
            if self._filled + self._block.filled == self.reference.window:
                self._settle()

    def _settle(self) -> None:
        """Compute the signals of the block, and judge the window if that fills it."""
        numbers = self._block.numbers()
        if self.estimated is not None:
            confidence = numbers[:, self.estimated.reference.column]
            sure = (confidence >= self.estimated.reference.threshold) & np.isfinite(confidence)
            self._sure += int(sure.sum())
        if self._columns is not None:
            numbers = numbers[:, self._columns]
        end = self._filled + len(numbers)
        bins = bins_of(numbers, self._edges)
        self._counts += count(bins, MAX_BINS).astype(np.uint8)
        if self._single is not None:
            self._bins[self._filled : end] = bins
            self._single.repeat(numbers[:, self._single.at])
        # Of the numbers only the order is needed, for which two bytes in these units do.
        numbers = np.clip((numbers - self._middle) * self._scale, -_FAR, _FAR)
        self._numbers[self._filled : end] = numbers
        self._filled = end
        if end == self.reference.window:
            self._judge()

    def _judge(self) -> None:
        self._filled = 0
        verdict = self._with_columns(self._test.judge(self._counts, self._numbers))
        self._counts = np.zeros_like(self._counts)
        self._judged.add(verdict.counts, self.reference.window)
        self._pace(verdict.alike)
        if not verdict.alike:
            self.recent.append(verdict)
            self._together = self._test.together(self.recent)
            if self._single is not None:
                self._together[self._single.at] = self._single.changed
            self.alarm.add(verdict.differs, bool(self._together.any()))
            if self.estimated is not None:
                self.estimated.add(self._sure, verdict.differs or self.alarm.on)
        self._sure = 0
        if self._heard is not None:
            self._heard(verdict, self)

    def _with_columns(self, verdict: WindowVerdict) -> WindowVerdict:
        """Return the verdict with those on columns; a value that repeats needs no window."""
        single = self._single
        if single is None:
            return verdict
        if not verdict.alike:
            single.judge(self._bins[:, single.at])
        verdict.statistics[single.at] = single.evidence
        verdict.beyond[single.at] = single.changed
        return verdict._replace(alike=verdict.alike and not single.stuck.any())

    def _pace(self, alike: bool) -> None:
        """Take fewer frames when those of two windows were alike; one such window is chance."""
        self._alike = self._alike + 1 if alike else 0
        self._calm = 0 if alike else self._calm + 1
        if self._alike >= 2:
            self.stride = min(2 * self.stride, LONGEST_STRIDE)
            self._alike = 0
        elif self._calm >= CALM_WINDOWS and self.stride > 1:
            self.stride //= 2
            self._calm = 0
        self._spare()

    def _spare(self) -> None:
        """Take fewer frames while there are more of them than are sampled in a second."""
        now = self._clock()
        took, self._begun = now - self._begun, now
        self._quick = self._quick + 1 if took < self._shortest_s else 0
        if self._quick >= BUSY_WINDOWS and self._every < LONGEST_STRIDE:
            self.spared *= 2
            self._quick = 0
        elif took > 4 * self._shortest_s and self.spared > 1:
            self.spared //= 2
        self._every = min(self.stride * self.spared, LONGEST_STRIDE)

    @property
    def sketch(self) -> Sketch:
        """Counts of all frames so far."""
        found = Sketch(len(self.reference.signals))
        found.merge(self._judged)
        found.add(self._counts, self._filled)
        return found

    @property
    def state_bytes(self) -> int:
        """Bytes kept between requests: counts, and the signals of a window."""
        recent = sum(one.counts.nbytes + one.statistics.nbytes for one in self.recent)
        window = self._numbers.nbytes + self._counts.nbytes
        estimate = KEPT if self.estimated is not None else 0  # a window's count is below 256
        return self._judged.counts.nbytes + window + recent + estimate

    def status(self) -> Dict[str, object]:
        """Return the status that the monitor shows, as plain data."""
        with self._lock:
            if not self.fault and self._block.filled:
                self._settle()
            sketch = self.sketch
            names = [signal.name for signal in self.reference.signals]
            return {
                "alarm": self.alarm.on,
                "alarms": self.alarm.raised,
                "windows": self.alarm.windows,
                "differing": self.alarm.differing,
                "window": self.reference.window,
                "frames": sketch.frames,
                "stride": self._every,
                "unwatched": list(self.reference.unwatched),
                "stuck": [] if self._single is None else self._single.stuck_names(names),
                "causes": causes(self.recent, self._together, names) if self.alarm.on else [],
                "last": [verdict.differs for verdict in self.recent],
                "fault": self.fault,
                "signals": self._signals(),
                "estimate": None if self.estimated is None else self.estimated.status(),
                "sketch": sketch.to_json(),
            }

    def _signals(self) -> List[Dict[str, object]]:
        """Return each signal with its reference and its values in the last windows."""
        found: List[Dict[str, object]] = []
        for column, signal in enumerate(self.reference.signals):
            bins = len(signal.counts)
            now = sum((one.counts[column, :bins] for one in self.recent), np.zeros(bins, int))
            last = self.recent[-1].statistics[column] if self.recent else None
            found.append(
                {
                    "name": signal.name,
                    "statistic": None if last is None else round(float(last), 2),
                    "limit": round(signal.limit, 2),
                    "edges": list(signal.edges),
                    "reference": list(signal.counts),
                    "recent": [int(number) for number in now],
                    "beyond": sum(bool(one.beyond[column]) for one in self.recent),
                    "together": bool(self._together[column]),
                }
            )
        return found


def _units(edges: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Return the middle of each signal's reference, and one through its width.

    Args:
        edges: signals x (bins - 1), infinite where there are fewer.
    """
    last = np.where(np.isfinite(edges), edges, -np.inf).max(axis=1, initial=-np.inf)
    width = last - edges[:, 0]
    width = np.where(width > 0, width, np.maximum(np.abs(last), _LEAST_WIDTH))
    return (edges[:, 0] + last) / 2, (1.0 / width).astype(np.float32)


def _width(reference: Reference) -> int:
    """Numbers of a frame, of which those that vary are signals."""
    return sum(len(names_of(tap)) for tap in reference.taps)
