"""The grey of colours, as in JPEG."""

from __future__ import annotations

import numpy as np

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_PIXELS = 1 << 20
"""That are turned into floats at a time: they are four times as large."""


def grey(pixels: np.ndarray) -> np.ndarray:
    """Return the luma of a picture (height x width x 3, RGB), float32."""
    luma = np.array(_LUMA, dtype=np.float32)
    found = np.empty(pixels.shape[:2], np.float32)
    step = max(1, _PIXELS // pixels.shape[1])
    for begin in range(0, len(pixels), step):
        found[begin : begin + step] = pixels[begin : begin + step].astype(np.float32) @ luma
    return found
