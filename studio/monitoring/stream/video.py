"""Videos, network cameras and local cameras, read with OpenCV if it is installed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from studio.api import InvalidData
from studio.datasets.video import opencv
from studio.monitoring.stream.frames import Camera, Frame

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
