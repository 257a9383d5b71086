"""Sound becomes samples from -1 to 1, whatever its width, and a microphone can be lost."""

from __future__ import annotations

import shutil
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.runtime.apps.parts import IDLE
from studio.runtime.apps.sources.sound import (
    TYPES,
    Microphone,
    MicrophoneSettings,
    WavSettings,
    samples_of,
)
from tests.unit.runtime.apps.parts import Context


def write(path: Path, width: int, content: bytes, channels: int = 1, rate: int = 1000) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(content)


@pytest.mark.parametrize(
    ("width", "content"),
    [
        (1, bytes([0, 64, 128, 192])),
        (2, np.array([-32768, -16384, 0, 16384], "<i2").tobytes()),
        (3, b"\x00\x00\x80" + b"\x00\x00\xc0" + b"\x00\x00\x00" + b"\x00\x00\x40"),
        (4, np.array([-(2**31), -(2**30), 0, 2**30], "<i4").tobytes()),
    ],
)
def test_each_width_gives_the_same_samples(width: int, content: bytes) -> None:
    found = samples_of(content, width, 2)
    assert found.dtype == np.float32
    assert found.tolist() == [[-1.0, -0.5], [0.0, 0.5]]


def test_a_file_comes_in_pieces_with_exact_times(tmp_path: Path) -> None:
    whole = np.arange(2500, dtype="<i2")
    write(tmp_path / "a.wav", 2, whole.tobytes())
    one: Any = TYPES["wav"].open(WavSettings(str(tmp_path / "a.wav"), 1.0), Context())
    frames = [one.read() for _ in range(3)]
    assert one.read() is None
    one.close()
    assert [frame.time for frame in frames] == [0.0, 1.0, 2.0]
    assert np.array_equal(np.concatenate([frame.data for frame in frames])[:, 0] * 32768, whole)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound" * 20])
def test_a_file_that_is_no_sound_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(OSError, match=r"a\.wav is no WAV file"):
        TYPES["wav"].open(WavSettings(str(tmp_path / "a.wav")), Context())


RECORDER = """
import sys, array
sys.stdout.buffer.write(array.array("h", range(300)).tobytes())
sys.stdout.flush()
{end}
"""


def microphone(end: str) -> Microphone:
    settings = MicrophoneSettings(rate_hz=1000, piece_s=0.1)
    return Microphone([sys.executable, "-P", "-c", RECORDER.format(end=end)], settings, lambda: 9.0)


def pieces(one: Microphone, count: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(1000):
        frame = one.read()
        if frame is not IDLE:
            found.append(frame)
        if len(found) == count:
            return found
    raise AssertionError(f"only {len(found)} pieces came")


def test_a_microphone_gives_pieces_and_idles_without_sound() -> None:
    one = microphone("sys.stdin.read(); import time; time.sleep(600)")
    found = pieces(one, 3)
    assert np.array_equal(np.concatenate([frame.data for frame in found])[:, 0] * 32768, range(300))
    assert np.diff([frame.time for frame in found]) == pytest.approx([0.1, 0.1])
    assert one.read() is IDLE
    one.close()


def test_a_microphone_that_ends_is_lost_with_the_last_words_of_its_program() -> None:
    one = microphone("sys.stderr.write('warning\\naudio open error: No such device\\n')")
    with pytest.raises(OSError, match="gives no sound: audio open error: No such device"):
        pieces(one, 4)
    one.close()


def test_without_arecord_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(OSError, match="alsa-utils"):
        TYPES["microphone"].open(MicrophoneSettings(), Context())
