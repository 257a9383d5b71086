"""The picture of an explained sample with a map of its influences over it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, qRgba
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.features.evidence.survey.views import SamplePicture
from studio.gui.charts.severity_heat import viridis
from studio.gui.theme import Theming

HEIGHT = 152
_SMALL = 64
_LEVELS = 256


def _colors() -> list[int]:
    """Return the colours of all influences: none is clear, the highest is opaque."""
    found = []
    for level in range(_LEVELS):
        color = viridis(level / (_LEVELS - 1))
        found.append(qRgba(color.red(), color.green(), color.blue(), level))
    return found


class MapPicture(QWidget):
    """A picture and one of its maps, painted one over the other."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self._picture: SamplePicture | None = None
        self._image, self._heat = QImage(), QImage()
        self._opacity = 0.7
        self.shown_map = ""
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theming.changed.connect(self.update)

    def show_picture(self, picture: SamplePicture, name: str) -> None:
        """Show a picture with one of its maps; without a map of that name, the picture alone."""
        self._picture = picture
        size = picture.width, picture.height
        self._image = QImage(picture.pixels, *size, 3 * size[0], QImage.Format.Format_RGB888)
        values = picture.maps.get(name)
        self.shown_map = name if values is not None else ""
        self._heat = QImage()
        if values is not None:
            self._heat = QImage(values, *size, size[0], QImage.Format.Format_Indexed8)
            self._heat.setColorTable(_colors())
        self.update()

    def set_opacity(self, share: float) -> None:
        """Show the map more or less clearly, from 0 to 1."""
        self._opacity = share
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size for four next to each other."""
        return QSize(HEIGHT, HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture, then the map."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theming.current.color("surface_3"))
        if self._image.isNull():
            return
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        place = QRectF(left, top, size.width(), size.height())
        is_small = max(self._image.width(), self._image.height()) <= _SMALL
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not is_small)
        painter.drawImage(place, self._image)
        if not self._heat.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
            painter.setOpacity(self._opacity)
            painter.drawImage(place, self._heat)
