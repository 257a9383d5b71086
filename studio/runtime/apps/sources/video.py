"""Films, cameras and network streams, read by OpenCV."""

from __future__ import annotations

import math
import os
import time
from typing import Any, Dict, List, NamedTuple, Optional

from ..items import PICTURES
from ..parts import AppContext, Capture, SourceFrame, SourceType
from ..settings import AppError
from .camera_clock import CameraClock

REQUIREMENTS = {"opencv-python-headless": ">=4.8"}
_MISSING = "reading videos needs the Python package opencv-python-headless"
_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_LIVE_OPTIONS = (
    "rtsp_transport;tcp|analyzeduration;100000|fflags;nobuffer"
    "|protocol_whitelist;rtsp,rtsps,rtp,rtmp,rtmps,srt,udp,tcp,tls,http,https,httpproxy,crypto"
)
"""FFmpeg analyses five seconds of a stream by default, and then gives old pictures in a burst."""
_SCHEMES = ("rtsp", "rtsps", "rtp", "rtmp", "rtmps", "srt", "udp", "tcp", "http", "https")
"""Of streams. FFmpeg has others that read files of the board, such as ``concat`` and ``file``."""
_FFMPEG_LOG = ("OPENCV_FFMPEG_LOGLEVEL", "-8")
_OPENCV_LOG = "OPENCV_LOG_LEVEL"
_ERRORS = 2
"""Without these, a camera that is switched off fills the log with several lines a second."""
_FASTEST_FPS = 240.0


class VideoSettings(NamedTuple):
    """Settings of a film.

    Attributes:
        path: File, or numbered pictures such as ``frames/%04d.jpg``.
        fps: Frames a second; 0: as the file gives them.
        every: Read every n-th frame alone.
        realtime: Play it at its own pace and drop frames as a camera does.
        loop: Begin again at the end; only in real time.
    """

    path: str
    fps: float = 0.0
    every: int = 1
    realtime: bool = False
    loop: bool = False


class CameraSettings(NamedTuple):
    """Settings of a camera of the board.

    Attributes:
        device: Number, or path such as ``/dev/video0``.
        width, height, fps: Wanted; 0: as the camera gives them.
        timeout_s: Without a frame for that long it counts as lost.
    """

    device: str = "0"
    width: int = 0
    height: int = 0
    fps: float = 0.0
    timeout_s: float = 4.0


class StreamSettings(NamedTuple):
    """Settings of a network stream.

    Attributes:
        url: Such as ``rtsp://camera/stream``.
        timeout_s: Without a frame for that long it counts as lost.
    """

    url: str
    timeout_s: float = 4.0


class _Video:
    """An opened capture of OpenCV."""

    def __init__(self, capture: Any) -> None:
        self._capture = capture

    def read(self) -> Optional[SourceFrame]:
        """Return the next frame; None when there is no more."""
        import cv2

        found, pixels = self._capture.read()
        if not found:
            return None
        return SourceFrame(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))

    def close(self) -> None:
        """Let go of the device or the file."""
        self._capture.release()


class _Live(_Video):
    """A camera or a stream, which has no end of its own."""

    def read(self) -> Optional[SourceFrame]:
        """Return the next frame.

        Raises:
            OSError: when there is no further one.
        """
        frame = super().read()
        if frame is None:
            raise OSError("the stream has ended")
        return frame


class _Stream(_Live):
    """A network stream, whose frames have the times of its camera."""

    def __init__(self, capture: Any) -> None:
        super().__init__(capture)
        self._clock = CameraClock()

    def read(self) -> Optional[SourceFrame]:
        """Return the next frame."""
        import cv2

        frame = super().read()
        assert frame is not None
        stamp = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
        return frame._replace(time=self._clock.time_of(stamp, time.monotonic()))


