"""Pictures of a folder: those that are there, or those that come."""

from __future__ import annotations

import os
import time
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from ..items import PICTURES
from ..parts import IDLE, AppContext, Capture, SourceFrame, SourceType
from .pictures import MOST_BYTES, REQUIREMENTS, decoded

_ENDINGS = (".jpg", ".jpeg", ".png")
_UNREADABLE_S = 10.0
"""A new file that is no picture for that long is left out."""
_ROOM = 16

_Mark = Tuple[int, int]


class FolderSettings(NamedTuple):
    """Settings of a folder of pictures (PNG and JPEG).

    Attributes:
        path: Folder; its folders are not looked into.
        fps: Pictures a second in the time of the recording.
        watch: Give new files as they come, instead of those that are there.
        every_s: Seconds between two looks at the folder, when it is watched.
        timeout_s: When it is watched: without a picture for that long it counts as lost; 0: never.
    """

    path: str
    fps: float = 1.0
    watch: bool = False
    every_s: float = 0.2
    timeout_s: float = 0.0


class FolderPictures:
    """Pictures of a folder in the order of their names."""

    def __init__(self, folder: str, fps: float) -> None:
        """List the folder.

        Raises:
            OSError: when it cannot be read.
        """
        self._folder = folder
        self._fps = fps
        self._names = sorted(_names(folder))
        self._number = 0

    def read(self) -> Optional[SourceFrame]:
        """Return the next picture; None after the last.

        Raises:
            OSError: for a file that is no picture.
        """
        if self._number >= len(self._names):
            return None
        name = self._names[self._number]
        try:
            pixels = decoded(_content(os.path.join(self._folder, name)))
        except ValueError as error:
            raise OSError("{}: {}".format(name, error)) from None
        moment = self._number / self._fps
        self._number += 1
        return SourceFrame(pixels, moment)

    def close(self) -> None:
        """Nothing is held between two pictures."""


class WatchedFolder:
    """New pictures of a folder, each once it is whole.

    A file is read when its size and time have not changed between two looks. One that cannot be
    decoded is read again for ten seconds. A file that is written again counts as new.
    """

    def __init__(
        self,
        settings: FolderSettings,
        folder: str,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Remember what is there, which is not given.

        Raises:
            OSError: when the folder cannot be read.
        """
        self._folder = folder
        self._every_s = settings.every_s
        self._clock = clock
        self._pause = pause
        self._done = _marks(folder)
        self._coming: Dict[str, Tuple[_Mark, float]] = {}
        self._ready: List[str] = []

    def read(self) -> Optional[SourceFrame]:
        """Return the next new picture, or ``IDLE``.

        Raises:
            OSError: when the folder can no longer be read.
        """
        if not self._ready:
            self._pause(self._every_s)
            self._look()
        while self._ready:
            frame = self._try(self._ready.pop(0))
            if frame is not None:
                return frame
        return IDLE

    def _look(self) -> None:
        marks = _marks(self._folder)
        self._done = {name: mark for name, mark in self._done.items() if name in marks}
        before, self._coming = self._coming, {}
        for name, mark in marks.items():
            if self._done.get(name) == mark:
                continue
            known = before.get(name)
            same = known is not None and known[0] == mark
            self._coming[name] = known if known is not None and same else (mark, self._clock())
            if same:
                self._ready.append(name)
        self._ready.sort(key=lambda name: (self._coming[name][0], name))

    def _try(self, name: str) -> Optional[SourceFrame]:
        mark, since = self._coming[name]
        try:
            pixels = decoded(_content(os.path.join(self._folder, name)))
        except ValueError:  # half of it is there, or it is no picture
            if self._clock() - since > _UNREADABLE_S:
                self._done[name] = mark
            return None
        except FileNotFoundError:  # removed since
            return None
        self._done[name] = mark
        return SourceFrame(pixels)

    def close(self) -> None:
        """Nothing is held between two looks."""


def _names(folder: str) -> List[str]:
    return [name for name in os.listdir(folder) if name.lower().endswith(_ENDINGS)]


def _marks(folder: str) -> Dict[str, _Mark]:
    """Return time of change and size of each picture."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.lower().endswith(_ENDINGS) and not entry.name.startswith("."):
                try:
                    facts = entry.stat()
                except FileNotFoundError:
                    continue
                found[entry.name] = (facts.st_mtime_ns, facts.st_size)
    return found


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(MOST_BYTES + 1)


def _open(settings: FolderSettings, context: AppContext) -> Capture:
    if settings.fps <= 0 or settings.every_s <= 0:
        raise OSError("fps and every_s must be above 0")
    folder = context.file(settings.path)
    if settings.watch:
        return WatchedFolder(settings, folder)
    return FolderPictures(folder, settings.fps)


TYPES: Dict[str, SourceType] = {
    "folder": SourceType(
        "folder",
        "Pictures of a folder, in the order of their names or as they come",
        PICTURES,
        FolderSettings,
        lambda settings: bool(settings.watch),
        _open,
        REQUIREMENTS,
        _ROOM,
    )
}
