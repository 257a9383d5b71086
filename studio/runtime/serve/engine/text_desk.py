"""The answers that are being generated, and the end of those whose clients have left."""

from __future__ import annotations

import asyncio
from typing import Callable, Protocol, Set, Tuple

from .hop import Action, Hop

_LOOK_EVERY_S = 0.2
_MOST_NOTES = 100


class Watched(Protocol):
    """An answer that a client waits for."""

    @property
    def is_in_vain(self) -> bool:
        """Whether the client has left."""

    def cancel(self) -> None:
        """End it."""


class TextDesk:
    """The answers under way; used in the event loop's thread, but for ``post``."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._hop = Hop(loop)
        self._watched: Set[Watched] = set()
        self._looks = False
        self._noted: Set[Tuple[str, ...]] = set()

    def post(self, action: Action) -> None:
        """Run an action in the event loop's thread."""
        self._hop.post(action)

    def add(self, one: Watched) -> None:
        """Watch an answer until ``drop``."""
        self._watched.add(one)
        if not self._looks:
            self._looks = True
            self.loop.call_later(_LOOK_EVERY_S, self._look)

    def drop(self, one: Watched) -> None:
        """Watch an answer no more."""
        self._watched.discard(one)

    def note(self, fields: Tuple[str, ...], log: Callable[..., None]) -> None:
        """Log the fields of a request that are not known here, each set of them once."""
        if fields and fields not in self._noted and len(self._noted) < _MOST_NOTES:
            self._noted.add(fields)
            log("ignored fields", fields=list(fields))

    def _look(self) -> None:
        for one in tuple(self._watched):
            if one.is_in_vain:
                one.cancel()
        self._looks = bool(self._watched)
        if self._looks:
            self.loop.call_later(_LOOK_EVERY_S, self._look)