class _Film(_Video):
    """A file, with the times of its frames."""

    def __init__(self, capture: Any, settings: VideoSettings) -> None:
        super().__init__(capture)
        import cv2

        told = float(capture.get(cv2.CAP_PROP_FPS))
        known = math.isfinite(told) and 0.0 < told <= _FASTEST_FPS
        self._fps = settings.fps or (told if known else 25.0)
        self._settings = settings
        self._number = 0
        self._passed_s = 0.0
        self._began = time.monotonic()

    def read(self) -> Optional[SourceFrame]:
        """Return the next frame that is wanted; None at the end."""
        for _ in range(self._settings.every - 1 if self._number else 0):
            if not self._capture.grab():
                break
            self._number += 1
        frame = super().read()
        if frame is None and self._settings.loop and self._settings.realtime and self._number:
            self._begin_again()
            frame = super().read()
        if frame is None:
            return None
        at = self._passed_s + self._number / self._fps
        self._number += 1
        if self._settings.realtime:
            time.sleep(max(0.0, self._began + at - time.monotonic()))
            return frame
        return frame._replace(time=at)

    def _begin_again(self) -> None:
        import cv2

        self._passed_s += self._number / self._fps
        self._number = 0
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)


def _open_film(settings: VideoSettings, context: AppContext) -> Capture:
    folder, name = os.path.split(settings.path)
    if "%" in name:  # numbered pictures; without a folder, FFmpeg could read it as an address
        path = os.path.join(context.file(folder or "."), name)
    else:
        path = context.file(settings.path)
    cv2 = _opencv()
    capture = cv2.VideoCapture(path)
    if not capture.isOpened():
        capture.release()
        raise OSError("{} is no video that can be read here".format(os.path.basename(path)))
    return _Film(capture, settings)


def _open_camera(settings: CameraSettings, context: AppContext) -> Capture:
    cv2 = _opencv()
    number = settings.device.isdigit()
    if not number and not os.path.isabs(settings.device):
        raise AppError("a camera is a number, or a path such as /dev/video0")
    capture = cv2.VideoCapture(int(settings.device) if number else settings.device)
    if not capture.isOpened():
        capture.release()
        raise OSError("the camera {} cannot be opened".format(settings.device))
    wanted = (
        (cv2.CAP_PROP_FRAME_WIDTH, settings.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, settings.height),
        (cv2.CAP_PROP_FPS, settings.fps),
    )
    for key, value in wanted:
        if value:
            capture.set(key, value)
    return _Live(capture)


def _open_stream(settings: StreamSettings, context: AppContext) -> Capture:
    scheme = settings.url.partition("://")[0].lower()
    if scheme not in _SCHEMES:
        raise AppError("the url of a stream begins with one of: {}".format(", ".join(_SCHEMES)))
    os.environ.setdefault(_OPTIONS, _LIVE_OPTIONS)
    cv2 = _opencv()
    limit = int(settings.timeout_s * 1000)
    limits: List[int] = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        limit,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        max(1000, limit // 3),  # a read that hangs takes three times as long
    ]
    capture = cv2.VideoCapture(settings.url, cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        capture.release()
        raise OSError("the stream cannot be opened")
    return _Stream(capture)


def _opencv() -> Any:
    os.environ.setdefault(*_FFMPEG_LOG)
    try:
        import cv2
    except ImportError:
        raise OSError(_MISSING) from None
    logs = getattr(cv2.utils, "logging", None)  # not in every build
    if logs is not None and _OPENCV_LOG not in os.environ:
        logs.setLogLevel(_ERRORS)
    return cv2


_TYPES = (
    SourceType(
        "video",
        "Film from a file, each frame in turn",
        PICTURES,
        VideoSettings,
        lambda settings: bool(settings.realtime),
        _open_film,
        REQUIREMENTS,
    ),
    SourceType(
        "camera",
        "Camera of the board",
        PICTURES,
        CameraSettings,
        lambda settings: True,
        _open_camera,
        REQUIREMENTS,
    ),
    SourceType(
        "rtsp",
        "Network camera: RTSP, or another stream that FFmpeg reads",
        PICTURES,
        StreamSettings,
        lambda settings: True,
        _open_stream,
        REQUIREMENTS,
    ),
)
TYPES: Dict[str, SourceType] = {one.name: one for one in _TYPES}
