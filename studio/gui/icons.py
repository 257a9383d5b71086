"""Icons from the resources folder, drawn in the theme's colours."""

from __future__ import annotations

import functools

from PySide6.QtCore import QBuffer, QDir, QIODevice, QSize
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QImage, QImageReader, QPixmap

from studio.settings import resource

ICON_SIZE = 20

_MOST = 1024
"""Drawings that are kept: some kilobytes each."""


def register_search_paths() -> None:
    """Register the folder of icons for style sheets, as ``icons:name.svg``."""
    QDir.setSearchPaths("icons", [str(resource("icons"))])


@functools.cache
def _source(name: str) -> bytes:
    return resource("icons", f"{name}.svg").read_bytes()


def pixmap(name: str, color: QColor, size: int = ICON_SIZE, scale: float = 1.0) -> QPixmap:
    """Draw an icon in one colour.

    Args:
        name: File name in ``resources/icons`` without its suffix.
        color: Replaces ``currentColor`` in the drawing.
        size: Edge in logical pixels.
        scale: Device pixels for each logical pixel.
    """
    result = QPixmap.fromImage(_image(name, color.name(), round(size * scale)))
    result.setDevicePixelRatio(scale)
    return result


@functools.lru_cache(maxsize=_MOST)
def _image(name: str, color: str, edge: int) -> QImage:
    """Draw an icon; pages share most of them, and each change of the theme needs all of them."""
    buffer = QBuffer()
    buffer.setData(_source(name).replace(b"currentColor", color.encode("ascii")))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    # By Qt's own image plugin: importing PySide6.QtSvg takes a tenth of the window's start.
    reader = QImageReader(buffer, b"svg")
    reader.setScaledSize(QSize(edge, edge))
    return reader.read()


def icon(name: str, color: QColor, size: int = ICON_SIZE) -> QIcon:
    """Return an icon in one colour, sharp at the screen's own density."""
    result = QIcon()
    for scale in sorted({1.0, QGuiApplication.primaryScreen().devicePixelRatio()}):
        result.addPixmap(pixmap(name, color, size, scale))
    return result


def application_icon() -> QIcon:
    """Return the product's own icon, for the task bar."""
    return QIcon(str(resource("icons", "edgewright.svg")))
