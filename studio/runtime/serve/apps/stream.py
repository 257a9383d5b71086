"""Live pictures of an app: drawn once for all clients, left out for those that are slow."""

from __future__ import annotations

import asyncio
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Protocol

from ...apps.engine import AppEngine
from ...apps.graph import AppGraph
from ...apps.parts import AppContext
from ...apps.runner import FrameResult
from ..engine.executor import QueueFull
from ..http.answer_stream import AnswerStream
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..service import Service

_BOUNDARY = "edgewright-frame"
_TYPE = "multipart/x-mixed-replace; boundary=" + _BOUNDARY
_HEADERS = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
_PART = "--{}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\nEdgewright-Frame: {}\r\n\r\n"
_LATER = "Retry-After: 5\r\n"


class StreamSettings(NamedTuple):
    """Settings of a stream, with its source.

    Attributes:
        width: Most columns, within those of the preview.
    """

    source: str
    fps: float
    width: int
    clients: int
    overlay: bool


class StreamedApp(Protocol):
    """An app at work, as its streams see it.

    Attributes:
        stream_fault: Why none can be drawn; empty where they can.
    """

    graph: AppGraph
    engine: AppEngine
    stream_fault: str

    @property
    def streams(self) -> Mapping[str, PictureStream]:
        """Streams by the names of their sinks."""


class StreamHost(Protocol):
    """The host of the app."""

    @property
    def running(self) -> Optional[StreamedApp]:
        """The app at work; None without one."""


class PictureStream:
    """One stream and its clients; used in the thread of the event loop alone.

    Attributes:
        sent, left_out: Pictures that clients were sent, and those left out for slow ones.
    """

    def __init__(self, settings: StreamSettings) -> None:
        self.settings = settings
        self.sent = self.left_out = 0
        self._clients: List[AnswerStream] = []
        self._at_work = False

    def to_json(self) -> Dict[str, object]:
        """Return its state as plain data."""
        clients = len(self._clients)
        state = {"clients": clients, "sent": self.sent, "left_out": self.left_out}
        return {"type": "mjpeg", "source": self.settings.source, **state}

    def add(self, service: Service, host: StreamHost, exchange: Exchange) -> None:
        """Take one more client.

        Raises:
            HttpError: 503 where there are too many.
        """
        self._clients = [one for one in self._clients if one.is_open]
        if len(self._clients) >= self.settings.clients:
            sentence = "Too many clients: {} at most.".format(self.settings.clients)
            raise HttpError(503, sentence, headers=_LATER)
        self._clients.append(exchange.stream(Response(200, b"", _TYPE, _HEADERS)))
        if not self._at_work:
            self._at_work = True
            service.begin(self._work(service, host))

    async def _work(self, service: Service, host: StreamHost) -> None:
        """Draw and send until all clients have left, or the app has ended."""
        running, last = host.running, -1
        try:
            while self._clients and service.ready and host.running is running:
                result = None
                if running is not None:
                    result = running.engine.latest.get(self.settings.source)
                if running is not None and result is not None and result.stamp.number != last:
                    last = result.stamp.number
                    await self._show(service, running, result)
                await asyncio.sleep(1 / self.settings.fps)
                self._clients = [one for one in self._clients if one.is_open]
        finally:
            self._at_work = False
            for one in self._clients:
                one.end()
            self._clients = []

    async def _show(self, service: Service, running: StreamedApp, result: FrameResult) -> None:
        done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        try:
            service.executor.submit(_LivePicture(self.settings, running, result, done))
        except QueueFull:
            return  # inference goes first
        content = await done
        if not content:
            return
        head = _PART.format(_BOUNDARY, len(content), result.stamp.number).encode("ascii")
        part = head + content + b"\r\n"
        for one in self._clients:
            if one.send(part):
                self.sent += 1
            else:
                self.left_out += 1


class _LivePicture:
    """One picture, drawn on a thread of the server."""

    def __init__(
        self,
        settings: StreamSettings,
        running: StreamedApp,
        result: FrameResult,
        done: asyncio.Future[bytes],
    ) -> None:
        self._settings = settings
        self._running = running
        self._result = result
        self._done = done
        self._content = b""

    def run(self) -> None:
        """Draw the frame, as the preview of the app allows."""
        from ...apps.overlay import draw, marks_of

        settings, graph = self._settings, self._running.graph
        pixels = self._result.values.get(settings.source)
        if pixels is None or getattr(pixels, "ndim", 0) != 3:
            return
        marks, blur = marks_of(graph, settings.source), graph.document.preview.blur
        try:
            self._content = draw(
                pixels, self._result, marks, settings.width, blur, settings.overlay
            )
        except (OSError, ValueError) as error:
            self._running.stream_fault = "No live pictures: {}.".format(error)

    def finish(self) -> None:
        """Hand it over."""
        if not self._done.done():
            self._done.set_result(self._content)

    def cancel_if_abandoned(self) -> None:
        """Nothing to end: a picture takes milliseconds."""


def streams_of(graph: AppGraph, context: AppContext) -> Dict[str, PictureStream]:
    """Return the streams of an app by the names of their sinks.

    Raises:
        AppError: for settings beyond their limits.
    """
    most, found = graph.document.preview.width, {}
    for sink in graph.sinks:
        if sink.type.takes_pictures:
            sink.type.make(sink.name, sink.settings, context)
            given: Mapping[str, Any] = sink.settings._asdict()
            width = min(given["width"] or most, most)
            found[sink.name] = PictureStream(
                StreamSettings(
                    sink.inputs[0], given["fps"], width, given["clients"], given["overlay"]
                )
            )
    return found


def open_stream(
    service: Service, host: StreamHost, exchange: Exchange, name: str
) -> Optional[Response]:
    """Begin to send live pictures, where the app allows it.

    Raises:
        HttpError: 403 where no picture may leave the board, 404 for an unknown name, 503 for one
            client too many.
    """
    running = host.running
    if running is None:
        raise HttpError(404, "The app does not run.")
    if not running.graph.document.preview.allowed:
        raise HttpError(403, "This app lets no picture leave the board.")
    stream = running.streams.get(name)
    if stream is None:
        raise HttpError(404, "The app has no such stream.")
    if exchange.request.method == "HEAD":
        return Response(200, b"", _TYPE, _HEADERS)
    stream.add(service, host, exchange)
    return None
