"""Steps on signals: windows, and levels for the state of a machine."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

import numpy as np

from ..items import NOTHING, SIGNAL, VALUES, FrameStamp, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError

_MOST_SAMPLES = 10_000_000
_RATE_OFF = 0.01
_RATE_PIECES = 3


class WindowSettings(NamedTuple):
    """Settings of windows over a signal.

    Attributes:
        rate_hz: Samples a second of the source.
        size: Seconds of one window.
        every: Seconds from the start of one window to that of the next; 0: as ``size``.
        skip: Seconds of the signal before the first window, which are left out.
    """

    rate_hz: float
    size: float
    every: float = 0.0
    skip: float = 0.0


class SampleRate:
    """The samples a second that a source really gives, by the times of its pieces."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._before: Optional[Tuple[FrameStamp, int]] = None
        self._rate = 0.0
        self._pieces = 0

    def check(self, stamp: FrameStamp, samples: int) -> None:
        """Take a piece; pieces that were dropped show no rate.

        Raises:
            ValueError: when several pieces in a row agree on another rate. A single one is a gap.
        """
        before, self._before = self._before, (stamp, samples)
        if before is None or stamp.number != before[0].number + 1 or stamp.time <= before[0].time:
            return
        rate = before[1] / (stamp.time - before[0].time)
        same = abs(rate - self._rate) <= _RATE_OFF * rate
        wrong = abs(rate - self._rate_hz) > _RATE_OFF * self._rate_hz
        self._pieces = self._pieces + 1 if same and wrong else 0
        self._rate = rate
        if self._pieces >= _RATE_PIECES:
            sentence = "the source gives {:,.0f} samples a second, and rate_hz is {:,.0f}"
            raise ValueError(sentence.format(rate, self._rate_hz))


class Window:
    """Cuts a signal into windows, samples x channels, which overlap where ``every`` < ``size``.

    Window k begins with sample round((skip + k * every) * rate) of the signal, so that rounding
    does not add up. After a gap in the times, or another number of channels, the windows begin
    at the next sample.
    """

    def __init__(self, name: str, settings: WindowSettings, context: AppContext) -> None:
        """Check the sizes.

        Raises:
            AppError: when they are out of range.
        """
        self._rate_hz = settings.rate_hz
        self._step = settings.rate_hz * (settings.every or settings.size)
        self._size = round(settings.rate_hz * settings.size)
        self._skip = settings.rate_hz * settings.skip
        if not 0 <= self._skip <= _MOST_SAMPLES:
            sentence = "steps.{}: skip is up to {:,} samples at rate_hz."
            raise AppError(sentence.format(name, _MOST_SAMPLES))
        if settings.rate_hz <= 0 or not 1 <= self._size <= _MOST_SAMPLES or self._step < 1:
            sentence = "steps.{}: size and every are one to {:,} samples at rate_hz."
            raise AppError(sentence.format(name, _MOST_SAMPLES))
        self._rate = SampleRate(settings.rate_hz)
        self._begin(0.0)

    def _begin(self, moment: float) -> None:
        self._moment = moment
        self._window = 0
        self._first = 0
        self._end = 0
        self._samples: Optional[np.ndarray] = None

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Take a piece, samples x channels; give the window that it completes, if any.

        Raises:
            ValueError: for pieces that complete two windows at once, and another sample rate.
        """
        self._append(stamp, value)
        start = self._start
        if self._end < start + self._size:
            return NOTHING
        samples = self._samples
        assert samples is not None
        found = samples[start - self._first : start - self._first + self._size].copy()
        self._window += 1
        following = self._start
        self._forget(following)
        if self._end >= following + self._size:
            self._begin(0.0)
            raise ValueError("windows follow faster than pieces of the source: set its piece_s")
        return StepOutput(found)

    def _append(self, stamp: FrameStamp, value: Any) -> None:
        piece = np.asarray(value, dtype=np.float32)
        piece = piece.reshape(len(piece), -1)
        self._rate.check(stamp, len(piece))
        samples = self._samples
        due = self._moment + self._end / self._rate_hz
        # Half a sample, and what seconds since the start of a computer are rounded by.
        gap = abs(stamp.time - due) > 0.5 / self._rate_hz + 1e-6
        if samples is None or gap or samples.shape[1] != piece.shape[1]:
            self._begin(stamp.time)
            self._samples = piece
        else:
            self._samples = np.concatenate([samples, piece])
        self._end += len(piece)
        self._forget(self._start)

    @property
    def _start(self) -> int:
        """Number of the first sample of the window that comes next."""
        return round(self._skip + self._window * self._step)

    def _forget(self, before: int) -> None:
        """Drop the samples before a number."""
        if self._samples is not None and before > self._first:
            dropped = min(before - self._first, len(self._samples))
            self._samples = self._samples[dropped:]
            self._first += dropped


class LevelSettings(NamedTuple):
    """Settings of the levels of a signal.

    Attributes:
        rate_hz: Samples a second of the source.
    """

    rate_hz: float


class Level:
    """Levels of a piece of a signal, as condition monitoring of machines uses them.

    Per channel: ``rms`` without the mean, ``peak`` (largest distance from the mean), ``crest``
    (peak / rms), ``kurtosis`` (fourth standardised moment: 3 for normal noise, 1.5 for a sine) and
    ``dominant_hz``. With several channels their numbers follow: ``rms_0``, ``rms_1``.
    """

    def __init__(self, name: str, settings: LevelSettings, context: AppContext) -> None:
        """Check the rate.

        Raises:
            AppError: when it is not above 0.
        """
        if settings.rate_hz <= 0:
            raise AppError("steps.{}: rate_hz must be above 0.".format(name))
        self._rate_hz = settings.rate_hz

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Give the levels of samples x channels."""
        samples = np.asarray(value, dtype=np.float64)
        if not samples.size:
            return NOTHING
        samples = samples.reshape(len(samples), -1)
        found: Dict[str, float] = {}
        for at in range(samples.shape[1]):
            end = "_{}".format(at) if samples.shape[1] > 1 else ""
            for name, one in levels(samples[:, at], self._rate_hz).items():
                found[name + end] = one
        return StepOutput(found)


