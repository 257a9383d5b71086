"""Value that counts once it has been the same for some time."""

from __future__ import annotations

from typing import Generic, Optional, TypeVar

T = TypeVar("T")


class StableValue(Generic[T]):
    """One value over time, without what passes: a hand in front, a misread character.

    Attributes:
        value: The latest value that was seen for long enough; None before the first.
    """

    __slots__ = ("_coming", "_since", "value")

    def __init__(self) -> None:
        self.value: Optional[T] = None
        self._coming: Optional[T] = None
        self._since = 0.0

    def see(self, value: T, now: float, for_s: float) -> bool:
        """Take the value of a moment in seconds; return whether it has just settled.

        Args:
            for_s: Seconds between the first and the latest of the same values in a row.
        """
        if value == self.value:
            self._coming = None
            return False
        if value != self._coming:
            self._coming, self._since = value, now
        if now - self._since < for_s:
            return False
        self.value, self._coming = value, None
        return True
