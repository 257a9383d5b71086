"""Sound of a voice: its length, its levels, and a WAV file."""

from __future__ import annotations

import base64
from typing import Dict

import numpy as np

from ...speech.voice import pcm_of, wav_of
from .settings import OutputSettings
from .vectors import short


def sound(row: np.ndarray, settings: OutputSettings) -> Dict[str, object]:
    """Return the sound of one run; ``wav`` is a WAV file in base64."""
    content = wav_of(pcm_of(row), settings.rate_hz)
    return {
        "seconds": short(len(row) / settings.rate_hz),
        "rate_hz": settings.rate_hz,
        "peak": short(float(np.abs(row).max())),
        "rms": short(float(np.sqrt(np.mean(row**2)))),
        "wav": base64.b64encode(content).decode("ascii"),
    }
