"""Motion of tracked boxes: a Kalman filter for all tracks at once."""

from __future__ import annotations

import numpy as np

_JITTER = 0.05
"""Standard deviation of a detector's edges, in heights of the object."""
_TURN = 0.7
"""Standard deviation of the change of velocity in one second, in heights a second."""
_GROWTH = 0.15
"""Standard deviation of the change of width and height in one second, in heights."""
_FIRST_SPEED = 2.0
"""Standard deviation of the velocity of a new object, in heights a second."""


class BoxMotion:
    """Positions, sizes and velocities of boxes with their uncertainties.

    Constant velocity of the centre with white noise as acceleration, and a random walk of the
    size, both in seconds. Method: Bar-Shalom, Li and Kirubarajan, Estimation with Applications to
    Tracking and Navigation (2001), ch. 6. The four coordinates have no noise in common. Each has a
    filter of two states, and the same few operations compute all filters of all tracks. As in
    DeepSORT (Wojke et al. 2017), noise is relative to the height.

    Attributes:
        means: Centre x, centre y, width, height, n x 4.
        rates: Their changes a second, n x 4; those of the size are zero.
    """

    def __init__(self) -> None:
        self.means = np.empty((0, 4))
        self.rates = np.empty((0, 4))
        self._spread = np.empty((0, 4))  # variance of the means
        self._shared = np.empty((0, 4))  # covariance of means and rates
        self._rate_spread = np.empty((0, 4))

    def add(self, boxes: np.ndarray) -> None:
        """Begin tracks.

        Args:
            boxes: Centre x, centre y, width, height, k x 4.
        """
        count = len(boxes)
        unit = boxes[:, 3:] ** 2
        speeds = np.zeros((count, 4))
        speeds[:, :2] = _FIRST_SPEED**2 * unit
        self.means = np.concatenate([self.means, boxes])
        self.rates = np.concatenate([self.rates, np.zeros((count, 4))])
        self._spread = np.concatenate([self._spread, np.repeat(_JITTER**2 * unit, 4, axis=1)])
        self._shared = np.concatenate([self._shared, np.zeros((count, 4))])
        self._rate_spread = np.concatenate([self._rate_spread, speeds])

    def keep(self, rows: np.ndarray) -> None:
        """Drop all tracks but those of a mask."""
        self.means, self.rates = self.means[rows], self.rates[rows]
        self._spread, self._shared = self._spread[rows], self._shared[rows]
        self._rate_spread = self._rate_spread[rows]

    def predict(self, seconds: float) -> None:
        """Move all tracks on by some time."""
        unit = self.means[:, 3:] ** 2
        turn = _TURN**2 * unit
        self.means += self.rates * seconds
        self._spread += seconds * (2 * self._shared + seconds * self._rate_spread)
        self._spread[:, :2] += turn * (seconds**3 / 3)
        self._spread[:, 2:] += _GROWTH**2 * unit * seconds
        self._shared += seconds * self._rate_spread
        self._shared[:, :2] += turn * (seconds**2 / 2)
        self._rate_spread[:, :2] += turn * seconds

    def update(self, rows: np.ndarray, boxes: np.ndarray) -> None:
        """Correct some tracks by boxes that were seen.

        Args:
            rows: Numbers of the tracks, k.
            boxes: Centre x, centre y, width, height, k x 4.
        """
        spread, shared = self._spread[rows], self._shared[rows]
        seen = spread + _JITTER**2 * boxes[:, 3:] ** 2
        gain, rate_gain = spread / seen, shared / seen
        error = boxes - self.means[rows]
        self.means[rows] += gain * error
        self.rates[rows] += rate_gain * error
        self._spread[rows] = (1 - gain) * spread
        self._shared[rows] = (1 - gain) * shared
        self._rate_spread[rows] -= rate_gain * shared

    def reach(self) -> np.ndarray:
        """Return the standard deviation of where each centre will be seen, n x 2, in pixels."""
        jitter = _JITTER**2 * self.means[:, 3:] ** 2
        found: np.ndarray = np.sqrt(self._spread[:, :2] + jitter)
        return found


def as_centres(corners: np.ndarray) -> np.ndarray:
    """Return boxes as centre x, centre y, width, height, from their corners, n x 4."""
    found = np.empty((len(corners), 4))
    found[:, :2] = (corners[:, :2] + corners[:, 2:]) / 2
    found[:, 2:] = np.maximum(corners[:, 2:] - corners[:, :2], 1e-3)
    return found


def as_corners(boxes: np.ndarray) -> np.ndarray:
    """Return boxes as left, top, right, bottom, from their centres and sizes, n x 4."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def sizes_fit(first: np.ndarray, second: np.ndarray, ratio: float) -> np.ndarray:
    """Return which heights are alike up to a ratio, n x m."""
    quotient = first[:, 3, None] / second[None, :, 3]
    found: np.ndarray = (quotient < ratio) & (quotient > 1 / ratio)
    return found


def slopes(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the slope of each column by least squares, a second.

    Args:
        times: In seconds, n of which at least two differ.
        values: n x m.
    """
    offsets = times - times.mean()
    found: np.ndarray = offsets @ (values - values.mean(axis=0)) / (offsets @ offsets)
    return found
