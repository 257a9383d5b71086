"""Network cameras over HTTP: a stream of JPEG pictures (MJPEG), or single ones."""

from __future__ import annotations

import re
import time
from typing import Callable, Dict, NamedTuple, Optional

from ..items import PICTURES
from ..parts import IDLE, AppContext, Capture, SourceFrame, SourceType
from .http_stream import CameraAnswer
from .pictures import MOST_BYTES, REQUIREMENTS, decoded

_MOST_HEADER = 65536
_BOUNDARY = re.compile(
    r'^multipart/.*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;]{1,200}))', re.IGNORECASE
)
_LENGTH = re.compile(rb"(?:^|\n)content-length\s*:\s*(\d{1,9})\s*(?:\r?\n|$)", re.IGNORECASE)
_BLANK = re.compile(rb"\r?\n\r?\n")
_SLEEP_S = 0.2
_MOST_DAMAGED = 20


class MjpegSettings(NamedTuple):
    """Settings of a stream of JPEG pictures.

    Attributes:
        url: Such as ``http://camera/video``; ``user:password@`` logs in.
        timeout_s: Without a picture for that long it counts as lost.
    """

    url: str
    timeout_s: float = 4.0


class SnapshotSettings(NamedTuple):
    """Settings of a camera that gives single pictures.

    Attributes:
        url: Such as ``http://camera/picture.jpg``; ``user:password@`` logs in.
        every_s: Seconds between two pictures.
        timeout_s: Without an answer for that long it counts as lost.
    """

    url: str
    every_s: float = 1.0
    timeout_s: float = 4.0

    @property
    def silence_s(self) -> float:
        """Seconds without a picture after which the camera counts as lost."""
        return self.every_s + self.timeout_s


