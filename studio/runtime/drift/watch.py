"""The watch over one served version: frames in, windows judged, an alarm raised."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Mapping, Optional

import numpy as np

from .reference import OF_LAST, Reference
from .signals import Block, bins_of, count
from .sketch import Sketch
from .window import Alarm, Test, Verdict, causes

BLOCK = 32
MOST_ROWS = 4
"""Rows of one request that are looked at: those of a large batch are enough to know it."""
LONGEST_STRIDE = 64
CALM_WINDOWS = 8
"""Windows of frames unlike each other after which more of them are taken again."""

_NOTHING = Reference(1, 8, (), ())

Listener = Callable[[Verdict, "DriftWatch"], None]


def watch_of(content: Optional[Mapping[str, Any]]) -> Optional[DriftWatch]:
    """The watch for the reference of a bundle; None where it has none.

    One that this runtime cannot use gives a watch with that fault: the model is served anyway.
    """
    if content is None:
        return None
    try:
        return DriftWatch(Reference.from_json(content))
    except ValueError as error:
        blind = DriftWatch(_NOTHING)
        blind.fault = "The reference data cannot be used: {}.".format(error)
        return blind


class DriftWatch:
    """Of a stream of requests: takes every n-th frame, n so that they are frames of their own.

    The state that has a meaning (``state_bytes``) is constant; beside it stands room for the raw
    samples of one block.

    Attributes:
        fault: Why nothing is watched any more; empty while something is.
        stride: Every which frame is taken.
    """

    def __init__(self, reference: Reference, heard: Optional[Listener] = None) -> None:
        self.reference = reference
        self.fault = ""
        self.stride = 1
        self.alarm = Alarm()
        self.sketch = Sketch(len(reference.signals))
        self.recent: Deque[Verdict] = deque(maxlen=OF_LAST)
        self._heard = heard
        self._lock = threading.Lock()
        self._test = Test(reference)
        self._together = self._test.together(self.recent)
        self._edges = reference.edges()
        self._columns = [signal.column for signal in reference.signals]
        self._block = Block(reference.taps, min(BLOCK, reference.window))
        self._needs = [(tap.side == "input", tap.name) for tap in reference.taps]
        self._numbers = np.zeros((reference.window, len(reference.signals)), np.float32)
        self._filled = 0
        self._passed = 0
        self._alike = 0
        self._calm = 0

    def see(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> None:
        """Take in what a request asked and was answered; never fails, whatever came."""
        if self.fault:
            return
        self._passed += 1
        if self._passed < self.stride:
            return
        if not all(name in (inputs if of_inputs else outputs) for of_inputs, name in self._needs):
            return  # not all outputs were asked for; the next request may do
        self._passed = 0
        try:
            with self._lock:
                self._take(inputs, outputs)
        except (KeyError, ValueError, TypeError, IndexError, MemoryError) as error:
            # A watch that cannot look must not harm who is watched; the state says why.
            self.fault = "The requests do not fit the reference data: {}.".format(error)

    def _take(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> None:
        of_inputs, name = self._needs[0]
        rows = len((inputs if of_inputs else outputs)[name])
        for row in range(min(rows, MOST_ROWS)):
            self._block.add(row, inputs, outputs)
            if self._block.full:
                self._settle()

    def _settle(self) -> None:
        """Make numbers of what the block holds, and judge the window when that fills it."""
        numbers = self._block.numbers()[:, self._columns]
        bins = bins_of(numbers, self._edges)
        self.sketch.add(count(bins, self.sketch.counts.shape[1]), len(numbers))
        while len(numbers):
            room = self.reference.window - self._filled
            part, numbers = numbers[:room], numbers[room:]
            self._numbers[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            if self._filled == self.reference.window:
                self._judge()

    def _judge(self) -> None:
        self._filled = 0
        verdict = self._test.judge(bins_of(self._numbers, self._edges), self._numbers)
        self._pace(verdict.alike)
        if not verdict.alike:
            self.recent.append(verdict)
            self._together = self._test.together(self.recent)
            self.alarm.add(verdict.differs, bool(self._together.any()))
        if self._heard is not None:
            self._heard(verdict, self)

    def _pace(self, alike: bool) -> None:
        """Take fewer frames when those of two windows were alike; one is a change, not a film."""
        self._alike = self._alike + 1 if alike else 0
        self._calm = 0 if alike else self._calm + 1
        if self._alike >= 2:
            self.stride = min(2 * self.stride, LONGEST_STRIDE)
            self._alike = 0
        elif self._calm >= CALM_WINDOWS and self.stride > 1:
            self.stride //= 2
            self._calm = 0

    @property
    def state_bytes(self) -> int:
        """What is kept between requests, beside the block: counts, and the numbers of a window."""
        recent = sum(one.counts.nbytes + one.statistics.nbytes for one in self.recent)
        return self.sketch.counts.nbytes + self._numbers.nbytes + recent

    def status(self) -> Dict[str, Any]:
        """What the monitor shows, as plain data."""
        with self._lock:
            if not self.fault and self._block.filled:
                self._settle()
            names = [signal.name for signal in self.reference.signals]
            return {
                "alarm": self.alarm.on,
                "alarms": self.alarm.raised,
                "windows": self.alarm.windows,
                "differing": self.alarm.differing,
                "window": self.reference.window,
                "frames": self.sketch.frames,
                "stride": self.stride,
                "causes": causes(self.recent, self._together, names) if self.alarm.on else [],
                "fault": self.fault,
                "signals": self._signals(),
                "sketch": self.sketch.to_json(),
            }

    def _signals(self) -> List[Dict[str, Any]]:
        """Each signal with its reference and what the last windows hold."""
        found = []
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
                }
            )
        return found
