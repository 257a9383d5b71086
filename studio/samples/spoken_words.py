"""A recording of spoken words at known times, for the sample ``wake-word``.

The words are spoken by espeak-ng of the system, which is called as a program.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from pathlib import Path

import numpy
from numpy.typing import NDArray

from studio.api import Progress, Unavailable
from studio.lazy_dataclass import dataclass
from studio.samples.true_events import TrueEvent

Floats = NDArray[numpy.float64]

RATE_HZ = 16_000
WORDS = {"hey-jarvis": "hey jarvis", "alexa": "alexa"}
STEPS = {"hey-jarvis": "heard-jarvis", "alexa": "heard-alexa"}
"""Steps of the app that give the events."""

OTHERS = (
    "The weather is fine today, and the train is late.",
    "Please open the second window on the left.",
    "Hey, service is slow in here.",
    "I will relax a little today.",
    "Seven plus four is eleven.",
    "Electric cars are quiet.",
    "Is there any coffee left in the kitchen?",
    "Travis plays the guitar very well.",
)
"""Sentences without a wake word. "A lexicon" is left out: the model takes it for "alexa"."""

_PROGRAM = "espeak-ng"
_SECONDS = 20.0
_LEAST_S = 3.0
"""Before the first words: the chain needs two seconds of sound for its first answer."""

_PAUSES_S = (1.6, 2.6)
_LOUDNESS = (0.3, 0.8)
_NOISE = 0.002


@dataclass(frozen=True, slots=True)
class Speaker:
    """Manner of speaking of espeak-ng.

    Attributes:
        voice: With a variant: ``en-us+f3``.
        words_a_minute: Speed.
        pitch: From 0 to 99.
    """

    voice: str
    words_a_minute: int
    pitch: int


SPEAKERS = tuple(
    Speaker(voice, speed, pitch)
    for voice, pitch in (("en-gb", 50), ("en-gb+m7", 45), ("en-gb+f4", 55))
    for speed in (120, 140, 160)
)
"""Manners that the models know; of an American accent they miss many an "alexa"."""


def write_speech(path: Path, seed: int, seconds: float, progress: Progress) -> None:
    """Write a WAV file of 16,000 samples a second, and its expected events next to it.

    Raises:
        Unavailable: when espeak-ng is missing or fails.
    """
    from studio.samples.recordings import write_events

    sound, events = composed(seed, seconds, progress)
    write_wav(path, sound)
    write_events(path.with_name("expected.jsonl"), events)


def composed(seed: int, seconds: float, progress: Progress) -> tuple[Floats, list[TrueEvent]]:
    """Return wake words and other sentences in turn, with noise, and the events.

    Raises:
        Unavailable: when espeak-ng is missing or fails.
    """
    chance = numpy.random.default_rng(seed)
    sound = chance.normal(0.0, _NOISE, round(seconds * RATE_HZ))
    events: list[TrueEvent] = []
    moment, number = _LEAST_S, 0
    while True:
        kind = str(chance.choice(list(WORDS))) if number % 2 else ""
        text = WORDS[kind] if kind else str(chance.choice(OTHERS))
        speaker = SPEAKERS[chance.integers(len(SPEAKERS))]
        spoken = say(text, speaker) * chance.uniform(*_LOUDNESS)
        begin, end = round(moment * RATE_HZ), round(moment * RATE_HZ) + len(spoken)
        if end + RATE_HZ > len(sound):
            return sound, events
        progress.progress(moment, seconds, f"Composing second {moment:.0f} of {seconds:.0f}")
        sound[begin:end] += spoken
        if kind:
            events.append(TrueEvent(kind, STEPS[kind], end / RATE_HZ))
        moment = end / RATE_HZ + chance.uniform(*_PAUSES_S)
        number += 1


def say(text: str, speaker: Speaker) -> Floats:
    """Return a spoken text, 16,000 samples a second, with 1 as its largest value.

    Raises:
        Unavailable: when espeak-ng is missing or fails.
    """
    program = shutil.which(_PROGRAM)
    if program is None:
        raise Unavailable(
            "The words are spoken by espeak-ng, which is not installed.",
            hint="Debian: apt install espeak-ng.",
        )
    command = [program, "--stdout", "-v", speaker.voice, "-s", str(speaker.words_a_minute)]
    command += ["-p", str(speaker.pitch), "--stdin"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_SECONDS)
        content = io.BytesIO(_with_length(done.stdout))
        with wave.open(content) as file:
            rate, frames = file.getframerate(), file.readframes(file.getnframes())
    except (OSError, subprocess.TimeoutExpired, wave.Error, EOFError) as error:
        raise Unavailable("espeak-ng gave no sound.", detail=str(error)) from None
    samples = numpy.frombuffer(frames, "<i2").astype(numpy.float64)
    found = resampled(samples, rate, RATE_HZ)
    loudest = float(numpy.abs(found).max(initial=0.0))
    return found / loudest if loudest else found


def _with_length(content: bytes) -> bytes:
    """Return a WAV file with its true length: a program that writes to a pipe cannot know it."""
    size = len(content) - 44
    if size < 0:
        return content
    head = bytearray(content[:44])
    head[4:8] = (size + 36).to_bytes(4, "little")
    head[40:44] = (size - size % 2).to_bytes(4, "little")
    return bytes(head) + content[44:]


def resampled(samples: Floats, rate_hz: int, wanted_hz: int) -> Floats:
    """Return a signal at another rate: its spectrum up to half of the lower rate."""
    count = round(len(samples) * wanted_hz / rate_hz)
    if not count or rate_hz == wanted_hz:
        return samples
    spectrum = numpy.fft.rfft(samples)
    kept = spectrum[: count // 2 + 1]
    return numpy.fft.irfft(kept, count) * (count / len(samples))


def write_wav(path: Path, sound: Floats) -> None:
    """Write sound from -1 to 1 as PCM of 16 bits, 16,000 samples a second."""
    pcm = numpy.clip(numpy.round(sound * 32767), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm.tobytes())
