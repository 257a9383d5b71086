"""The few layers whose rounding alone makes most of the error at the outputs."""

from __future__ import annotations

from collections.abc import Mapping

_MOST_SHARE = 10
"""At most one layer in so many stays in float, and none that holds so large a part of the weights:
then the time lost is small, and nothing needs to be measured to know that."""

_MOST_NOISE = 0.25
"""A layer that makes more than this part of what is left is worth its time; at half, samples of
another kind left all of PP-OCRv5 in int8, and three times as many texts were lost."""

FEWEST = _MOST_SHARE
"""With fewer layers none is kept."""


def outliers(noises: Mapping[str, float], weights: Mapping[str, int]) -> list[str]:
    """Layers that each make more than a quarter of the noise that is left with it, the worst first.

    Args:
        noises: Power of the error at the output when a layer alone is quantized, over that of the
            output.
        weights: Number of weights of each layer.
    """
    left, most = sum(noises.values()), sum(weights.values()) / _MOST_SHARE
    found: list[str] = []
    for name in sorted(noises, key=lambda name: -noises[name]):
        if len(found) >= len(noises) // _MOST_SHARE or noises[name] <= left * _MOST_NOISE:
            break
        if weights[name] <= most:
            found.append(name)
        left -= noises[name]
    return found
