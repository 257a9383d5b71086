"""A chart as a file: a picture, a drawing, or its values."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QPainter

from studio.api import UsageError
from studio.gui.charts.chart import Drawing, paint_drawing, render
from studio.gui.charts.time_data import Marker, TimeData
from studio.gui.theme import Theme

FORMATS = ((".png", "Picture (PNG)…"), (".svg", "Drawing (SVG)…"), (".csv", "Values (CSV)…"))
_SCALE = 2.0
"""Device pixels of a picture for each logical one: sharp in a document."""


def write_picture(path: Path, drawing: Drawing, theme: Theme, size: QSize) -> None:
    """Write a chart as PNG or SVG, by the file's suffix.

    Raises:
        UsageError: when the file cannot be written.
    """
    if path.suffix == ".svg":
        written = _write_svg(path, drawing, theme, size)
    else:
        image, _ = render(drawing, theme, size, _SCALE)
        written = image.save(str(path))
    if not written:
        raise UsageError(f"{path} cannot be written.", hint="Choose another folder.")


def _write_svg(path: Path, drawing: Drawing, theme: Theme, size: QSize) -> bool:
    from PySide6.QtSvg import QSvgGenerator  # only for this: it takes long to load

    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setSize(size)
    generator.setViewBox(QRect(0, 0, size.width(), size.height()))
    painter = QPainter()
    if not painter.begin(generator):
        return False
    painter.fillRect(QRect(0, 0, size.width(), size.height()), theme.color("surface"))
    paint_drawing(drawing, painter, theme, size)
    painter.end()
    return path.exists()


def write_values(path: Path, data: TimeData, markers: list[Marker], unit: str) -> None:
    """Write the points of a chart as CSV, a line each, with the events in the last column.

    Raises:
        UsageError: when the file cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["time", *(f"{name} ({unit})" for name in data.names), "event"])
    rows = [(at, [*("" if one is None else f"{one:.6g}" for one in values), ""])
            for at, values in data.rows()]  # fmt: skip
    rows += [(one.at, [*[""] * len(data.names), _plain(one.text)]) for one in markers]
    for at, cells in sorted(rows, key=lambda row: row[0]):
        time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        table.writerow([time, *cells])
    try:
        path.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise UsageError(f"{path} cannot be written: {reason}.") from None


def _plain(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
