"""The families of corruptions, each with its corruptions in five levels.

Those of pictures follow Hendrycks and Dietterich, "Benchmarking neural network robustness to common
corruptions and perturbations" (2019). Lengths are shares of the picture's side.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy
from numpy.random import Generator
from numpy.typing import NDArray

from studio.features.evidence.robustness import blur, digital, lens, noise, signals, weather, winter
from studio.features.evidence.robustness.noise import Pixels
from studio.features.evidence.robustness.signals import ValueSpread

Floats = NDArray[numpy.float64]

OfPictures = Callable[[Pixels, int, Generator], Pixels]
OfSignals = Callable[[Floats, int, Generator, ValueSpread], Floats]

SEVERITIES = 5
TYPOS = "typos"
ADVERSARIAL = "adversarial"

PICTURES: Mapping[str, Mapping[str, OfPictures]] = {
    "noise": {"gaussian": noise.gaussian, "shot": noise.shot, "impulse": noise.impulse},
    "blur": {
        "defocus": blur.defocus,
        "motion": blur.motion,
        "glass": lens.glass,
        "zoom": lens.zoom,
    },
    "weather": {
        "fog": weather.fog,
        "brightness": weather.brightness,
        "snow": winter.snow,
        "frost": winter.frost,
        "spatter": winter.spatter,
    },
    "digital": {
        "contrast": digital.contrast,
        "jpeg": digital.jpeg,
        "pixelate": digital.pixelate,
        "elastic": digital.elastic,
    },
}
SIGNALS: Mapping[str, Mapping[str, OfSignals]] = {
    "noise": {"noise": signals.noise},
    "dropout": {"dropout": signals.dropout},
    "offset": {"offset": signals.offset, "drift": signals.drift},
    "clipping": {"clipping": signals.clipping},
    "missing": {"missing": signals.missing},
}
TEXTS: Mapping[str, tuple[str, ...]] = {TYPOS: (TYPOS,)}


def random_for(seed: int, corruption: str, severity: int, sample: str) -> Generator:
    """Return the random numbers of one sample, whatever order the samples are read in."""
    parts = (zlib.crc32(one.encode("utf-8", "surrogatepass")) for one in (corruption, sample))
    return numpy.random.default_rng([seed, severity, *parts])


def corrupted_picture(
    pixels: Pixels, corruption: OfPictures, severity: int, random: Generator
) -> Pixels:
    """Return a picture with a corruption, again between 0 and 1.

    Args:
        pixels: Height × width × channels, 0 to 1.
        severity: 1 to 5.
    """
    return corruption(pixels, severity - 1, random).clip(0, 1)
