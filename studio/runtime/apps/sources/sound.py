"""Sound: WAV files, and the microphone of the board."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
import wave
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from ..items import SIGNAL
from ..parts import IDLE, AppContext, Capture, SourceFrame, SourceType
from .table import ROOM, SampleTimes

_WAIT_S = 0.2


class WavSettings(NamedTuple):
    """Settings of a WAV file (PCM of 8, 16, 24 or 32 bits).

    Attributes:
        path: The file.
        piece_s: Seconds of sound that travel together.
    """

    path: str
    piece_s: float = 0.1


class MicrophoneSettings(NamedTuple):
    """Settings of a microphone.

    Attributes:
        device: Name of ALSA, as ``arecord -L`` lists them.
        rate_hz: Samples a second.
        channels: Number of channels.
        piece_s: Seconds of sound that travel together.
        timeout_s: Without sound for that long it counts as lost.
    """

    device: str = "default"
    rate_hz: int = 16000
    channels: int = 1
    piece_s: float = 0.1
    timeout_s: float = 4.0


class WavFile:
    """Sound of a file, in pieces with their exact times."""

    def __init__(self, path: str, piece_s: float) -> None:
        """Open the file.

        Raises:
            OSError: when it is no WAV file of this kind.
        """
        try:
            self._file = wave.open(path, "rb")  # noqa: SIM115  # closed by ``close``
        except (wave.Error, EOFError) as error:
            name = os.path.basename(path)
            raise OSError(
                "{} is no WAV file that can be read here: {}".format(name, error)
            ) from None
        self._rate_hz = self._file.getframerate()
        self._samples = max(1, round(self._rate_hz * piece_s))
        self._number = 0

    def read(self) -> Optional[SourceFrame]:
        """Return the next piece, samples x channels, from -1 to 1; None at the end."""
        content = self._file.readframes(self._samples)
        width, channels = self._file.getsampwidth(), self._file.getnchannels()
        content = content[: len(content) - len(content) % (width * channels)]
        if not content:
            return None
        samples = samples_of(content, width, channels)
        moment = self._number / self._rate_hz
        self._number += len(samples)
        return SourceFrame(samples, moment)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Microphone:
    """Sound of a program that writes PCM of 16 bits to its standard output."""

    def __init__(
        self,
        command: Sequence[str],
        settings: MicrophoneSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the program.

        Raises:
            OSError: when it cannot be started.
        """
        self._clock = clock
        self._channels = settings.channels
        self._bytes = max(1, round(settings.rate_hz * settings.piece_s)) * 2 * settings.channels
        self._times = SampleTimes(float(settings.rate_hz))
        self._buffer = bytearray()
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )

    def read(self) -> Optional[SourceFrame]:
        """Return the next piece, samples x channels, from -1 to 1, or ``IDLE``.

        Raises:
            OSError: when the program has ended, with its reason.
        """
        output = self._process.stdout
        assert output is not None
        if not select.select([output], [], [], _WAIT_S)[0]:
            return IDLE
        piece = output.read(self._bytes - len(self._buffer))
        if not piece:
            raise OSError("the microphone gives no sound: {}".format(self._complaint()))
        self._buffer += piece
        if len(self._buffer) < self._bytes:
            return IDLE
        content, self._buffer = bytes(self._buffer), bytearray()
        samples = samples_of(content, 2, self._channels)
        return SourceFrame(samples, self._times.next(len(samples), self._clock()))

    def _complaint(self) -> str:
        errors = self._process.stderr
        assert errors is not None
        if not select.select([errors], [], [], _WAIT_S)[0]:
            return "it has ended"
        lines = (errors.read(4096) or b"").decode("utf-8", "replace").strip().split("\n")
        return lines[-1][:200] or "it has ended"

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def samples_of(content: bytes, width: int, channels: int) -> np.ndarray:
    """Return PCM as samples x channels, float32 from -1 to 1.

    Args:
        width: Bytes of one sample, 1 (unsigned) to 4 (signed), little-endian.
    """
    if width == 1:
        whole = np.frombuffer(content, np.uint8).astype(np.float32) - np.float32(128)
    elif width == 3:
        octets = np.frombuffer(content, np.uint8).reshape(-1, 3)
        wide = np.zeros((len(octets), 4), np.uint8)
        wide[:, 1:] = octets  # the upper three bytes keep the sign
        whole = (wide.reshape(-1).view("<i4") >> 8).astype(np.float32)
    else:
        whole = np.frombuffer(content, "<i{}".format(width)).astype(np.float32)
    scaled: np.ndarray = whole.reshape(-1, channels) / np.float32(2 ** (8 * width - 1))
    return scaled


def _open_file(settings: WavSettings, context: AppContext) -> Capture:
    if settings.piece_s <= 0:
        raise OSError("piece_s must be above 0")
    return WavFile(context.file(settings.path), settings.piece_s)


def _open_microphone(settings: MicrophoneSettings, context: AppContext) -> Capture:
    if settings.rate_hz <= 0 or settings.piece_s <= 0 or not 1 <= settings.channels <= 64:
        raise OSError("rate_hz and piece_s must be above 0, channels from 1 to 64")
    return Microphone(_arecord(settings), settings)


def _arecord(settings: MicrophoneSettings) -> List[str]:
    program = shutil.which("arecord")
    if program is None:
        raise OSError("the microphone needs the program arecord (Debian package alsa-utils)")
    command = [program, "--quiet", "--device", settings.device, "--file-type", "raw"]
    command += ["--format", "S16_LE", "--rate", str(settings.rate_hz)]
    return [*command, "--channels", str(settings.channels)]


_TYPES = (
    SourceType(
        "wav",
        "Sound of a WAV file",
        SIGNAL,
        WavSettings,
        lambda settings: False,
        _open_file,
    ),
    SourceType(
        "microphone",
        "Microphone of the board, by arecord",
        SIGNAL,
        MicrophoneSettings,
        lambda settings: True,
        _open_microphone,
        room=ROOM,
    ),
)
TYPES: Dict[str, SourceType] = {one.name: one for one in _TYPES}
