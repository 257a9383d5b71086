"""The sample wake-word: its own test, and each frame against the chain in plain Python.

Needs espeak-ng and npm. The chain is that of openWakeWord: a mel spectrogram of 1,760 samples
every 1,280, an embedding of the newest 76 rows, and a word model on the newest 16 embeddings.
"""

from __future__ import annotations

import json
import secrets
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from studio.api import Silent
from studio.features.apps.context import DeskContext
from studio.features.apps.files import AppFiles
from studio.runtime.apps.engine import AppEngine
from studio.runtime.apps.event_match import match_events
from studio.runtime.apps.parts import Predictor
from studio.runtime.apps.store import MemoryStore
from studio.samples.spoken_words import OTHERS, RATE_HZ, SPEAKERS, say, write_speech, write_wav
from tests.e2e.conftest import Studio

WORDS = ("jarvis", "alexa")
PIECE, BEFORE, ROWS, STEP, HISTORY = 1280, 480, 76, 8, 16


class Kept:
    """A predictor that keeps its answers."""

    def __init__(self, predictor: Predictor) -> None:
        self.task, self.batch = predictor.task, predictor.batch
        self._arrays = predictor.arrays
        self.answers: list[Mapping[str, Any]] = []

    def arrays(self, feeds: Mapping[str, np.ndarray]) -> Mapping[str, Any]:
        self.answers.append(self._arrays(feeds))
        return self.answers[-1]


class KeepingContext(DeskContext):
    """Services of the desk whose predictors keep their answers."""

    def __init__(self, files: AppFiles) -> None:
        super().__init__(files, threads=1)
        self.kept: dict[str, Kept] = {}

    def predictor(self, name: str) -> Any:
        if name not in self.kept:
            self.kept[name] = Kept(super().predictor(name))
        return self.kept[name]


def played(folder: Path, sound: Path) -> tuple[KeepingContext, list[dict[str, Any]]]:
    """The answers of all models and the events of a recording."""
    files = AppFiles.open(folder)
    context, store = KeepingContext(files), MemoryStore("wake-word")
    engine = AppEngine(files.graph({"SOUND": str(sound)}), context, store)
    engine.start()
    assert engine.wait(600)
    engine.stop()
    assert engine.runner.failed == 0
    return context, [event.to_json() for event in store.events]


def chain(folder: Path, sound: Path) -> dict[str, np.ndarray]:
    """The scores of both words for each frame, by the models alone."""
    run = {
        name: onnxruntime.InferenceSession(str(folder / name / "model.onnx"))
        for name in ("mel", "embedding", *WORDS)
    }
    with wave.open(str(sound)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
    rows = []
    for begin in range(0, len(samples) - PIECE - BEFORE + 1, PIECE):
        piece = samples[None, begin : begin + PIECE + BEFORE]
        (found,) = run["mel"].run(None, {"input": piece})
        rows.append(found.reshape(-1, found.shape[-1]) / 10 + 2)
    mel = np.concatenate(rows)
    embeddings = []
    for end in range(STEP, len(mel) + 1, STEP):
        if end >= ROWS:
            window = mel[None, end - ROWS : end, :, None].astype(np.float32)
            embeddings.append(run["embedding"].run(None, {"input_1": window})[0].reshape(-1))
    history = np.array(embeddings)
    scores: dict[str, np.ndarray] = {}
    for word in WORDS:
        name = run[word].get_inputs()[0].name
        scores[word] = np.array(
            [
                run[word].run(None, {name: history[None, at : at + HISTORY]})[0].ravel()[0]
                for at in range(len(history) - HISTORY + 1)
            ]
        )
    return scores


@pytest.fixture(scope="module")
def sample(studio: Studio) -> Path:
    return Path(studio.ok("samples", "get", "wake-word", timeout=600)["folder"])


def test_the_sample_passes_its_own_test(studio: Studio, sample: Path) -> None:
    found = studio.ok("app", "test", sample, timeout=600)
    assert found["f1"] == 1.0
    assert found["failed"] == 0


def test_each_frame_has_the_scores_of_the_chain(sample: Path) -> None:
    context, _ = played(sample, sample / "speech.wav")
    wanted = chain(sample, sample / "speech.wav")
    for word in WORDS:
        found = [one["probability"] for one in context.kept[word].answers]
        assert len(wanted[word]) > 700
        assert len(found) == len(wanted[word])
        np.testing.assert_allclose(found, wanted[word], atol=1e-4)
        assert max(found) > 0.9


def test_words_of_a_fresh_seed_are_heard(sample: Path, tmp_path: Path) -> None:
    seed = secrets.randbelow(1 << 31)
    print(f"seed {seed}")
    write_speech(tmp_path / "speech.wav", seed, 60.0, Silent())
    _, events = played(sample, tmp_path / "speech.wav")
    kinds = ("hey-jarvis", "alexa")
    heard = [one for one in events if one["kind"] in kinds]
    text = (tmp_path / "expected.jsonl").read_text("utf-8")
    settings = AppFiles.open(sample).document.test
    rows = [json.loads(line) for line in text.splitlines()]
    match = match_events(rows, heard, settings.within_s, settings.compare)
    print(f"F1 {match.f1:.3f} of {len(rows)}")
    assert match.f1 >= 0.9


def test_other_sentences_are_no_words(sample: Path, tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    pause = np.zeros(2 * RATE_HZ)
    parts = [pause]
    for at, text in enumerate(OTHERS):
        parts += [0.5 * say(text, SPEAKERS[at % len(SPEAKERS)]), pause]
    sound = np.concatenate(parts)
    write_wav(tmp_path / "others.wav", sound + chance.normal(0, 0.002, len(sound)))
    _, events = played(sample, tmp_path / "others.wav")
    assert [one for one in events if one["kind"] in ("hey-jarvis", "alexa")] == []
