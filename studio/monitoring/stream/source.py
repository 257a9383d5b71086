"""Sources of frames: pictures, arrays, and videos that OpenCV can open."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from studio.api import Array, Feeds, InvalidData, Value
from studio.datasets import Preprocess, open_dataset
from studio.datasets.images import read_picture
from studio.datasets.suffixes import ARRAYS, IMAGES
from studio.datasets.video import opencv
from studio.monitoring.stream.frames import Camera, Frame, Picture, PreparedFrame, Source

_FASTEST = 1000.0
_OPEN_MS, _READ_MS = 10_000, 10_000


class Video:
    """The frames of a video file, an address (``rtsp://``), or a numbered camera.

    Raises:
        Unavailable: when OpenCV is not installed.
        InvalidData: when it cannot be opened.
    """

    def __init__(self, text: str, camera: Camera) -> None:
        self._text = text
        self._camera = camera
        self._cv2 = opencv()
        self.is_live = not Path(text).is_absolute()
        self.title = f"camera {text}" if text.isdecimal() else text.rpartition("/")[2] or text
        capture = self._open()
        fps = float(capture.get(self._cv2.CAP_PROP_FPS))
        capture.release()
        self.fps = fps if math.isfinite(fps) and 0 < fps <= _FASTEST else 25.0

    def __iter__(self) -> Iterator[Frame]:
        capture = self._open()
        number = 0
        try:
            while capture.grab():  # a frame is only decoded when it is used
                done, pixels = capture.retrieve()
                if not done:
                    break
                number += 1
                picture = self._cv2.cvtColor(pixels, self._cv2.COLOR_BGR2RGB)
                name = f"frame {number}"
                yield Frame(name, partial(self._camera.shot, picture, name))
        finally:
            capture.release()
        if not number:
            raise InvalidData(f"{self.title} returned no frame.")

    def _open(self) -> Any:
        cv2 = self._cv2
        if self._text.isdecimal():
            capture = cv2.VideoCapture(int(self._text))
        else:
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS]
            limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS]
            capture = cv2.VideoCapture(self._text, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            capture.release()
            raise InvalidData(
                f"{self.title} cannot be opened as a video.",
                hint="Check the file in a video player; a camera may be in use by another program.",
            )
        return capture


class Pictures:
    """Picture files, one after another."""

    fps = 0.0
    is_live = False

    def __init__(self, files: Sequence[Path], camera: Camera, title: str) -> None:
        self._files = files
        self._camera = camera
        self.title = title

    def __iter__(self) -> Iterator[Frame]:
        for file in self._files:
            yield Frame(file.name, partial(self._shot, file))

    def _shot(self, file: Path) -> PreparedFrame:
        return self._camera.shot(read_picture(file), file.name)


class Arrays:
    """Samples that are already converted to inputs."""

    fps = 0.0
    is_live = False

    def __init__(self, path: Path, inputs: Sequence[Value]) -> None:
        self._samples = open_dataset(path, inputs)
        self.title = path.name

    def __iter__(self) -> Iterator[Frame]:
        for sample in self._samples:
            yield Frame(sample.name, partial(_prepared, sample.feeds))


def _prepared(feeds: Feeds) -> PreparedFrame:
    return PreparedFrame(feeds, _as_picture(feeds))


def open_source(text: str, inputs: Sequence[Value], preprocess: Preprocess | None) -> Source:
    """Open the source that the user named.

    Args:
        text: An absolute path, an address, or the number of a camera.

    Raises:
        InvalidData: when it cannot be read, or does not fit the model.
        Unavailable: when it needs OpenCV, which is not installed.
    """
    path = Path(text)
    suffix = path.suffix.lower()
    if not path.is_absolute() or (path.is_file() and suffix not in IMAGES + ARRAYS):
        return Video(text, Camera(inputs, preprocess))
    if path.is_file() and suffix in IMAGES:
        return Pictures([path], Camera(inputs, preprocess), path.name)
    pictures = [] if path.is_file() else _pictures(path)
    if pictures:
        return Pictures(pictures, Camera(inputs, preprocess), path.name)
    return Arrays(path, inputs)


def _pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in IMAGES)


def _as_picture(feeds: Feeds) -> Picture | None:
    """Return the first input that is a picture, scaled to 0 to 255."""
    for array in feeds.values():
        pixels = _pixels(array)
        if pixels is not None:
            low, high = float(pixels.min()), float(pixels.max())
            spread = (pixels - low) * (255.0 / (high - low) if high > low else 0.0)
            return numpy.ascontiguousarray(spread.round().astype(numpy.uint8))
    return None


def _pixels(array: Array) -> NDArray[numpy.float32] | None:
    """Return height × width × 3 of a single sample that has the shape of a picture."""
    if array.ndim != 4 or array.shape[0] != 1 or array.dtype.kind not in "fiu":
        return None
    # Networks have the channels first, pictures last.
    one = array[0]
    if one.shape[0] in (1, 3):
        one = one.transpose(1, 2, 0)
    if one.shape[2] not in (1, 3) or min(one.shape[:2]) < 4:
        return None
    pixels = one.astype(numpy.float32)
    return numpy.broadcast_to(pixels, (*pixels.shape[:2], 3))
