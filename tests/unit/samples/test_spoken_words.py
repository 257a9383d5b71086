"""The recording of spoken words: places of the words, rates, and a missing program."""

from __future__ import annotations

import json
import sys
import wave
from pathlib import Path

import numpy
import pytest

from studio.api import Silent, Unavailable
from studio.samples.spoken_words import (
    RATE_HZ,
    SPEAKERS,
    WORDS,
    composed,
    resampled,
    say,
    write_speech,
)

_ESPEAK = """\
#!{python}
import math, struct, sys
text = sys.stdin.read()
count = 2205 * len(text.split())
rate = 440 if "alexa" in text else 880
body = b"".join(
    struct.pack("<h", round(9000 * math.sin(2 * math.pi * rate * at / 22050)))
    for at in range(count)
)
head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, 1,
                   22050, 44100, 2, 16, b"data", 0x7FFFF000)
sys.stdout.buffer.write(head + body)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    path = folder / "espeak-ng"
    path.write_text(_ESPEAK.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_tone_keeps_its_frequency_and_height_at_another_rate() -> None:
    moments = numpy.arange(22050) / 22050
    found = resampled(numpy.sin(2 * numpy.pi * 440 * moments), 22050, 16000)
    wanted = numpy.sin(2 * numpy.pi * 440 * numpy.arange(16000) / 16000)
    assert len(found) == 16000
    assert numpy.abs(found - wanted).max() < 1e-9


def test_the_length_in_the_head_of_a_pipe_is_passed_over(program: None) -> None:
    spoken = say("alexa", SPEAKERS[0])
    assert len(spoken) == 1600
    assert numpy.abs(spoken).max() == pytest.approx(1.0)


def test_words_are_where_the_events_say(program: None) -> None:
    sound, events = composed(5, 30.0, Silent())
    assert len(sound) == 30 * RATE_HZ
    assert {one.kind for one in events} <= set(WORDS)
    assert len(events) >= 3
    for event in events:
        end = round(event.at_s * RATE_HZ)
        loud = numpy.abs(sound[end - 1600 : end]).mean()
        assert loud > 20 * numpy.abs(sound[end + 200 : end + 8000]).mean()


def test_files_of_a_seed_are_equal_and_fit_each_other(program: None, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_speech(tmp_path / name / "speech.wav", 9, 20.0, Silent())
    first = (tmp_path / "one" / "speech.wav").read_bytes()
    assert first == (tmp_path / "two" / "speech.wav").read_bytes()
    with wave.open(str(tmp_path / "one" / "speech.wav")) as file:
        assert (file.getframerate(), file.getnframes()) == (RATE_HZ, 20 * RATE_HZ)
    rows = (tmp_path / "one" / "expected.jsonl").read_text().splitlines()
    assert {json.loads(one)["step"] for one in rows} <= {"heard-jarvis", "heard-alexa"}


def test_without_the_program_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="espeak-ng, which is not installed"):
        say("alexa", SPEAKERS[0])


def test_a_program_without_sound_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "espeak-ng"
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="gave no sound"):
        say("alexa", SPEAKERS[0])
