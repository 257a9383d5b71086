"""Silero's detector of speech, and sentences spoken by espeak-ng with pauses of noise."""

from __future__ import annotations

import io
import subprocess
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from studio_onnxruntime.backend import OnnxRuntime
from tests.benchmarks.zoo import arrays
from tests.benchmarks.zoo.wheels import SILERO

Array = numpy.ndarray[Any, Any]

_RATE, _STEP, _BEFORE = 16_000, 512, 64
_SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "Please call me back before noon tomorrow.",
    "Seven silver swans swam silently seaward.",
    "The train to the airport leaves every hour.",
    "He measured the length of the room twice.",
    "Fresh bread smells best in the morning.",
)
_VOICES = ("en-us", "en-gb", "en-us+f3", "en-gb+m3")


def make(folder: Path) -> None:
    """Write the model for 16 kHz and its inputs, with the states that it had with them."""
    _make(folder, "silero_vad_16k_op15.onnx")


def make_both(folder: Path) -> None:
    """Write the model for both rates, all of which lies in the branches of an If."""
    _make(folder, "silero_vad.onnx")


def _make(folder: Path, member: str) -> None:
    path = folder / "model.onnx"
    path.write_bytes(SILERO.read(f"silero_vad/data/{member}"))
    samples, labels = _heard(path)
    half = len(samples) // 2
    arrays.write(folder / "calibration", samples[:half:2])
    arrays.write(folder / "heldout", samples[half:])
    numpy.save(folder / "heldout.labels.npy", labels[half:])


def auc(folder: Path, outputs: Sequence[Mapping[str, Any]], _: object) -> float:
    """Area under the curve: how surely speech is rated above noise."""
    labels = numpy.load(folder / "heldout.labels.npy")
    scores = numpy.array([float(one["output"].ravel()[0]) for one in outputs])
    return area(labels, scores)


def area(labels: Array, scores: Array) -> float:
    """Share of the pairs of a one and a zero of which the one has the higher score."""
    above = scores[labels == 1][:, None] - scores[labels == 0][None]
    return float((above > 0).mean() + (above == 0).mean() / 2)


def _heard(path: Path) -> tuple[list[dict[str, Array]], Array]:
    session = OnnxRuntime().load(path, {"threads": 1})
    random = numpy.random.default_rng(5)
    samples, labels = [], []
    for number, text in enumerate(_SENTENCES):
        speech = spoken(text, _VOICES[number % len(_VOICES)])
        pause = numpy.zeros(_RATE, numpy.float32)
        sound = numpy.concatenate([pause, speech, pause])
        sound += random.normal(0, 0.01, len(sound)).astype(numpy.float32)
        state, before = numpy.zeros((2, 1, 128), numpy.float32), numpy.zeros(_BEFORE, "float32")
        for begin in range(0, len(sound) - _STEP, _STEP):
            piece = sound[begin : begin + _STEP]
            feeds = {"input": numpy.concatenate([before, piece])[None], "state": state}
            feeds["sr"] = numpy.array(_RATE, numpy.int64)
            samples.append(feeds)
            middle = begin + _STEP // 2
            labels.append(_RATE <= middle < _RATE + len(speech))
            state, before = session.run(feeds)["stateN"], piece[-_BEFORE:]
    return samples, numpy.array(labels, numpy.int64)


def spoken(text: str, voice: str, speed: int = 175) -> Array:
    """A sentence at 16 kHz and so many words a minute, its samples between -1 and 1."""
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text]
    sound = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=60).stdout
    with wave.open(io.BytesIO(sound)) as opened:
        rate = opened.getframerate()
        values = numpy.frombuffer(opened.readframes(opened.getnframes()), numpy.int16)
    places = numpy.arange(0, len(values), rate / _RATE)
    found = numpy.interp(places, numpy.arange(len(values)), values / 32768.0)
    return found.astype(numpy.float32)
