"""A voice of the form of Piper (VITS): from phonemes to the inputs of the model, and its sound.

Phonemes are numbers with a gap after each, between marks for beginning and end, as the models were
trained (Kim, Kong and Son, "Conditional variational autoencoder with adversarial learning for
end-to-end text-to-speech", 2021).
"""

from __future__ import annotations

import io
import wave
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

GAP, BEGIN, END = "_", "^", "$"
LONGEST = 400
"""Phonemes of one run: the memory of the model grows with their square."""

_QUIETEST = 0.01
_LOUDEST = 32767.0


class Voice(NamedTuple):
    """The facts of a voice.

    Attributes:
        symbols: The phonemes, by the numbers of the model.
        rate_hz: Samples a second of its sound.
        scales: Variation of the sound, length, and variation of durations.
    """

    symbols: Sequence[str]
    rate_hz: int
    scales: Tuple[float, ...]

    def feeds(
        self, phonemes: str, inputs: Sequence[str], speed: float = 1.0
    ) -> Dict[str, np.ndarray]:
        """Return the inputs of the model for some phonemes.

        Args:
            inputs: Names of the model's inputs.
            speed: 2 is twice as fast.

        Raises:
            ValueError: for a voice without the marks of a text, or inputs of another form.
        """
        unknown = [one for one in inputs if one not in _INPUTS]
        if unknown or not set(_INPUTS[:3]) <= set(inputs):
            raise ValueError("the model is no voice of the form of Piper")
        numbers = np.array([self.numbers(phonemes)], np.int64)
        variation, length, durations = self.scales
        found = {
            "input": numbers,
            "input_lengths": np.array([numbers.shape[1]], np.int64),
            "scales": np.array([variation, length / speed, durations], np.float32),
            "sid": np.zeros(1, np.int64),
        }
        return {name: found[name] for name in inputs}

    def numbers(self, phonemes: str) -> List[int]:
        """Return the numbers of phonemes; those that the voice does not know are left out.

        Raises:
            ValueError: for a voice without the marks of a text.
        """
        known = {symbol: number for number, symbol in enumerate(self.symbols) if symbol}
        if not {GAP, BEGIN, END} <= set(known):
            raise ValueError("the dictionary of the voice lacks the phonemes _, ^ and $")
        found = [known[BEGIN], known[GAP]]
        for one in phonemes:
            if one in known:
                found += [known[one], known[GAP]]
        return [*found, known[END]]


_INPUTS = ("input", "input_lengths", "scales", "sid")


def in_runs(sentence: str, longest: int = LONGEST) -> List[str]:
    """Return a sentence in pieces of at most so many phonemes, cut at spaces if it has any."""
    found: List[str] = []
    rest = sentence
    while len(rest) > longest:
        cut = rest.rfind(" ", 1, longest)
        cut = cut if cut > 0 else longest
        found.append(rest[:cut])
        rest = rest[cut:].lstrip()
    return [*found, rest] if rest else found


def symbols_of(numbers: Mapping[str, Sequence[int]]) -> List[str]:
    """Return the phonemes by their numbers, from the ``phoneme_id_map`` of a voice.

    Raises:
        ValueError: for a phoneme of several numbers, or a number beyond 10,000.
    """
    places = {symbol: list(found) for symbol, found in numbers.items()}
    if not all(len(one) == 1 and 0 <= one[0] < 10_000 for one in places.values()):
        raise ValueError("a phoneme of the voice has not one number")
    found = [""] * (1 + max((one[0] for one in places.values()), default=-1))
    for symbol, (number,) in places.items():
        found[number] = symbol
    return found


def pcm_of(sound: np.ndarray) -> bytes:
    """Return the sound of one run as PCM of 16 bits, as loud as it can be."""
    samples = np.nan_to_num(np.asarray(sound, np.float32).reshape(-1))
    loudest = max(_QUIETEST, float(np.abs(samples).max(initial=0.0)))
    scaled = np.clip(samples * (_LOUDEST / loudest), -_LOUDEST, _LOUDEST)
    content: bytes = scaled.astype("<i2").tobytes()
    return content


def wav_of(pcm: bytes, rate_hz: int) -> bytes:
    """Return PCM of 16 bits and one channel as a WAV file."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
    return target.getvalue()
