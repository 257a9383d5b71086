"""The files of the sample ``voice``: what its configuration says, as the runtime reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy

from studio.api import InvalidData, Progress
from studio.runtime.speech.voice import Voice, symbols_of

CONFIG, PHONEMES, OUTPUTS, GOLDEN = "voice.json", "dictionary.txt", "outputs.toml", "golden.npz"

_GREETING = "həlˈoʊ wˈɜːld."
_STILL = (0.0, 1.0, 0.0)
"""Scales without chance, so that a board must give the same sound."""

_INPUTS = ("input", "input_lengths", "scales")


def make(folder: Path, progress: Progress) -> None:
    """Write phonemes, settings and a golden sample from the configuration of a voice.

    Raises:
        InvalidData: when it is not the configuration of a Piper voice.
    """
    progress.progress(0, 1, "Writing the settings")
    try:
        config: Mapping[str, Any] = json.loads((folder / CONFIG).read_text("utf-8"))
        symbols = symbols_of(config["phoneme_id_map"])
        rate = int(config["audio"]["sample_rate"])
        language = str(config["espeak"]["voice"])
        chance = config["inference"]
        scales = [float(chance[name]) for name in ("noise_scale", "length_scale", "noise_w")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidData(
            f"{CONFIG} is no configuration of a Piper voice.", detail=str(error)
        ) from None
    (folder / PHONEMES).write_text("".join(f"{one}\n" for one in symbols), encoding="utf-8")
    lines = ('task = "speech"', f"rate_hz = {rate}", f"language = {json.dumps(language)}")
    text = "\n".join((*lines, f"scales = {scales}")) + "\n"
    (folder / OUTPUTS).write_text(text, encoding="utf-8")
    feeds = Voice(symbols, rate, _STILL).feeds(_GREETING, _INPUTS)
    numpy.savez(folder / GOLDEN, **feeds)