def levels(samples: np.ndarray, rate_hz: float) -> Dict[str, float]:
    """Return the levels of one channel; those of a constant signal are 0."""
    rest = samples - samples.mean()
    rms = float(np.sqrt(np.mean(rest**2)))
    peak = float(np.abs(rest).max())
    if rms < 1e-12 * max(1.0, float(np.abs(samples).max())):
        return dict.fromkeys(("rms", "peak", "crest", "kurtosis", "dominant_hz"), 0.0)
    return {
        "rms": rms,
        "peak": peak,
        "crest": peak / rms,
        "kurtosis": float(np.mean((rest / rms) ** 4)),
        "dominant_hz": dominant_hz(rest, rate_hz),
    }


def dominant_hz(samples: np.ndarray, rate_hz: float) -> float:
    """Return the frequency of the strongest oscillation in Hz.

    The peak of the spectrum under a Hann window, with a parabola through the logarithms of three
    bins (J. O. Smith, Spectral Audio Signal Processing, 2011): some hundredths of a bin exact.
    """
    if len(samples) < 4:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    at = int(spectrum[1:].argmax()) + 1
    shift = 0.0
    if at + 1 < len(spectrum):
        left, top, right = np.log(np.maximum(spectrum[at - 1 : at + 2], 1e-30))
        bend = left - 2 * top + right
        shift = float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend else 0.0
    return (at + shift) * rate_hz / len(samples)


_TYPES = (
    StepType(
        "window",
        "Cut a signal into windows, which may overlap",
        kinds(SIGNAL),
        kinds(SIGNAL),
        WindowSettings,
        Window,
    ),
    StepType(
        "level",
        "Levels of a signal: RMS, peak, crest factor, kurtosis and dominant frequency",
        kinds(SIGNAL),
        kinds(VALUES),
        LevelSettings,
        Level,
        shared=True,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
