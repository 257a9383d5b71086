"""Events as lines of JSON in a file."""

from __future__ import annotations

import json
import os
from typing import Dict, NamedTuple, Sequence

from ..items import Event
from ..parts import AppContext, SinkType
from ..settings import AppError


class FileSettings(NamedTuple):
    """Settings of a file of events.

    Attributes:
        path: File to which each event is added as one line; a relative one lies with the data of
            the app.
        max_mb: Size in MB beyond which the file is renamed and a new one started.
        keep: Renamed files that are kept, as ``path.1`` (the newest), ``path.2`` and so on.
    """

    path: str
    max_mb: float = 10.0
    keep: int = 3


class EventFile:
    """Adds events to a file; all lines are on the disk before the next ones are delivered."""

    def __init__(self, name: str, settings: FileSettings, context: AppContext) -> None:
        """Check the limits.

        Raises:
            AppError: when they are out of range.
        """
        if settings.max_mb <= 0 or not 0 <= settings.keep <= 1000:
            raise AppError("sinks.{}: max_mb is above 0, keep from 0 to 1000.".format(name))
        self._path = context.output(settings.path)
        self._most = int(settings.max_mb * 1e6)
        self._keep = settings.keep

    def deliver(self, events: Sequence[Event]) -> None:
        """Add the events.

        Raises:
            OSError: when the file cannot be written; it then holds none of them.
        """
        lines = [json.dumps(event.to_json(), ensure_ascii=False) + "\n" for event in events]
        content = "".join(lines).encode("utf-8", "backslashreplace")
        with open(self._rotated(len(content)), "a+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size and os.pread(file.fileno(), 1, size - 1) != b"\n":  # after a power cut
                content = b"\n" + content
            try:
                if file.write(content) != len(content):
                    raise OSError("the disk is full")
                os.fsync(file.fileno())
            except BaseException:
                file.truncate(size)  # half a line would spoil the next one
                raise

    def _rotated(self, more: int) -> str:
        """Return the path, after a file that would grow too large has been renamed."""
        try:
            size = os.path.getsize(self._path)
        except FileNotFoundError:
            return self._path
        if not size or size + more <= self._most:
            return self._path
        names = [self._path, *("{}.{}".format(self._path, at + 1) for at in range(self._keep))]
        for older, newer in zip(reversed(names), reversed(names[:-1])):
            if os.path.exists(newer):
                os.replace(newer, older)
        if not self._keep:
            os.remove(self._path)
        return self._path

    def close(self) -> None:
        """Nothing is held between deliveries."""


TYPES: Dict[str, SinkType] = {
    "file": SinkType("file", "Lines of JSON in a file of the board", FileSettings, EventFile)
}
