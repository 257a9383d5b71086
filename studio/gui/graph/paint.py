"""Painting of a part of a scene, with as much detail as the zoom allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from studio.gui.graph.overlay import Overlay
from studio.gui.graph.scene import Area, Scene, Segment
from studio.gui.theme import Theme

TEXT_FROM = 0.5
"""Zoom below which no text is painted."""

DETAIL_FROM = 0.7
"""Zoom below which a box shows its title only."""

SHAPES_FROM = 0.2
"""Zoom below which boxes are plain rectangles and edges straight lines."""

EDGES_FROM = 0.02
"""Zoom below which edges would only be noise between boxes of a pixel."""

RADIUS = 6.0
INSET = 8.0


@dataclass(frozen=True, slots=True)
class Marks:
    """What is emphasised.

    Attributes:
        selected: The selected box.
        hits: Boxes that a search found.
        overlay: Numbers that replace the colours of the families.
        traced: Boxes of a path that is lit, its edges with them.
    """

    selected: int | None = None
    hits: frozenset[int] = frozenset()
    overlay: Overlay | None = None
    traced: frozenset[int] = frozenset()


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
    """Paints boxes and edges of a scene in scene coordinates.

    Args:
        font: The window's font; titles and details are made from it.
    """

    def __init__(self, scene: Scene, theme: Theme, font: QFont) -> None:
        self._scene = scene
        self._inks = _inks(theme, font)
        self._titles = QFontMetricsF(self._inks.title)
        self._details = QFontMetricsF(self._inks.detail)
        self._texts: dict[int, tuple[str, ...]] = {}
        self._fitting: dict[tuple[int, tuple[str, ...]], str] = {}

    def paint(self, painter: QPainter, area: Area, zoom: float, marks: Marks) -> None:
        """Paint what touches an area; the painter is already scaled by the zoom."""
        boxes = self._scene.boxes_in(area)
        if zoom >= EDGES_FROM:
            self._paint_edges(painter, self._scene.segments_in(area), zoom, marks)
        if zoom < SHAPES_FROM:
            self._paint_flat(painter, boxes, zoom, marks)
        else:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for box in boxes:
                self._paint_box(painter, box, zoom, marks)
        self._paint_marks(painter, boxes, zoom, marks)

    def _paint_edges(
        self, painter: QPainter, segments: Sequence[Segment], zoom: float, marks: Marks
    ) -> None:
        plain, bright = self._sorted(segments, marks)
        width = max(1.2, 1.0 / zoom) if zoom >= SHAPES_FROM else 0.0
        for group, color, factor in ((plain, self._inks.edge, 1.0), (bright, self._inks.lit, 1.8)):
            pen = QPen(color, width * factor)
            if not width and factor > 1:
                pen = QPen(color, 2.0 / zoom)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if zoom < SHAPES_FROM:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
                painter.drawLines([QLineF(x0, y0, x1, y1) for x0, y0, x1, y1, _edge in group])
            else:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.drawPath(_curves(group))

    def _sorted(
        self, segments: Sequence[Segment], marks: Marks
    ) -> tuple[list[Segment], list[Segment]]:
        """Plain segments, and those that are lit: of the path, or else of the selected box."""
        traced, edges = marks.traced, self._scene.edges
        if traced:
            lit = {s[4] for s in segments if edges[s[4]][0] in traced and edges[s[4]][1] in traced}
        elif marks.selected is not None:
            lit = set(self._scene.edges_of(marks.selected))
        else:
            return list(segments), []
        plain = [segment for segment in segments if segment[4] not in lit]
        return plain, [segment for segment in segments if segment[4] in lit]

    def _paint_flat(
        self, painter: QPainter, boxes: Collection[int], zoom: float, marks: Marks
    ) -> None:
        scene = self._scene
        least = 1.0 / zoom
        groups: dict[str, list[QRectF]] = defaultdict(list)
        heat = marks.overlay.colors if marks.overlay is not None else {}
        for box in boxes:
            color = heat.get(box)
            key = color.name() if color is not None else scene.boxes[box].family
            groups[key].append(
                QRectF(
                    scene.x[box],
                    scene.y[box],
                    max(scene.width[box], least),
                    max(scene.height[box], least),
                )
            )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        for key, rectangles in groups.items():
            painter.setBrush(self._inks.fills.get(key) or QColor(key))
            painter.drawRects(rectangles)

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
        if zoom >= TEXT_FROM:
            shown = details if zoom >= DETAIL_FROM else ()
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
        """The first text that fits into a box; the second one shortened when none does."""
        key = (box, texts)
        shown = self._fitting.get(key)
        if shown is None:
            room = self._scene.width[box] - 2 * INSET
            fitting = (text for text in texts if metrics.horizontalAdvance(text) <= room)
            shown = next(fitting, "") or metrics.elidedText(
                texts[min(1, len(texts) - 1)], Qt.TextElideMode.ElideMiddle, room
            )
            self._fitting[key] = shown
        return shown

    def _paint_marks(
        self, painter: QPainter, boxes: Collection[int], zoom: float, marks: Marks
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if marks.hits:
            painter.setPen(QPen(self._inks.hit, max(2.0, 2.0 / zoom)))
            for box in boxes:
                if box in marks.hits:
                    self._outline(painter, box, 2.0)
        if marks.traced:
            painter.setPen(QPen(self._inks.lit, max(1.2, 1.2 / zoom)))
            for box in boxes:
                if box in marks.traced:
                    self._outline(painter, box, 1.0)
        if marks.selected is not None:
            painter.setPen(QPen(self._inks.lit, max(2.5, 2.5 / zoom)))
            self._outline(painter, marks.selected, 2.0)

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


def _curves(segments: Sequence[Segment]) -> QPainterPath:
    path = QPainterPath()
    for x0, y0, x1, y1, _edge in segments:
        path.moveTo(x0, y0)
        if abs(x1 - x0) < 0.5:
            path.lineTo(x1, y1)
        else:
            middle = (y0 + y1) / 2
            path.cubicTo(QPointF(x0, middle), QPointF(x1, middle), QPointF(x1, y1))
    return path
