"""A page's views side by side, and in a menu what is folded there or has no room."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from studio.gui.widgets.basics import GRID, button
from studio.lazy_dataclass import dataclass

_SIGN = " ▾"


@dataclass(frozen=True, slots=True)
class _View:
    """One view: its button, its line in the menu, and whether it always stays in the menu."""

    button: QPushButton
    action: QAction
    folded: bool


class ViewBar(QWidget):
    """Exclusive choices that give way when the page is narrow; none is ever cut.

    Signals:
        changed: Index of the new view.
    """

    changed = Signal(int)

    def __init__(self, name: str, more: str = "More") -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._name = name
        self._more = more
        self._views: list[_View] = []
        self._index = -1
        self._frame = QFrame()
        self._frame.setProperty("role", "segmented")
        self._row = QHBoxLayout(self._frame)
        self._group = QButtonGroup(self)
        self._menu = QMenu(self)
        self.menu_button = button(more + _SIGN)
        self.menu_button.setCheckable(True)
        self.menu_button.clicked.connect(self._open)
        self._row.addWidget(self.menu_button)
        outer = QHBoxLayout(self)
        for layout in (self._row, outer):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
        outer.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)  # the hints are its own
        outer.addWidget(self._frame)
        outer.addStretch(1)

    def add(self, title: str, folded: bool = False) -> None:
        """Add a view; the first one is taken."""
        index = len(self._views)
        made = button(title)
        made.setCheckable(True)
        self._group.addButton(made, index)
        made.clicked.connect(lambda: self.set_index(index))
        action = QAction(title, self)
        action.setCheckable(True)
        action.triggered.connect(lambda _checked=False: self.set_index(index))
        self._row.insertWidget(index, made)
        self._views.append(_View(made, action, folded))
        if self._index < 0:
            self._index = 0
        self._arrange()
        self.updateGeometry()

    def count(self) -> int:
        """Return the number of views."""
        return len(self._views)

    def index(self) -> int:
        """Return the view that is shown, -1 without one."""
        return self._index

    def set_index(self, index: int) -> None:
        """Show a view, and signal a change."""
        told = index != self._index
        self._index = index
        self._arrange()
        if told:
            self.changed.emit(index)

    def shown(self) -> list[str]:
        """Return the titles that are side by side."""
        return [one.button.text() for one in self._views if not one.button.isHidden()]

    def sizeHint(self) -> QSize:
        """Return the size of all views that never collapse, and of the menu for the others."""
        fixed = [one for one in self._views if not one.folded]
        width = sum(self._width(one.button) for one in fixed)
        menu = self._menu_width() if len(fixed) < len(self._views) else 0
        return QSize(width + menu + 2, self.menu_button.sizeHint().height() + 2)

    def minimumSizeHint(self) -> QSize:
        """Return the menu alone, under the title of the view that is shown."""
        return QSize(self._menu_width() + 2, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Move views into the menu, or out of it."""
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        """Measure again with another font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._arrange()

    def _arrange(self) -> None:
        """Put side by side as many as there is room for, from the left."""
        fixed = [one for one in self._views if not one.folded]
        has_folded = len(fixed) < len(self._views)
        room = self.width() - 2
        if sum(self._width(one.button) for one in fixed) + has_folded * self._menu_width() > room:
            room -= self._menu_width()
            has_folded = True
            fitting: list[_View] = []
            for one in fixed:
                room -= self._width(one.button)
                if room < 0:
                    break
                fitting.append(one)
            fixed = fitting
        self._menu.clear()
        for number, one in enumerate(self._views):
            inside = one not in fixed
            one.button.setVisible(not inside)
            one.action.setChecked(number == self._index)
            if inside:
                self._menu.addAction(one.action)
            elif number == self._index:
                one.button.setChecked(True)
        self._show_menu(has_folded, [one for one in self._views if one not in fixed])

    def _show_menu(self, visible: bool, inside: list[_View]) -> None:
        current = self._views[self._index] if self._index >= 0 else None
        within = current is not None and current in inside
        self.menu_button.setVisible(visible)
        title = current.button.text() if current is not None and within else self._more
        self.menu_button.setText(title + _SIGN)
        self.menu_button.setFixedWidth(self._menu_width())
        self.menu_button.setAccessibleName(f"{self._name}: more, {len(inside)} in a menu")
        self.menu_button.setChecked(within)
        if within:
            self._group.setExclusive(False)
            for one in self._views:
                one.button.setChecked(False)
            self._group.setExclusive(True)

    def _open(self) -> None:
        within = self._index >= 0 and self._views[self._index].button.isHidden()
        self.menu_button.setChecked(within)
        corner = self.menu_button.rect().bottomLeft()
        self._menu.popup(self.menu_button.mapToGlobal(corner))
        self._menu.setFocus(Qt.FocusReason.PopupFocusReason)

    def _menu_width(self) -> int:
        """For the widest title that the button may ever have, so that nothing jumps."""
        metrics = self.menu_button.fontMetrics()
        titles = [self._more, *(one.button.text() for one in self._views)]
        widest = max(metrics.horizontalAdvance(title + _SIGN) for title in titles)
        return widest + 4 * GRID

    @staticmethod
    def _width(made: QPushButton) -> int:
        return made.sizeHint().width()
