"""Rectangles of a scene."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of a scene, in its own pixels: those at 100 %."""

    left: float
    top: float
    right: float
    bottom: float

    def exchanged(self) -> Area:
        """Return the rectangle with both axes exchanged."""
        return Area(self.top, self.left, self.bottom, self.right)
