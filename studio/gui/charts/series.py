"""A figure of an endpoint over its last samples, with marks where the version changed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from studio.gui.charts.live import round_up
from studio.gui.theme import Theming
from studio.workspace.sample_ring import KEPT, SamplePoint

_HEAD = 18
_EDGE = 4
_FOOT = 16


_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
_MINUTE_S, _HOUR_S = 60.0, 3600.0


def span_text(moments: Sequence[SamplePoint]) -> str:
    """Return how long ago the oldest sample was: ``90 s ago``; empty where that is not known."""
    if not moments or not moments[0].at or not moments[-1].at:
        return ""
    seconds = moments[-1].at - moments[0].at
    if seconds < 0:  # the clock was set back since the last sample
        return ""
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s ago"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min ago"
    return f"{seconds / _HOUR_S:.0f} h ago"


class VersionedSeries(QWidget):
    """One figure of an endpoint.

    Args:
        name: Of the figure, for people and for a screen reader.
        unit: Behind the top of the axis.
        token: Of the line's colour.
    """

    def __init__(self, theming: Theming, name: str, unit: str, token: str) -> None:
        super().__init__()
        self._theming = theming
        self._name, self._unit, self._token = name, unit, token
        self._values: Sequence[float | None] = ()
        self._versions: Sequence[str] = ()
        self._span = self._said = ""
        self.setMinimumSize(QSize(180, 96))
        self.setAccessibleName(name)
        theming.changed.connect(self.update)

    def show_moments(self, moments: Sequence[SamplePoint], values: Sequence[float | None]) -> None:
        """Show the samples of one endpoint; None leaves a gap."""
        self._values = values
        self._versions = [moment.version for moment in moments]
        self._span = span_text(moments)
        changes = len(self.changes())
        last = values[-1] if values else None
        said = "no sample now" if last is None else f"{last:.3g} {self._unit}"
        self._said = said
        plural = "" if changes == 1 else "s"
        self.setAccessibleDescription(f"{said}, {changes} change{plural} of version")
        self.update()

    def changes(self) -> list[tuple[int, str]]:
        """Return where another version begins, and which."""
        versions = self._versions
        return [
            (place, versions[place])
            for place in range(1, len(versions))
            if versions[place] and versions[place] != versions[place - 1]
        ]

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint axis, marks and line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = self._theming.current
        area = QRectF(self.rect()).adjusted(0, 2 * _HEAD, 0, -_EDGE - _FOOT)
        known = [value for value in self._values if value is not None]
        top = round_up(max(known, default=1.0) or 1.0)
        painter.setPen(QPen(theme.color("border"), 1))
        for share in (0.0, 0.5, 1.0):
            y = round(area.bottom() - share * area.height()) + 0.5
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(theme.color("dim"))
        head = QRectF(0, 0, self.width(), _HEAD)
        painter.drawText(
            head, Qt.AlignmentFlag.AlignVCenter, f"{self._name}, up to {top:g} {self._unit}"
        )
        painter.drawText(head, _RIGHT, self._said)
        foot = QRectF(0, self.height() - _FOOT, self.width(), _FOOT)
        step, first = area.width() / (KEPT - 1), KEPT - len(self._values)
        if self._span:
            begin = foot.adjusted(max(area.left() + first * step, 0.0), 0, 0, 0)
            painter.drawText(begin, Qt.AlignmentFlag.AlignVCenter, self._span)
            painter.drawText(foot, _RIGHT, "now")
        for place, version in self.changes():
            x = area.left() + (first + place) * step
            painter.setPen(QPen(theme.color("text"), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, area.top() - _EDGE), QPointF(x, area.bottom()))
            before = self._versions[place - 1]
            self._paint_version(painter, x, f"v{before} → v{version}" if before else f"v{version}")
        painter.setPen(QPen(theme.color(self._token), 1.6))
        line = QPolygonF()
        for place, value in enumerate(self._values):
            if value is None:
                painter.drawPolyline(line)
                line = QPolygonF()
                continue
            x = area.left() + (first + place) * step
            line.append(QPointF(x, area.bottom() - value / top * area.height()))
        painter.drawPolyline(line)

    def _paint_version(self, painter: QPainter, x: float, text: str) -> None:
        width = painter.fontMetrics().horizontalAdvance(text) + 2
        left = min(max(x - width / 2, 0.0), self.width() - width)
        where = QRectF(left, _HEAD, width, _HEAD)
        painter.setPen(self._theming.current.color("text"))
        painter.drawText(where, Qt.AlignmentFlag.AlignCenter, text)
