"""The outputs of a model as they are, below what they mean."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.gui.widgets.basics import button, label
from studio.workspace import OUTPUT_TITLES

_SHOW, _HIDE = "Show raw tensors", "Hide raw tensors"


def meaning_of(task: str, recognised: bool) -> str:
    """Return what the outputs mean in one line, and how it is known."""
    if not task:
        return ""
    title = OUTPUT_TITLES.get(task, task)
    return f"{title}, recognised from the outputs" if recognised else f"{title}, by outputs.toml"


class RawTensors(QWidget):
    """Lines with the shape and the range of each output, behind a button."""

    def __init__(self) -> None:
        super().__init__()
        self.toggle = button(_SHOW, self._switch, "link")
        self.lines = label("", "mono", wrap=True)
        self.lines.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.toggle)
        column.addWidget(self.lines)
        self.hide()

    def show_lines(self, lines: Sequence[str]) -> None:
        """Show other outputs; nothing without any."""
        self.lines.setText("\n".join(lines))
        self.setVisible(bool(lines))

    def _switch(self) -> None:
        shown = self.lines.isHidden()
        self.lines.setVisible(shown)
        text = _HIDE if shown else _SHOW
        self.toggle.setText(text)
        self.toggle.setAccessibleName(text)
