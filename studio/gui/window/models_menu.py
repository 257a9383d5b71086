"""The menu of models: open one, close the current one, or go back to a known one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

if TYPE_CHECKING:
    from studio.gui.window.main_window import MainWindow

_MOST = 15


class ModelsMenu(QMenu):
    """Filled anew each time it is shown."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        window = self._window
        self.clear()
        self.addAction("Open a model…", window.choose_model)
        close = self.addAction("Close the model", window.current.close)
        close.setEnabled(window.current.variant is not None)
        models = sorted(window.workspace.registry.models(), key=lambda model: -model.id)
        if models:
            self.addSeparator()
        for model in models[:_MOST]:
            self.addAction(model.name, partial(window.open_known, model.id))
