"""The progress of work that is made of several parts."""

from __future__ import annotations

from studio.api import Progress


class Phase:
    """One part of a job, as a Progress of its own.

    Args:
        whole: The job's progress, counted from 0 to 1.
        begin, end: Where this part begins and ends there.
        title: Put before the part's own texts.
    """

    def __init__(self, whole: Progress, begin: float, end: float, title: str = "") -> None:
        self._whole = whole
        self._begin = begin
        self._end = end
        self._title = title

    def progress(self, done: float, total: float, text: str = "") -> None:
        share = min(done / total, 1.0) if total else 0.0
        at = self._begin + share * (self._end - self._begin)
        self._whole.progress(at, 1.0, text or self._title)

    def log(self, text: str) -> None:
        self._whole.log(text)

    def check(self) -> None:
        self._whole.check()
