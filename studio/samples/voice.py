"""The files of the sample ``voice``: phonemes, settings and a golden sample."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy

from studio.api import InvalidData, Progress
from studio.documents.dataclass_json import from_json
from studio.lazy_dataclass import dataclass
from studio.runtime.speech.voice import Voice, symbols_of

CONFIG, PHONEMES, OUTPUTS, GOLDEN = "voice.json", "dictionary.txt", "outputs.toml", "golden.npz"

_GREETING = "həlˈoʊ wˈɜːld."
_STILL = (0.0, 1.0, 0.0)
"""Scales without chance, so that a board must give the same sound."""

_INPUTS = ("input", "input_lengths", "scales")


@dataclass(frozen=True, slots=True)
class VoiceAudio:
    """Sound of a voice: samples a second."""

    sample_rate: int


@dataclass(frozen=True, slots=True)
class VoiceLanguage:
    """Language of a voice, as espeak-ng names it."""

    voice: str


@dataclass(frozen=True, slots=True)
class VoiceChance:
    """Variation of a voice, with the names of its configuration."""

    noise_scale: float
    length_scale: float
    noise_w: float


@dataclass(frozen=True, slots=True)
class VoiceConfig:
    """Configuration of a Piper voice.

    Attributes:
        phoneme_id_map: The numbers of each phoneme.
    """

    phoneme_id_map: Mapping[str, tuple[int, ...]]
    audio: VoiceAudio
    espeak: VoiceLanguage
    inference: VoiceChance


def make(folder: Path, progress: Progress) -> None:
    """Write phonemes, settings and a golden sample from the configuration of a voice.

    Raises:
        InvalidData: when it is not the configuration of a Piper voice.
    """
    progress.progress(0, 1, "Writing the settings")
    try:
        config = from_json(VoiceConfig, json.loads((folder / CONFIG).read_text("utf-8")))
        symbols = symbols_of(config.phoneme_id_map)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidData(
            f"{CONFIG} is no configuration of a Piper voice.", detail=str(error)
        ) from None
    chance, rate = config.inference, config.audio.sample_rate
    scales = [float(one) for one in (chance.noise_scale, chance.length_scale, chance.noise_w)]
    language = json.dumps(config.espeak.voice)
    (folder / PHONEMES).write_text("".join(f"{one}\n" for one in symbols), encoding="utf-8")
    lines = (
        'task = "speech"',
        f"rate_hz = {rate}",
        f"language = {language}",
    )
    text = "\n".join((*lines, f"scales = {scales}")) + "\n"
    (folder / OUTPUTS).write_text(text, encoding="utf-8")
    feeds = Voice(symbols, rate, _STILL).feeds(_GREETING, _INPUTS)
    numpy.savez(folder / GOLDEN, allow_pickle=False, **feeds)
