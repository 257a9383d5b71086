"""Editing of the lines and areas of one step: points that are moved, added, removed, drawn."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from studio.features.apps.pages.app.shapes import AREA, LINES, Point, Shape

_COUNTS = {AREA: 0, LINES: 4}
"""Points of a new drawing; 0: until the user closes it. All others have those of one shape."""


class ShapeEditor(QObject):
    """All lines and areas of an app, and what the user changes in one step.

    Signals:
        changed: Shapes, the selection or the points that are being drawn are others.

    Attributes:
        step: The step that is edited; empty for none.
        form: What this step draws.
        at: Numbers of the selected shape and point; None without.
        pending: Points of a new drawing; None while none is drawn.
        frame: Width and height of the picture, within which all points stay.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.shapes: tuple[Shape, ...] = ()
        self._saved: tuple[Shape, ...] = ()
        self.step, self.form = "", ""
        self.at: tuple[int, int] | None = None
        self.pending: list[Point] | None = None
        self.frame = (0, 0)

    @property
    def is_changed(self) -> bool:
        """Whether the shapes differ from the saved ones."""
        return self.shapes != self._saved

    def own(self) -> list[Shape]:
        """Return the shapes of the step that is edited."""
        return [shape for shape in self.shapes if shape.step == self.step]

    def show_saved(self, shapes: Sequence[Shape]) -> None:
        """Take the shapes of the file; changes that are not saved stay."""
        was_changed = self.is_changed
        self._saved = tuple(shapes)
        if not was_changed:
            self.shapes = self._saved
            self.at = None
        self.changed.emit()

    def discard(self) -> None:
        """Return to the saved shapes."""
        self.shapes, self.pending, self.at = self._saved, None, None
        self.changed.emit()

    def edit(self, step: str, form: str) -> None:
        """Edit another step; changes of an earlier one are kept."""
        if (step, form) != (self.step, self.form):
            self.step, self.form = step, form
            self.at, self.pending = None, None
            self.changed.emit()

    # The selected point

    def select(self, at: tuple[int, int] | None) -> None:
        """Select a point by the numbers of its shape and itself."""
        self.at = at
        self.changed.emit()

    def select_next(self, back: bool = False) -> None:
        """Select the next point of all shapes of the step, after the last one the first."""
        places = [(n, i) for n, one in enumerate(self.own()) for i in range(len(one.points))]
        if places:
            first = len(places) - 1 if back else 0
            at = places.index(self.at) + (-1 if back else 1) if self.at in places else first
            self.select(places[at % len(places)])

    def move_to(self, point: Point) -> None:
        """Move the selected point."""
        if self.at is not None:
            number, place = self.at
            self._replace(number, self.own()[number].moved(place, self._inside(point)))

    def move_by(self, x: float, y: float) -> None:
        """Move the selected point by some pixels of the frame."""
        if self.at is not None:
            left, top = self.own()[self.at[0]].points[self.at[1]]
            self.move_to((left + x, top + y))

    def insert(self, number: int, place: int, point: Point) -> None:
        """Add a point to an area, and select it."""
        shape = self.own()[number]
        if len(shape.points) < shape.most:
            self.at = number, place
            self._replace(number, shape.inserted(place, self._inside(point)))

    def why_not_remove(self) -> str:
        """Return why the selected point cannot be removed; empty when it can."""
        if self.at is None:
            return "Select a point first."
        shape = self.own()[self.at[0]]
        if len(shape.points) <= shape.least:
            return f"This {shape.noun} needs {shape.least} points."
        return ""

    def remove(self) -> None:
        """Remove the selected point."""
        if not self.why_not_remove() and self.at is not None:
            number, place = self.at
            shape = self.own()[number].without(place)
            self.at = number, min(place, len(shape.points) - 1)
            self._replace(number, shape)

    # A new line or area

    def begin(self) -> None:
        """Begin to draw a new line or area, in place of the earlier one."""
        if self.form:
            self.pending, self.at = [], None
            self.changed.emit()

    def add(self, point: Point) -> None:
        """Add a point to what is drawn; a line ends with its last point."""
        if self.pending is None:
            return
        point = self._inside(point)
        if self.pending and self.pending[-1] == point:
            return
        self.pending.append(point)
        wanted = _COUNTS.get(self.form, Shape("", self.form, ()).most)
        if wanted and len(self.pending) == wanted:
            self._finish()
        self.changed.emit()

    def close(self) -> bool:
        """Close an area that has enough points; whether it was closed."""
        if self.pending is None or self.form != AREA or len(self.pending) < 3:
            return False
        self._finish()
        self.changed.emit()
        return True

    def undo(self) -> None:
        """Remove the latest point of what is drawn; without one, end drawing."""
        if self.pending:
            self.pending.pop()
        else:
            self.pending = None
        self.changed.emit()

    def cancel(self) -> None:
        """End drawing without a result."""
        self.pending = None
        self.changed.emit()

    def _finish(self) -> None:
        points, self.pending = tuple(self.pending or ()), None
        groups = [points[:2], points[2:]] if self.form == LINES else [points]
        made = [Shape(self.step, self.form, group) for group in groups]
        others = [shape for shape in self.shapes if shape.step != self.step]
        self.shapes = (*others, *made)

    def _replace(self, number: int, shape: Shape) -> None:
        own = self.own()
        own[number] = shape
        first = next(at for at, one in enumerate(self.shapes) if one.step == self.step)
        others = [one for one in self.shapes if one.step != self.step]
        self.shapes = (*others[:first], *own, *others[first:])
        self.changed.emit()

    def _inside(self, point: Point) -> Point:
        """Return the nearest whole pixel of the frame."""
        width, height = self.frame
        x, y = round(point[0]), round(point[1])
        if width and height:
            x, y = min(max(x, 0), width), min(max(y, 0), height)
        return float(x), float(y)
