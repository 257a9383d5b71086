"""Places of names over a picture, so that none covers another one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF

_TRIES = 12


def name_places(wanted: Sequence[QRectF], area: QRectF) -> list[QRectF | None]:
    """Return a place for each name, near the wanted one and inside the area.

    The first names have the first choice. None: there is no free place near.
    """
    found: list[QRectF | None] = []
    for one in wanted:
        found.append(_free(_inside(one, area), area, [other for other in found if other]))
    return found


def _free(wanted: QRectF, area: QRectF, taken: Sequence[QRectF]) -> QRectF | None:
    step = wanted.height() + 2
    for number in range(_TRIES):
        # Below, above, further below: the nearest free place is taken.
        away = step * ((number + 1) // 2) * (1 if number % 2 else -1)
        place = wanted.translated(0, away)
        fits = area.top() <= place.top() and place.bottom() <= area.bottom()
        if fits and not any(place.intersects(other) for other in taken):
            return place
    return None


def _inside(place: QRectF, area: QRectF) -> QRectF:
    left = min(max(place.left(), area.left()), area.right() - place.width())
    top = min(max(place.top(), area.top()), area.bottom() - place.height())
    return QRectF(left, top, place.width(), place.height())
