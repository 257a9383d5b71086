"""Estimate of a model's accuracy without labels; available only while nothing drifts.

Average thresholded confidence (Garg, Balakrishnan, Lipton, Neyshabur and Sedghi, "Leveraging
unlabeled data to predict out-of-distribution performance", ICLR 2022): the share of answers whose
confidence is above a threshold. The threshold was chosen so that as many of the labelled reference
data were above it as were answered correctly.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Deque, Dict

from ..shared.statistics import wilson
from .reference import Estimate

KEPT = 64
"""Windows without drift that are looked at together: a byte each."""
FEWEST = 4


class Estimated:
    """The estimate of one served model.

    Args:
        window: Frames of a window.
    """

    def __init__(self, reference: Estimate, window: int) -> None:
        self.reference = reference
        self._window = window
        self._sure: Deque[int] = deque(maxlen=KEPT)
        self._drifts = False

    def add(self, sure: int, drifts: bool) -> None:
        """Add a window.

        Args:
            sure: Frames above the threshold.
            drifts: The window differs from the reference, or the alarm is on.
        """
        self._drifts = drifts
        if drifts:
            self._sure.clear()  # earlier windows give no evidence on the current state
        else:
            self._sure.append(sure)

    def status(self) -> Dict[str, object]:
        """Return the estimate with its 95 % interval, or the reason why it is not available.

        The interval joins that of the share now with that of the reference data's: both are counts.
        """
        learned = self.reference.right / self.reference.frames
        told: Dict[str, object] = {"accuracy": None, "low": None, "high": None, "frames": 0}
        told["reference"] = learned
        if self._drifts:
            why = "What the model sees differs from its reference data: then estimates are wrong."
            return {**told, "why": why}
        frames = len(self._sure) * self._window
        if len(self._sure) < FEWEST:
            why = "{} frames without drift are too few: {} are needed."
            return {**told, "why": why.format(frames, FEWEST * self._window)}
        sure = sum(self._sure)
        share = sure / frames
        low, high = wilson(sure, frames)
        lowest, highest = wilson(self.reference.right, self.reference.frames)
        told["accuracy"] = round(share, 4)
        told["low"] = round(max(0.0, share - math.hypot(share - low, learned - lowest)), 4)
        told["high"] = round(min(1.0, share + math.hypot(high - share, highest - learned)), 4)
        return {**told, "frames": frames, "why": ""}
