"""Google's network of speech embeddings, judged by how a wake word is told after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy
import onnxruntime

from tests.benchmarks.zoo import arrays, speech
from tests.benchmarks.zoo.wheels import WAKEWORD

Array = numpy.ndarray[Any, Any]

_RESOURCES = "openwakeword/resources/models"
_VOICES = ("en-us", "en-gb", "en-us+f3", "en-gb+m3")
_SPEEDS = (140, 175)
_WANTED = ("hey jarvis", "hey jarvis, what time is it")
_OTHERS = ("hey charlie", "hey travis", "please call me back", "the train leaves every hour")
_CALIBRATION = ("hey jarvis, stop", "hello there", "seven silver swans swam seaward")
_WINDOW, _HOP, _HEARD = 76, 8, 16
"""Rows of the spectrogram in a window, rows to the next one, windows that are judged together."""


def make(folder: Path) -> None:
    """Write the network, windows of spoken phrases, and which phrase each window is of."""
    (folder / "model.onnx").write_bytes(WAKEWORD.read(f"{_RESOURCES}/embedding_model.onnx"))
    (folder / "judge.onnx").write_bytes(WAKEWORD.read(f"{_RESOURCES}/hey_jarvis_v0.1.onnx"))
    random = numpy.random.default_rng(47)
    heard = [one for text in _CALIBRATION for one in _phrases(text, random)]
    windows = numpy.concatenate(heard)[::5]
    arrays.write(folder / "calibration", ({"input_1": one[None]} for one in windows))
    wanted = [one for text in _WANTED for one in _phrases(text, random)]
    others = [one for text in _OTHERS for one in _phrases(text, random)]
    phrases = wanted + others
    every = numpy.concatenate(phrases)
    arrays.write(folder / "heldout", ({"input_1": one[None]} for one in every))
    numpy.save(folder / "heldout.lengths.npy", [len(one) for one in phrases])
    numpy.save(folder / "heldout.labels.npy", [1] * len(wanted) + [0] * len(others))


def auc(folder: Path, outputs: Sequence[Mapping[str, Any]], _: object) -> float:
    """Area under the curve: how surely the wake word is rated above other phrases."""
    judge = onnxruntime.InferenceSession((folder / "judge.onnx").read_bytes())
    rows = numpy.stack([next(iter(one.values())).reshape(96) for one in outputs])
    ends = numpy.cumsum(numpy.load(folder / "heldout.lengths.npy"))[:-1]
    scores = [_likely(judge, part) for part in numpy.split(rows.astype(numpy.float32), ends)]
    return speech.area(numpy.load(folder / "heldout.labels.npy"), numpy.array(scores))


def _likely(judge: onnxruntime.InferenceSession, rows: Array) -> float:
    """The surest of all verdicts on a phrase."""
    starts = range(len(rows) - _HEARD + 1)
    return max(float(judge.run(None, {"x.1": rows[None, s : s + _HEARD]})[0].max()) for s in starts)


def _phrases(text: str, random: numpy.random.Generator) -> list[Array]:
    """Windows of a phrase in each voice at each speed, after silence and before it."""
    content = WAKEWORD.read(f"{_RESOURCES}/melspectrogram.onnx")
    spectrogram = onnxruntime.InferenceSession(content)
    found = []
    for voice, speed in product(_VOICES, _SPEEDS):
        sound = numpy.pad(speech.spoken(text, voice, speed) * 32768, (22_000, 4_000))
        noisy = numpy.round(sound + random.normal(0, 100, len(sound)))
        rows = spectrogram.run(None, {"input": noisy[None].astype(numpy.float32)})[0]
        found.append(_windows(rows.reshape(-1, 32) / 10 + 2))
    return found


def _windows(rows: Array) -> Array:
    starts = range(0, len(rows) - _WINDOW + 1, _HOP)
    return numpy.stack([rows[start : start + _WINDOW, :, None] for start in starts])
