"""Endpoints of an app: its state, its events, previews of its sources, its page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Dict, Optional
from urllib.parse import parse_qs

from ..engine.executor import QueueFull
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..rest.router import PathNames
from ..service import Service
from .host import AppHost

if TYPE_CHECKING:
    from .hosted_app import RunningApp

_MOST_EVENTS = 1000
_HTML = "text/html; charset=utf-8"
_JPEG = "image/jpeg"
_NO_STORE = "Cache-Control: no-store\r\n"


def app_status(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the state of the app: sources, steps, counts, latency."""
    host = _host(service)
    document: Dict[str, Any] = dict(host.status() or {})
    running = host.running
    if running is not None:
        preview = running.graph.document.preview
        document["preview"] = {"allowed": preview.allowed, "fps": preview.fps}
        mirror = service.repository.all()[0].mirror if service.repository.all() else None
        document["trial"] = None if mirror is None else mirror.status()
    return Response.of(document)


def app_events(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the newest events, or those after an id."""
    query = parse_qs(exchange.request.query)
    text = query.get("limit", ["100"])[0]
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST_EVENTS):
        raise HttpError(400, "limit is from 1 to {}.".format(_MOST_EVENTS))
    after = query.get("after", [""])[0]
    try:
        return Response.of({"events": _host(service).events(after, int(text))})
    except OSError as error:
        raise HttpError(503, "The events cannot be read: {}".format(error)) from None


def app_preview(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Return the newest frame of a source as a JPEG, where the app allows it."""
    running = _host(service).running
    if running is None:
        raise HttpError(404, "The app does not run.")
    preview = running.graph.document.preview
    if not preview.allowed:
        raise HttpError(403, "This app lets no picture leave the board.")
    query = parse_qs(exchange.request.query)
    sources = [one.name for one in running.graph.sources]
    source = query.get("source", sources[:1])[0]
    if source not in sources:
        raise HttpError(404, "The app has no such source.")
    overlay = query.get("overlay", ["1"])[0] != "0"
    recent = running.previews.get((source, overlay))
    if recent is not None and time.monotonic() - recent.drawn_at < 1 / preview.fps:
        return recent.response
    try:
        service.executor.submit(_Preview(exchange, running, source, overlay))
    except QueueFull:
        raise HttpError(503, "Too many queued requests. Retry later.") from None
    return None


def app_stream(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Begin to send live pictures of a source, where the app has such a sink and allows it."""
    from .stream import open_stream

    return open_stream(service, _host(service), exchange, names.name)


def app_page(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the page of the app; it holds no data and asks for them with the user's token."""
    from .page import PAGE, PAGE_HEADERS

    return Response(200, PAGE.encode("utf-8"), _HTML, PAGE_HEADERS)


class _Preview:
    """One picture, made on a thread of the server."""

    def __init__(self, exchange: Exchange, running: RunningApp, source: str, overlay: bool) -> None:
        self._exchange = exchange
        self._running = running
        self._source = source
        self._overlay = overlay
        self._response = Response.error(404, "The source has given no picture yet.")

    def run(self) -> None:
        """Draw the newest frame."""
        from ...apps.overlay import draw, marks_of
        from .hosted_app import RecentPreview

        graph, result = self._running.graph, self._running.engine.latest.get(self._source)
        pixels = None if result is None else result.values.get(self._source)
        if result is None or pixels is None or getattr(pixels, "ndim", 0) != 3:
            return
        preview = graph.document.preview
        marks = marks_of(graph, self._source)
        try:
            content = draw(pixels, result, marks, preview.width, preview.blur, self._overlay)
        except (OSError, ValueError) as error:
            self._response = Response.error(501, "No preview: {}.".format(error))
            return
        age = max(0.0, time.time() - result.stamp.wall)
        headers = _NO_STORE + "Edgewright-Frame: {}\r\nEdgewright-Age: {:.3f}\r\n".format(
            result.stamp.number, age
        )
        self._response = Response(200, content, _JPEG, headers)
        key = self._source, self._overlay
        self._running.previews[key] = RecentPreview(time.monotonic(), self._response)

    def finish(self) -> None:
        """Send it."""
        self._exchange.answer(self._response)

    def cancel_if_abandoned(self) -> None:
        """Nothing to end: a picture takes milliseconds."""


def _host(service: Service) -> AppHost:
    host = service.app
    if not isinstance(host, AppHost) or (host.running is None and not host.fault):
        raise HttpError(404, "No app runs here.")
    return host
