"""Live pictures of a source for clients of the server: an endless answer of JPEGs."""

from __future__ import annotations

from typing import Dict, NamedTuple, Sequence

from ..items import Event
from ..parts import AppContext, SinkType
from ..settings import AppError


class MjpegSettings(NamedTuple):
    """Settings of live pictures.

    Attributes:
        fps: Most pictures a second.
        width: Most columns; 0: those of the preview, which are the most in any case.
        clients: Most clients at the same time.
        overlay: Whether objects, lines and areas are drawn.
    """

    fps: float = 5.0
    width: int = 0
    clients: int = 4
    overlay: bool = True


class LivePictures:
    """Settings of one stream of pictures, checked; the server draws and sends them."""

    def __init__(self, name: str, settings: MjpegSettings, context: AppContext) -> None:
        """Check the settings.

        Raises:
            AppError: for a value beyond its limits.
        """
        place = "sinks.{}: ".format(name)
        if not 0.1 <= settings.fps <= 30:
            raise AppError(place + "fps is from 0.1 to 30.")
        if not (settings.width == 0 or 32 <= settings.width <= 4096):
            raise AppError(place + "width is from 32 to 4096.")
        if not 1 <= settings.clients <= 32:
            raise AppError(place + "clients is from 1 to 32.")
        self.settings = settings

    def deliver(self, events: Sequence[Event]) -> None:
        """Nothing: events are no pictures."""

    def close(self) -> None:
        """Nothing is held."""


TYPES: Dict[str, SinkType] = {
    "mjpeg": SinkType(
        "mjpeg",
        "Live pictures of a source, at `/edgewright/app/stream/NAME` of the server",
        MjpegSettings,
        LivePictures,
        takes_pictures=True,
    )
}
