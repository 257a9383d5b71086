"""The clock of a camera: when its frames were taken, on the clock of this computer."""

from __future__ import annotations

import math

_JUMP_S = 1.0
"""A larger difference is that of a camera that was restarted, or has lost its clock."""
_DRIFT = 0.001
"""Share by which a camera's clock may be faster or slower."""
_LEAST_S = 1e-4


class CameraClock:
    """Times of frames by the time stamps in their stream.

    The network delays frames by different times, never by less than none. So the frame that arrived
    soonest after its time stamp shows the difference of the two clocks. A slow drift is followed
    (as NTP's minimum filter does, RFC 5905). Speeds and durations are then those of the camera,
    without the jitter of the network.
    """

    def __init__(self) -> None:
        self._offset = math.nan
        self._stamp = -math.inf
        self._last = -math.inf

    def time_of(self, stamp: float, arrived: float) -> float:
        """Return when a frame was taken, up to the shortest delay of the network.

        Args:
            stamp: Its time stamp in seconds; a stream without any has the same for all frames.
            arrived: When it was read, in seconds on a clock that never jumps.

        Returns:
            A time not later than ``arrived``, and later than that of the frame before; ``arrived``
            itself where the stream has no time stamps.
        """
        passed = stamp - self._stamp
        self._stamp = stamp
        if not math.isfinite(stamp) or passed <= 0.0:
            self._offset = math.nan
            return self._after(arrived, arrived)
        offset = arrived - stamp
        if not abs(offset - self._offset) < _JUMP_S:  # also of the first frame
            self._offset = offset
        else:
            self._offset = min(offset, self._offset + _DRIFT * passed)
        return self._after(stamp + self._offset, arrived)

    def _after(self, moment: float, arrived: float) -> float:
        self._last = min(max(moment, self._last + _LEAST_S), max(arrived, self._last + _LEAST_S))
        return self._last
