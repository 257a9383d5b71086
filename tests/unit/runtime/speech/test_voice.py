"""Numbers of phonemes, inputs of a voice, pieces of long sentences, and WAV files."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from studio.runtime.speech.voice import Voice, in_runs, pcm_of, symbols_of, wav_of

SYMBOLS = ("_", "^", "$", "", " ", "a", "b")
VOICE = Voice(SYMBOLS, 22050, (0.5, 1.5, 0.25))
NAMES = ("input", "input_lengths", "scales")


def test_phonemes_have_gaps_and_unknown_ones_are_left_out() -> None:
    assert VOICE.numbers("a \u00e7b") == [1, 0, 5, 0, 4, 0, 6, 0, 2]


def test_inputs_have_their_types_and_the_speed_is_in_the_length() -> None:
    feeds = VOICE.feeds("ab", NAMES, speed=2.0)
    assert list(feeds) == list(NAMES)
    assert feeds["input"].tolist() == [[1, 0, 5, 0, 6, 0, 2]]
    assert feeds["input_lengths"].tolist() == [7]
    assert feeds["scales"].tolist() == [0.5, 0.75, 0.25]
    kinds = [feeds[name].dtype for name in NAMES]
    assert kinds == [np.int64, np.int64, np.float32]
    assert VOICE.feeds("a", (*NAMES, "sid"))["sid"].tolist() == [0]


@pytest.mark.parametrize("names", [(), ("input", "scales"), (*NAMES, "noise")])
def test_inputs_of_another_model_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="no voice of the form of Piper"):
        VOICE.feeds("a", names)


def test_a_dictionary_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the phonemes"):
        VOICE._replace(symbols=("a", "b")).numbers("a")


@pytest.mark.parametrize(
    ("sentence", "pieces"),
    [
        ("", []),
        ("short", ["short"]),
        ("one two three", ["one two", "three"]),
        ("abcdefghijkl", ["abcdefgh", "ijkl"]),
    ],
)
def test_long_sentences_are_cut_at_spaces(sentence: str, pieces: list[str]) -> None:
    assert in_runs(sentence, 8) == pieces


def test_symbols_of_a_configuration() -> None:
    assert symbols_of({"_": [0], "a": [2]}) == ["_", "", "a"]
    for numbers in ({"a": [1, 2]}, {"a": [-1]}, {"a": [10_000]}):
        with pytest.raises(ValueError, match="has not one number"):
            symbols_of(numbers)


def test_sound_is_as_loud_as_it_can_be_and_silence_stays_silent() -> None:
    found = np.frombuffer(pcm_of(np.array([[[0.0, 0.25, -0.5, np.nan]]])), "<i2")
    assert found.tolist() == [0, 16383, -32767, 0]
    assert not any(pcm_of(np.zeros(3, np.float32)))
    assert pcm_of(np.zeros(0, np.float32)) == b""


def test_a_wav_file_has_its_rate() -> None:
    with wave.open(io.BytesIO(wav_of(b"\1\0\2\0", 16000))) as file:
        assert file.getparams()[:4] == (1, 2, 16000, 2)
        assert file.readframes(2) == b"\1\0\2\0"
