"""The sample voice behind an endpoint: its sound against the same chain in plain Python.

Needs espeak-ng. The voice has no chance here (scales 0), so that both must give the same sound.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import unicodedata
import urllib.request
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.e2e.conftest import Studio

TARGET = "local/speech"
TEXT = "The gate opens in ten seconds"
RATE = 22050


@pytest.fixture(scope="module")
def voice(studio: Studio) -> Path:
    """The sample, without chance."""
    folder = Path(studio.ok("samples", "get", "voice", timeout=600)["folder"])
    path = folder / "outputs.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("scales = [0.667, 1.0, 0.8]", "scales = [0.0, 1.0, 0.0]"))
    assert "scales = [0.0, 1.0, 0.0]" in path.read_text("utf-8")
    return folder


@pytest.fixture(scope="module")
def endpoint(studio: Studio, voice: Path) -> Iterator[str]:
    words = ("--target", TARGET, "--data", voice / "golden.npz", "--samples", "1")
    yield str(studio.ok("deploy", voice / "voice.onnx", *words, timeout=900)["endpoint"])
    studio.run("undeploy", "--target", TARGET, "--purge")


def spoken(endpoint: str, **wanted: Any) -> np.ndarray:
    body = json.dumps(wanted).encode()
    request = urllib.request.Request(endpoint + "/v1/audio/speech", body)
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert answer.headers["Content-Type"] == "audio/wav"
        content = io.BytesIO(answer.read())
    with wave.open(content) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)


def reference(folder: Path, text: str) -> np.ndarray:
    """The sound of one clause, from espeak-ng and the model."""
    program = shutil.which("espeak-ng")
    assert program is not None
    words = [program, "-q", "--ipa", "-v", "en-us", text]
    ipa = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    table = json.loads((folder / "voice.json").read_text("utf-8"))["phoneme_id_map"]
    numbers = [*table["^"], *table["_"]]
    for one in unicodedata.normalize("NFD", ipa):
        numbers += [*table[one], *table["_"]]
    numbers += table["$"]
    session = onnxruntime.InferenceSession(str(folder / "voice.onnx"))
    feeds = {
        "input": np.array([numbers]),
        "input_lengths": np.array([len(numbers)]),
        "scales": np.float32([0, 1, 0]),
    }
    sound = session.run(None, feeds)[0].ravel()
    found: np.ndarray = sound / np.abs(sound).max() * 32767
    return found


def pitches_hz(sound: np.ndarray) -> np.ndarray:
    """The pitch of each voiced piece of 40 ms, by its autocorrelation, from 60 to 400 Hz."""
    size = RATE // 25
    pieces = sound[: len(sound) // size * size].reshape(-1, size)
    loud = pieces[pieces.std(axis=1) > 0.3 * sound.std()]
    found = []
    for piece in loud:
        rest = piece - piece.mean()
        like = np.correlate(rest, rest, "full")[size - 1 :]
        low, high = RATE // 400, RATE // 60
        at = low + int(like[low:high].argmax())
        if like[at] > 0.5 * like[0]:
            found.append(RATE / at)
    return np.array(found)


def test_the_sound_is_that_of_the_chain(endpoint: str, voice: Path) -> None:
    found, wanted = spoken(endpoint, input=TEXT), reference(voice, TEXT)
    assert len(found) == len(wanted)
    assert np.abs(found - wanted).max() <= 33  # a thousandth of the largest value


def test_the_sound_is_that_of_a_man_who_speaks(endpoint: str) -> None:
    sound = spoken(endpoint, input=TEXT)
    assert 1.0 < len(sound) / RATE < 4.0
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    assert power[(hertz > 80) & (hertz < 4000)].sum() > 0.9 * power.sum()
    pitches = pitches_hz(sound)
    assert len(pitches) > 10
    assert 70 < np.median(pitches) < 180


def test_twice_the_speed_is_half_the_length(endpoint: str) -> None:
    usual, quick = (len(spoken(endpoint, input=TEXT, speed=one)) for one in (1.0, 2.0))
    assert 0.4 < quick / usual < 0.65


def test_two_sentences_have_a_pause_between_them(endpoint: str) -> None:
    sound = spoken(endpoint, input="Stop. Go.")
    silent = np.flatnonzero(np.diff(np.flatnonzero(np.concatenate(([1], sound, [1])))) > RATE // 6)
    assert len(silent) == 1
