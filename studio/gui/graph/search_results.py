"""The list of what a search found, grouped by what matched, and how its lines are painted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    Qt,
)
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.names import shown
from studio.gui.theme import Theming
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.workspace import SearchResult

GROUPS = {
    "operator": "Operator type",
    "name": "Name",
    "attribute": "Attribute",
    "tensor": "Tensor",
    "shape": "Shape",
}
"""Headings of the groups, in their order."""

SHOWN = 200
"""Results of a group that are listed; how many more there are is said below them."""

HEAD_HEIGHT, LINE_HEIGHT = 28, 42
_INSET = 16

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class ResultLine:
    """A line of the list: a heading, a result, or how many more there are.

    Attributes:
        found: The result; None for the others.
    """

    title: str
    text: str = ""
    found: SearchResult | None = None


def grouped(hits: Sequence[SearchResult]) -> list[ResultLine]:
    """Return the lines of a list: each group under its heading, which counts all of it."""
    lines: list[ResultLine] = []
    for where, title in GROUPS.items():
        group = [hit for hit in hits if hit.where == where]
        if not group:
            continue
        lines.append(ResultLine(title, f"{len(group):,}"))
        lines += [ResultLine(_title(hit), _text(hit), hit) for hit in group[:SHOWN]]
        if len(group) > SHOWN:
            rest = figures.count(len(group) - SHOWN, "more result")
            lines.append(ResultLine("", f"{rest}; type more to narrow them"))
    return lines


def _title(hit: SearchResult) -> str:
    return shown(hit.operator) or hit.kind.capitalize()


def _text(hit: SearchResult) -> str:
    """Return the name, with what matched where that is something else."""
    if hit.where in ("operator", "name") or hit.text == hit.name:
        return shown(hit.name)
    return f"{shown(hit.text)} · {shown(hit.name)}"


class SearchResults(QAbstractListModel):
    """The lines; only those of results can be chosen.

    Args:
        place: Returns the block of a result; empty for the main graph.
    """

    def __init__(self, place: Callable[[SearchResult], str]) -> None:
        super().__init__()
        self.lines: list[ResultLine] = []
        self.place = place

    def show(self, lines: list[ResultLine]) -> None:
        """Replace all lines."""
        self.beginResetModel()
        self.lines = lines
        self.endResetModel()

    def rowCount(self, _parent: Index | None = None) -> int:
        """Return how many lines there are."""
        return len(self.lines)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings can neither be chosen nor be reached."""
        if index.isValid() and self.lines[index.row()].found is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return text, tooltip or accessible text of a line."""
        if not index.isValid():
            return None
        line = self.lines[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return line.title
        if role == Qt.ItemDataRole.ToolTipRole and line.found is not None:
            place = self.place(line.found)
            return plain_tip("\n".join(part for part in (line.text, place) if part))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            place = self.place(line.found) if line.found is not None else ""
            return ", ".join(part for part in (line.title, line.text, place) if part)
        return None


class SearchResultPainter(QStyledItemDelegate):
    """Operator and block on the first line of a result, name and what matched on the second."""

    def __init__(self, theming: Theming, parent: QObject) -> None:
        super().__init__(parent)
        self._theming = theming

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """As wide as the list; headings are lower than results."""
        found = _line(index).found
        return QSize(option.rect.width(), HEAD_HEIGHT if found is None else LINE_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint a line."""
        line = _line(index)
        painter.save()
        if line.found is None:
            self._paint_head(painter, option, line)
        else:
            model = index.model()
            assert isinstance(model, SearchResults)
            self._paint_result(painter, option, line, model.place(line.found))
        painter.restore()

    def _paint_head(
        self, painter: QPainter, option: QStyleOptionViewItem, line: ResultLine
    ) -> None:
        inner = option.rect.adjusted(_INSET, 0, -_INSET, 0)
        painter.setFont(_font(option.font, 12))
        painter.setPen(self._theming.current.color("dim"))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | middle, line.title or line.text)
        if line.title:
            painter.drawText(inner, Qt.AlignmentFlag.AlignRight | middle, line.text)

    def _paint_result(
        self, painter: QPainter, option: QStyleOptionViewItem, line: ResultLine, place: str
    ) -> None:
        theme = self._theming.current
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, theme.color("accent_ground"))
        inner = option.rect.adjusted(_INSET, 4, -_INSET, -4)
        upper, lower = inner.adjusted(0, 0, 0, -18), inner.adjusted(0, 17, 0, 0)
        title, small = _font(option.font, 13, strong=True), _font(option.font, 12)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        metrics = QFontMetrics(title)
        painter.setFont(title)
        painter.setPen(theme.color("text"))
        title_text = metrics.elidedText(line.title, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(upper, left, title_text)
        painter.setFont(small)
        painter.setPen(theme.color("dim"))
        room = inner.width() - metrics.horizontalAdvance(title_text) - 12
        elide, metrics = Qt.TextElideMode.ElideMiddle, QFontMetrics(small)
        if room > 24:
            painter.drawText(upper, right, metrics.elidedText(place, elide, room))
        painter.drawText(lower, left, metrics.elidedText(line.text, elide, inner.width()))


def _line(index: Index) -> ResultLine:
    model = index.model()
    assert isinstance(model, SearchResults)
    return model.lines[index.row()]


def _font(font: QFont, size: int, *, strong: bool = False) -> QFont:
    made = QFont(font)
    made.setPixelSize(size)
    if strong:
        made.setWeight(QFont.Weight.DemiBold)
    return made
