"""The text of an answer as its tokens come: whole characters, and an end at stop words."""

from __future__ import annotations

import codecs
from typing import Optional, Sequence

from .request import TextFilter


class TextStream:
    """Text of an answer; characters wait while they may still become a stop word.

    With a filter they also wait for that.

    Attributes:
        stopped: A stop word came; it and what follows is left out.
    """

    def __init__(self, stops: Sequence[str] = (), text_filter: Optional[TextFilter] = None) -> None:
        self._filter = text_filter
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.stopped = False

    def add(self, piece: bytes) -> str:
        """Return the text that is certain after a token's bytes."""
        text = self._pass(self._decoder.decode(piece))
        if self._filter is None:
            return text
        text = self._filter.add(text)
        return text + self._filter.end() if self.stopped else text

    def end(self, whole: bool = True) -> str:
        """Return what still waits at the end of the answer.

        Args:
            whole: The model ended it.
        """
        if self.stopped:
            return ""
        text = self._pass(self._decoder.decode(b"", True))
        text += "" if self.stopped else self._held
        self._held = ""
        if self._filter is None:
            return text
        text = self._filter.add(text)
        return text + self._filter.end(whole)

    @property
    def why_cut(self) -> str:
        """Why a filter has cut it; empty while none has."""
        return "" if self._filter is None else self._filter.why

    def _pass(self, text: str) -> str:
        if self.stopped:
            return ""
        text = self._held + text
        places = [place for place in map(text.find, self._stops) if place >= 0]
        if places:
            self.stopped, self._held = True, ""
            return text[: min(places)]
        held = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - held :] if held else ""
        return text[: len(text) - held] if held else text


def _overlap(text: str, stop: str) -> int:
    """Return the longest end of a text that a stop word begins with."""
    for size in range(min(len(text), len(stop) - 1), 0, -1):
        if stop.startswith(text[-size:]):
            return size
    return 0
