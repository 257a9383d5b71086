"""The first moment of a page: no window flashes up, and the focus stays."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from studio.gui.window.main_window import MainWindow
from studio.gui.window.stages import BY_ID


@pytest.mark.parametrize("stage", sorted(BY_ID))
def test_a_page_flashes_no_window_of_its_own(
    digits_window: MainWindow, qapp: QApplication, stage: str
) -> None:
    """Such a window would take the focus, and the keys of who types."""
    seen: list[str] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            is_shown = event.type() is QEvent.Type.Show
            if is_shown and isinstance(watched, QWidget) and watched.isWindow():
                seen.append(type(watched).__name__)
            return False

    watch = Watch()
    qapp.installEventFilter(watch)
    digits_window.go(stage)
    qapp.processEvents()
    qapp.removeEventFilter(watch)
    assert [name for name in seen if name != "QTipLabel"] == []
    assert QApplication.activeWindow() is digits_window
