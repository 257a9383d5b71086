"""The sections of evidence in groups, each with an icon and a word for its state."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from studio.api.qt import plain_tip
from studio.features.evidence.survey.views import EvidenceSection, EvidenceSurvey, SectionGroup
from studio.gui import figures
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID

ROW, HEAD = 40, 30
WIDTH = 280
_MARK = 20
_LEFT = 14
_SECTION = Qt.ItemDataRole.UserRole
_TONES = {"present": "good", "asked": "accent", "missing": "bad"}
_SIGNS = {"present": "✓", "asked": "?", "missing": ""}


def note_of(section: EvidenceSection) -> str:
    """Return where a section comes from, or who is to write it, since when."""
    name, at = section.requested
    if section.is_open and name:
        return f"requested from {name}, {figures.age(at)}"
    return section.note


class SectionList(QListWidget):
    """The list of sections.

    Signals:
        chosen: Id of the section that the user has selected.
        opened: Id of the section that the user has clicked, or has opened with Enter.
    """

    chosen = Signal(str)
    opened = Signal(str)

    def __init__(self, theming: Theming, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setItemDelegate(_Delegate(self, theming))
        self.setMouseTracking(True)
        self.setUniformItemSizes(False)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(26 * GRID)
        self.currentItemChanged.connect(lambda item, _: self._changed(item))
        self.itemClicked.connect(lambda item: self.opened.emit(_id(item)) if _id(item) else None)
        self._is_silent = False
        theming.changed.connect(self.viewport().update)

    def show_sections(self, survey: EvidenceSurvey, groups: Sequence[SectionGroup]) -> None:
        """Show the sections in groups; the selected one stays selected."""
        kept = self.current_id()
        self._is_silent = True
        self.clear()
        for group in groups:
            head = QListWidgetItem(group.title)
            head.setFlags(Qt.ItemFlag.NoItemFlags)
            head.setSizeHint(QSize(0, HEAD))
            self.addItem(head)
            for name in group.sections:
                self._add(survey.sections[name])
        self._is_silent = False
        self.select(kept)

    def _add(self, section: EvidenceSection) -> None:
        note = note_of(section)
        item = QListWidgetItem(section.title)
        item.setData(_SECTION, section)
        item.setSizeHint(QSize(0, ROW))
        text = f"{section.title}: {section.state}. {note}"
        item.setData(Qt.ItemDataRole.AccessibleTextRole, text)
        item.setToolTip(plain_tip(text if len(note) > WIDTH // GRID else ""))
        self.addItem(item)

    def current_id(self) -> str:
        """Return the id of the selected section; empty without one."""
        item = self.currentItem()
        return _id(item) if item is not None else ""

    def select(self, name: str) -> None:
        """Select a section without a signal."""
        self._is_silent = True
        for place in range(self.count()):
            if name and _id(self.item(place)) == name:
                self.setCurrentRow(place)
        self._is_silent = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the selected section with Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current_id():
            self.opened.emit(self.current_id())
            return
        super().keyPressEvent(event)

    def _changed(self, item: QListWidgetItem | None) -> None:
        if item is not None and not self._is_silent and _id(item):
            self.chosen.emit(_id(item))


def _id(item: QListWidgetItem) -> str:
    section = item.data(_SECTION)
    return section.id if isinstance(section, EvidenceSection) else ""


class _Delegate(QStyledItemDelegate):
    """Paints a heading, or a section with its mark, title, note and state."""

    def __init__(self, parent: SectionList, theming: Theming) -> None:
        super().__init__(parent)
        self._theming = theming

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one line."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        section = index.data(_SECTION)
        rect: QRect = option.rect
        font: QFont = option.font
        if isinstance(section, EvidenceSection):
            self._section(painter, rect, font, section, option)
        else:
            self._heading(painter, rect, font, str(index.data() or ""))
        painter.restore()

    def _heading(self, painter: QPainter, rect: QRect, font: QFont, text: str) -> None:
        painter.setFont(_sized(font, 12, bold=True))
        painter.setPen(self._theming.current.color("dim"))
        area = rect.adjusted(_LEFT, 4, -GRID, 0)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, shown)

    def _section(
        self,
        painter: QPainter,
        rect: QRect,
        font: QFont,
        section: EvidenceSection,
        option: QStyleOptionViewItem,
    ) -> None:
        theme = self._theming.current
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.color("accent_ground"))
            painter.fillRect(
                QRect(rect.left(), rect.top(), 3, rect.height()), theme.color("accent")
            )
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.color("surface_2"))
        self._mark(
            painter, QRect(rect.left() + _LEFT, rect.top() + 10, _MARK, _MARK), section.state
        )
        left = rect.left() + _LEFT + _MARK + 10
        right = rect.right() - 10
        if section.state != "present":
            painter.setFont(_sized(font, 11))
            painter.setPen(theme.color(f"{_TONES[section.state]}_text"))
            width = painter.fontMetrics().horizontalAdvance(section.state) + 2
            painter.drawText(
                QRect(right - width, rect.top() + 3, width, 18),
                Qt.AlignmentFlag.AlignVCenter,
                section.state,
            )
            right -= width + 6
        painter.setFont(_sized(font, 13))
        painter.setPen(theme.color("text"))
        _line(painter, QRect(left, rect.top() + 3, right - left, 18), section.title)
        painter.setFont(_sized(font, 11))
        painter.setPen(theme.color("dim"))
        area = QRect(left, rect.top() + 20, rect.right() - 10 - left, 16)
        _line(painter, area, note_of(section))

    def _mark(self, painter: QPainter, place: QRect, state: str) -> None:
        """Paint the mark of a state: a check, a question mark, or a dashed ring."""
        theme, tone = self._theming.current, _TONES[state]
        if state == "missing":
            pen = QPen(theme.color(tone), 1.5, Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(place.adjusted(1, 1, -1, -1))
            return
        ground = theme.color(tone)
        ground.setAlphaF(0.16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawEllipse(place)
        painter.setPen(theme.color(f"{tone}_text"))
        painter.setFont(_sized(painter.font(), 12, bold=True))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, _SIGNS[state])


def _line(painter: QPainter, area: QRect, text: str) -> None:
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, shown)


def _sized(font: QFont, pixels: int, *, bold: bool = False) -> QFont:
    made = QFont(font)
    made.setPixelSize(pixels)
    made.setBold(bold)
    return made