class PartReader:
    """Parts of a ``multipart/x-mixed-replace`` answer (RFC 2046), each at most 16 MB.

    A part ends where its ``Content-Length`` has it, or at the next boundary.
    """

    def __init__(
        self,
        boundary: str,
        piece: Callable[[], bytes],
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin before the first part.

        Args:
            piece: Returns further bytes; none at the end.
            timeout_s: Seconds that one part may take, in whatever pieces it comes.
        """
        # Many cameras give the boundary with the dashes that belong before it.
        self._mark = b"--" + boundary.encode("latin-1").lstrip(b"-")
        self._piece = piece
        self._timeout_s = timeout_s
        self._clock = clock
        self._deadline = 0.0
        self._buffer = bytearray()

    def next(self) -> bytes:
        """Return the content of the next part; nothing at the end of the answer.

        Raises:
            OSError: for a part that is too large or too slow.
        """
        self._deadline = self._clock() + self._timeout_s
        if not self._skip_to(self._mark):
            return b""
        head = self._head()
        if head is None:
            return b""
        length = _LENGTH.search(head)
        return self._sized(int(length.group(1))) if length else self._delimited()

    def _skip_to(self, mark: bytes) -> bool:
        while True:
            at = self._buffer.find(mark)
            if at >= 0:
                del self._buffer[: at + len(mark)]
                return True
            del self._buffer[: max(0, len(self._buffer) - len(mark))]
            if not self._more():
                return False

    def _head(self) -> Optional[bytes]:
        while True:
            found = _BLANK.search(self._buffer)
            if found:
                head = bytes(self._buffer[: found.start()])
                del self._buffer[: found.end()]
                return head
            if len(self._buffer) > _MOST_HEADER:
                raise OSError("the stream is no MJPEG: a part has no end of its header")
            if not self._more():
                return None

    def _sized(self, length: int) -> bytes:
        if length > MOST_BYTES:
            raise OSError("a picture of the stream has more than 16 MB")
        while len(self._buffer) < length:
            if not self._more():
                return b""
        content = bytes(self._buffer[:length])
        del self._buffer[:length]
        return content

    def _delimited(self) -> bytes:
        looked = 0
        while True:
            at = self._buffer.find(self._mark, looked)
            if at >= 0:
                content = bytes(self._buffer[:at])
                del self._buffer[:at]
                return content[:-2] if content.endswith(b"\r\n") else content
            looked = max(0, len(self._buffer) - len(self._mark))
            if len(self._buffer) > MOST_BYTES:
                raise OSError("a picture of the stream has more than 16 MB")
            if not self._more():
                return b""

    def _more(self) -> bool:
        if self._clock() > self._deadline:
            raise OSError("no whole picture for {:.0f} s".format(self._timeout_s))
        piece = self._piece()
        self._buffer += piece
        return bool(piece)


class MjpegStream:
    """An open stream of pictures; parts that are no pictures are left out."""

    def __init__(self, settings: MjpegSettings) -> None:
        """Connect.

        Raises:
            OSError: when the camera does not answer with such a stream.
        """
        self._answer = CameraAnswer(settings.url, settings.timeout_s)
        found = _BOUNDARY.search(self._answer.content_type)
        if found is None:
            self._answer.close()
            kind = self._answer.content_type[:60] or "nothing known"
            raise OSError("the camera gives {}, not a stream of pictures".format(kind))
        boundary = found.group(1) or found.group(2)
        self._parts = PartReader(boundary, self._answer.piece, settings.timeout_s)
        self._damaged = 0

    def read(self) -> Optional[SourceFrame]:
        """Return the next picture, or ``IDLE`` for a part without one.

        Raises:
            OSError: when the stream has ended, stands still or has no pictures.
        """
        content = self._parts.next()
        if not content:
            raise OSError("the stream has ended")
        try:
            frame = SourceFrame(decoded(content))
        except ValueError:  # damaged on its way: the next one may be whole
            self._damaged += 1
            if self._damaged >= _MOST_DAMAGED:
                raise OSError("the stream gives no pictures that can be read here") from None
            return IDLE
        self._damaged = 0
        return frame

    def close(self) -> None:
        """Disconnect."""
        self._answer.close()


class Snapshots:
    """Single pictures at an even pace."""

    def __init__(
        self,
        settings: SnapshotSettings,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._pause = pause
        self._next_at = clock()

    def read(self) -> Optional[SourceFrame]:
        """Return the next picture when it is due, or ``IDLE``.

        Raises:
            OSError: when the camera gives none.
        """
        left = self._next_at - self._clock()
        if left > 0:
            self._pause(min(left, _SLEEP_S))
            return IDLE
        every = self._settings.every_s
        # One that is a period late begins the pace again: a slow camera must not be hurried.
        self._next_at = (self._next_at if -left < every else self._clock()) + every
        try:
            return SourceFrame(decoded(self._content()))
        except ValueError as error:
            raise OSError("the camera gives {}".format(error)) from None

    def _content(self) -> bytes:
        limit = self._settings.timeout_s
        deadline = self._clock() + limit
        answer = CameraAnswer(self._settings.url, limit)
        try:
            found = bytearray()
            while len(found) <= MOST_BYTES:
                if self._clock() > deadline:
                    raise OSError("no whole picture for {:.0f} s".format(limit))
                piece = answer.piece()
                if not piece:
                    break
                found += piece
            return bytes(found)
        finally:
            answer.close()

    def close(self) -> None:
        """Nothing is held between two pictures."""


def _open_stream(settings: MjpegSettings, context: AppContext) -> Capture:
    return MjpegStream(settings)


def _open_snapshots(settings: SnapshotSettings, context: AppContext) -> Capture:
    if settings.every_s <= 0:
        raise OSError("every_s must be above 0")
    return Snapshots(settings)


_TYPES = (
    SourceType(
        "mjpeg",
        "Network camera: JPEG pictures over HTTP",
        PICTURES,
        MjpegSettings,
        lambda settings: True,
        _open_stream,
        REQUIREMENTS,
    ),
    SourceType(
        "snapshot",
        "Network camera: one JPEG picture at a time over HTTP",
        PICTURES,
        SnapshotSettings,
        lambda settings: True,
        _open_snapshots,
        REQUIREMENTS,
    ),
)
TYPES: Dict[str, SourceType] = {one.name: one for one in _TYPES}
