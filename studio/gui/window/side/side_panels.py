"""The panels over the right edge of the window: Activity and help, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QWidget

from studio.gui.window.side.side_panel import SidePanel

if TYPE_CHECKING:
    from studio.gui.shell import WindowParts
    from studio.workspace import RunningJob

WIDTH = 432


class SidePanels(QObject):
    """The panels of a window by name, each imported and made when it is first opened.

    Args:
        top, bottom: The parts of the window that a panel leaves free.

    Signals:
        changed: A panel was opened or closed, or has another place.
    """

    changed = Signal()

    def __init__(self, window: WindowParts, top: QWidget, bottom: QWidget) -> None:
        super().__init__(window.widget)
        self._parts, self._window = window, window.widget
        self._top, self._bottom = top, bottom
        self._panels: dict[str, SidePanel] = {}
        self._before: QWidget | None = None
        self._window.installEventFilter(self)

    @property
    def shown(self) -> SidePanel | None:
        """The open panel, or None."""
        return next((one for one in self._panels.values() if not one.isHidden()), None)

    def panel(self, name: str) -> SidePanel:
        """Return a panel, made on the first call."""
        if name not in self._panels:
            panel = self._make(name)
            panel.closed.connect(self.close_panel)
            self._parts.theming.dress(panel)
            self._panels[name] = panel
        return self._panels[name]

    def toggle(self, name: str) -> None:
        """Open a panel in place of another, or close it."""
        panel, shown = self.panel(name), self.shown
        if shown is panel:
            self.close_panel()
            return
        if shown is None:
            self._before = self._window.focusWidget()
        else:
            shown.hide()
        panel.read()
        self._place(panel)
        panel.show()
        panel.raise_()
        panel.close_button.setFocus(Qt.FocusReason.PopupFocusReason)
        self.changed.emit()

    def close_panel(self) -> bool:
        """Close the open panel and give the focus back; False without one."""
        panel = self.shown
        if panel is None:
            return False
        panel.hide()
        self.changed.emit()
        before, self._before = self._before, None
        if before is not None and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def refresh(self, job: RunningJob) -> None:
        """Show a change of a job in the Activity panel, if it is open."""
        panel = self._panels.get("activity")
        if panel is not None and panel is self.shown:
            panel.refresh(job)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and (panel := self.shown) is not None:
            self._place(panel)
        return False

    def _place(self, panel: SidePanel) -> None:
        top = self._top.height()
        bottom = self._bottom.mapTo(self._window, QPoint(0, 0)).y()
        width = min(WIDTH, self._window.width())
        panel.setGeometry(self._window.width() - width, top, width, max(bottom - top, 0))
        self.changed.emit()

    def _make(self, name: str) -> SidePanel:
        if name == "help":
            from studio.gui.window.side.help_panel import HelpPanel

            return HelpPanel(self._parts)
        from studio.gui.window.side.activity_panel import ActivityPanel

        return ActivityPanel(self._parts)
