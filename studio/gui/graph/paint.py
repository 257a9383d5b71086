"""Painting of a section of a scene, with as much detail as the zoom allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from studio.gui.graph.area import Area
from studio.gui.graph.edge_shapes import EdgeShapePainter
from studio.gui.graph.families import BLOCK
from studio.gui.graph.float_badges import REACH, FloatBadgePainter
from studio.gui.graph.frames import SIGN, FramePainter, paint_sign
from studio.gui.graph.node_rows import RowsPainter
from studio.gui.graph.overlay import Overlay
from studio.gui.graph.scene import Scene
from studio.gui.names import shown as as_shown
from studio.gui.theme import Theme
from studio.lazy_dataclass import dataclass
from studio.workspace import HEADER_HEIGHT

if TYPE_CHECKING:
    from studio.gui.graph.index import Flags, Floats, Lines, Numbers

TEXT_FROM = 0.5
"""Zoom below which no text is painted."""

DETAIL_FROM = 0.7
"""Zoom below which a box shows its title only."""

SHAPES_FROM = 0.2
"""Zoom below which boxes are plain rectangles and edges straight lines."""

EDGES_FROM = 0.02
"""Zoom below which edges would only be noise between boxes of a pixel."""

MOST_CURVES = 2_000
"""Edges at one box above which all are straight lines: the curves of 5,000 take seconds."""

SHORTEST = 1.5
"""Pixels below which a line between plain rectangles is left out."""

THIN = 1.0
"""Height of a box in pixels below which only one of several in a pixel is painted."""

RADIUS = 6.0
INSET = 8.0


@dataclass(frozen=True, slots=True)
class Marks:
    """The boxes and edges that are emphasised.

    Attributes:
        selected: The selected box.
        hits: Boxes that a search found.
        overlay: Numbers that replace the colours of the families.
        traced: Boxes of a path that is lit, its edges with them.
        shapes: Whether edges have their shapes written next to them.
        kept: Boxes that quantization keeps in float.
    """

    selected: int | None = None
    hits: frozenset[int] = frozenset()
    overlay: Overlay | None = None
    traced: frozenset[int] = frozenset()
    shapes: bool = False
    kept: frozenset[int] = frozenset()


_Heat = tuple["list[QColor]", "Numbers"]
T = TypeVar("T")


class _Cached(Generic[T]):
    """A value computed from one object, until another object is requested."""

    def __init__(self) -> None:
        self._last: tuple[object, T] | None = None

    def of(self, source: object, make: Callable[[], T]) -> T:
        """Return the value for this object, computed now unless it is cached."""
        if self._last is None or self._last[0] is not source:
            self._last = (source, make())
        return self._last[1]


@dataclass(slots=True)
class _Inks:
    """Colours and fonts of one paint, made once for each theme."""

    edge: QColor
    lit: QColor
    hit: QColor
    ink: QColor
    dim: QColor
    fills: Mapping[str, QColor]
    borders: Mapping[str, QColor]
    title: QFont = field(default_factory=QFont)
    detail: QFont = field(default_factory=QFont)


class ScenePainter:
    """The painter of a scene's boxes and edges in scene coordinates.

    Args:
        font: The window's font; titles and details are made from it.
        with_signs: Whether blocks show that they can be unfolded in place.
    """

    def __init__(
        self, scene: Scene, theme: Theme, font: QFont, *, with_signs: bool = False
    ) -> None:
        self._scene = scene
        self._with_signs = with_signs
        self._inks = _inks(theme, font)
        self._titles = QFontMetricsF(self._inks.title)
        self._details = QFontMetricsF(self._inks.detail)
        self._frames = FramePainter(scene.frames, theme, self._inks.title)
        self._rows = RowsPainter(scene, theme, self._inks.detail)
        self._shapes = EdgeShapePainter(scene, theme, self._inks.detail)
        self._badges = FloatBadgePainter(scene, theme.color("accent"), self._inks.title)
        self._texts: dict[int, tuple[str, ...]] = {}
        self._fitting: dict[tuple[int, tuple[str, ...]], str] = {}
        self._heat: _Cached[_Heat] = _Cached()
        self._lit: _Cached[Lines] = _Cached()
        self._hits: _Cached[Flags] = _Cached()
        self._traced: _Cached[Flags] = _Cached()
        self._kept: _Cached[Flags] = _Cached()

    def paint(self, painter: QPainter, area: Area, zoom: float, marks: Marks) -> None:
        """Paint what touches an area; the painter is already scaled by the zoom."""
        boxes = self._scene.index.boxes_in(area)
        if HEADER_HEIGHT * zoom < THIN:
            boxes = self._scene.index.spots(boxes, zoom, zoom)
        if self._scene.frames:
            self._frames.paint(painter, area, zoom)
        if zoom >= EDGES_FROM:
            self._paint_edges(painter, area, zoom, marks)
        if marks.shapes and zoom >= TEXT_FROM:
            self._shapes.paint(painter, area)
        if zoom < SHAPES_FROM:
            self._paint_flat(painter, boxes, zoom, marks)
        else:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for box in boxes.tolist():
                self._paint_box(painter, box, zoom, marks)
        if self._scene.frames and zoom >= TEXT_FROM:
            self._frames.paint_titles(painter, area, zoom)
        self._paint_marks(painter, area, zoom, marks)

    def _paint_edges(self, painter: QPainter, area: Area, zoom: float, marks: Marks) -> None:
        is_flat = zoom < SHAPES_FROM or self._scene.index.widest_fan > MOST_CURVES
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, not is_flat)
        width = 0.0 if is_flat else max(1.2, 1.0 / zoom)
        wide = 2.0 / zoom if is_flat else 1.8 * width
        inks = self._inks
        for lines, pen in (
            (self._scene.index.lines, QPen(inks.edge, width)),
            (self._lit_lines(marks), QPen(inks.lit, wide)),
        ):
            if lines is None:
                continue
            painter.setPen(pen)
            shown = lines.touching(area, SHORTEST / zoom if zoom < SHAPES_FROM else 0.0)
            if is_flat:
                painter.drawLines(list(map(QLineF, *shown.T.tolist())))
            else:
                painter.drawPath(_curves(shown, across=self._scene.across))

    def _lit_lines(self, marks: Marks) -> Lines | None:
        """Return the lines of the path that is lit, or else of the selected box."""
        index, traced, selected = self._scene.index, marks.traced, marks.selected
        if traced:
            between = self._traced.of(traced, lambda: index.among(traced))
            return self._lit.of(traced, lambda: index.lines_of(index.edges_between(between)))
        if selected is not None:
            return self._lit.of(selected, lambda: index.lines_of(index.edges_of(selected)))
        return None

    def _paint_flat(self, painter: QPainter, boxes: Numbers, zoom: float, marks: Marks) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        names, colors = self._scene.families, self._scene.colors
        fills = [self._inks.fills[name] for name in names]
        if marks.overlay is not None:
            fills, colors = self._heat.of(marks.overlay, partial(self._heats, marks.overlay))
        own = colors[boxes]
        for code in set(own.tolist()):
            painter.setBrush(fills[code])
            painter.drawRects(self._rectangles(boxes[own == code], 1.0 / zoom))

    def _rectangles(self, boxes: Numbers, least: float) -> list[QRectF]:
        """Return the places of boxes, none smaller than it can be seen."""
        index = self._scene.index
        wide = index.width[boxes].clip(least)
        high = index.height[boxes].clip(least)
        places = (index.x[boxes], index.y[boxes], wide, high)
        return list(map(QRectF, *(place.tolist() for place in places)))

    def _heats(self, overlay: Overlay) -> _Heat:
        """Return the colours of an overlay and, for each box, the place of its own among them."""
        fills = [self._inks.fills["shape"]]
        places: dict[int, int] = {}
        colors = self._scene.colors * 0
        for box, color in overlay.colors.items():
            shade = color.rgb()
            if shade not in places:
                places[shade] = len(fills)
                fills.append(color)
            colors[box] = places[shade]
        return fills, colors

    def _paint_box(self, painter: QPainter, box: int, zoom: float, marks: Marks) -> None:
        scene = self._scene
        what = scene.boxes[box]
        rectangle = QRectF(scene.x[box], scene.y[box], scene.width[box], scene.height[box])
        fill, border = self._inks.fills[what.family], self._inks.borders[what.family]
        ink, dim, details = self._inks.ink, self._inks.dim, self._details_of(box)
        if marks.overlay is not None:
            heat = marks.overlay.colors.get(box)
            if heat is not None:
                fill, border = heat, self._inks.edge
                ink = dim = marks.overlay.inks[box]
                details = (marks.overlay.texts[box],)
            else:
                fill, border = self._inks.fills["shape"], self._inks.borders["shape"]
        painter.setPen(QPen(border, 1.0))
        painter.setBrush(fill)
        painter.drawRoundedRect(rectangle, RADIUS, RADIUS)
        if self._rows.has_rows(box):
            if zoom >= DETAIL_FROM:
                self._rows.paint(painter, box, rectangle)
            rectangle = QRectF(rectangle.topLeft(), QSizeF(rectangle.width(), HEADER_HEIGHT))
        if zoom >= TEXT_FROM:
            shown = details if zoom >= DETAIL_FROM else ()
            if self._with_signs and what.family == BLOCK:
                paint_sign(painter, rectangle.left(), rectangle.top(), dim, plus=True)
                rectangle = rectangle.adjusted(SIGN, 0, 0, 0)
            self._paint_text(painter, box, rectangle, (ink, dim), shown)

    def _paint_text(
        self,
        painter: QPainter,
        box: int,
        rectangle: QRectF,
        inks: tuple[QColor, QColor],
        details: tuple[str, ...],
    ) -> None:
        title = self._fit(box, (self._scene.boxes[box].title,), self._titles)
        centre = Qt.AlignmentFlag.AlignCenter
        painter.setPen(inks[0])
        painter.setFont(self._inks.title)
        if not details:
            painter.drawText(rectangle, centre, title)
            return
        middle = rectangle.center().y()
        upper = QRectF(rectangle.left(), middle - 19, rectangle.width(), 20)
        painter.drawText(upper, centre, title)
        painter.setPen(inks[1])
        painter.setFont(self._inks.detail)
        lower = QRectF(rectangle.left(), middle + 1, rectangle.width(), 16)
        painter.drawText(lower, centre, self._fit(box, details, self._details))

    def _details_of(self, box: int) -> tuple[str, ...]:
        known = self._texts.get(box)
        if known is None:
            known = self._texts[box] = self._scene.details(box)
        return known

    def _fit(self, box: int, texts: tuple[str, ...], metrics: QFontMetricsF) -> str:
        """Return the first text that fits into a box; the second one shortened when none does."""
        key = (box, texts)
        shown = self._fitting.get(key)
        if shown is None:
            texts = tuple(map(as_shown, texts))
            is_signed = self._with_signs and self._scene.is_block(box)
            room = self._scene.width[box] - 2 * INSET - (SIGN if is_signed else 0)
            fitting = (text for text in texts if metrics.horizontalAdvance(text) <= room)
            shown = next(fitting, "") or metrics.elidedText(
                texts[min(1, len(texts) - 1)], Qt.TextElideMode.ElideMiddle, room
            )
            self._fitting[key] = shown
        return shown

    def _paint_marks(self, painter: QPainter, area: Area, zoom: float, marks: Marks) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        index, inks = self._scene.index, self._inks
        for kept, boxes, color, width, gap in (
            (self._hits, marks.hits, inks.hit, 2.0, 2.0),
            (self._traced, marks.traced, inks.lit, 1.2, 1.0),
        ):
            if boxes:
                near = index.boxes_in(area)
                near = near[kept.of(boxes, partial(index.among, boxes))[near]]
                painter.setPen(QPen(color, max(width, width / zoom)))
                self._outline_all(painter, near, zoom, gap)
        if marks.selected is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(inks.lit, max(2.5, 2.5 / zoom)))
            self._outline(painter, marks.selected, 2.0)
        if marks.kept and zoom >= SHAPES_FROM:
            # A badge reaches above its box, perhaps from the tile below.
            near = index.boxes_in(Area(area.left, area.top, area.right, area.bottom + REACH))
            near = near[self._kept.of(marks.kept, partial(index.among, marks.kept))[near]]
            self._badges.paint(painter, near.tolist(), with_text=zoom >= TEXT_FROM)

    def _outline_all(self, painter: QPainter, boxes: Numbers, zoom: float, gap: float) -> None:
        if zoom < SHAPES_FROM:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            boxes = self._scene.index.spots(boxes, zoom, zoom)
            painter.drawRects(self._rectangles(boxes, 1.0 / zoom))
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for box in boxes.tolist():
            self._outline(painter, box, gap)

    def _outline(self, painter: QPainter, box: int, gap: float) -> None:
        scene = self._scene
        rectangle = QRectF(scene.x[box], scene.y[box], scene.width[box], scene.height[box])
        painter.drawRoundedRect(
            rectangle.adjusted(-gap, -gap, gap, gap), RADIUS + gap, RADIUS + gap
        )


def _inks(theme: Theme, font: QFont) -> _Inks:
    families = {token: QColor(value) for token, value in theme.graph.items()}
    borders = {
        token: color.lighter(130) if theme.dark else color.darker(118)
        for token, color in families.items()
    }
    title, detail = QFont(font), QFont(font)
    title.setPixelSize(13)
    title.setWeight(QFont.Weight.DemiBold)
    detail.setPixelSize(11)
    for each in (title, detail):
        # Hinted glyphs change their width with the zoom; these keep their place.
        each.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return _Inks(
        edge=families["edge"],
        lit=families["edge_lit"],
        hit=families["hit"],
        ink=families["ink"],
        dim=families["ink_dim"],
        fills=families,
        borders=borders,
        title=title,
        detail=detail,
    )


def _curves(lines: Floats, *, across: bool) -> QPainterPath:
    """Return curves that leave and reach their boxes in the direction of the graph."""
    path = QPainterPath()
    for x0, y0, x1, y1 in lines.tolist():
        path.moveTo(x0, y0)
        if abs(x1 - x0) < 0.5 or abs(y1 - y0) < 0.5:
            path.lineTo(x1, y1)
        elif across:
            middle = (x0 + x1) / 2
            path.cubicTo(QPointF(middle, y0), QPointF(middle, y1), QPointF(x1, y1))
        else:
            middle = (y0 + y1) / 2
            path.cubicTo(QPointF(x0, middle), QPointF(x1, middle), QPointF(x1, y1))
    return path
