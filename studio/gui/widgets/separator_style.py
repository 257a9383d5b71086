"""The line between two docks of the window."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QProxyStyle, QStyle, QStyleOption, QWidget

_SEPARATOR_WIDTH = 1
"""Pixels."""


class SeparatorStyle(QProxyStyle):
    """The style of the window itself, and of nothing in it: a thin line between two docks.

    A style sheet could say the same, but all that is in the window would have to look at it.
    """

    def __init__(self) -> None:
        super().__init__("fusion")

    def pixelMetric(
        self,
        metric: QStyle.PixelMetric,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
    ) -> int:
        """Return the line's width; for anything else the style's value."""
        if metric is QStyle.PixelMetric.PM_DockWidgetSeparatorExtent:
            return _SEPARATOR_WIDTH
        return super().pixelMetric(metric, option, widget)

    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        """The line in the colour of what it divides."""
        if element is QStyle.PrimitiveElement.PE_IndicatorDockWidgetResizeHandle:
            painter.fillRect(option.rect, option.palette.color(QPalette.ColorRole.Base))
        else:
            super().drawPrimitive(element, option, painter, widget)
