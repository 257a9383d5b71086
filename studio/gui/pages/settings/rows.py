"""A setting on the page: its name and meaning at the left, its editor at the right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.api import Kind, Option, StudioError
from studio.gui.forms.editors import ChoiceEditor, Editor, FlagEditor, NumberEditor, TextEditor
from studio.gui.forms.path_editor import PathEditor
from studio.gui.widgets.basics import GRID, label

if TYPE_CHECKING:
    from studio.settings import Settings

EDITOR_WIDTH = 280
SETTLE_MS = 400
"""Pause in typing after which a text is stored."""

CHOICES: Mapping[str, Mapping[str, str]] = {
    "theme": {"system": "Use the system theme", "light": "Light", "dark": "Dark"},
    "closing": {
        "ask": "Ask each time",
        "background": "Continue in the background",
        "stop": "Stop the jobs",
    },
    "log_level": {"info": "Info", "debug": "Debug"},
}
"""The choices of a setting as the user reads them."""


class SettingRow(QWidget):
    """One setting, stored as soon as it is changed.

    Attributes:
        words: What a search looks through, in small letters.
    """

    def __init__(
        self,
        option: Option,
        settings: Settings,
        help: str,
        changed: Callable[[str], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        super().__init__()
        self.option = option
        self._settings, self._changed, self._failed = settings, changed, failed
        self.words = f"{option.label} {help} {option.name}".lower()
        self.editor = _editor(option)
        self.editor.set_value(settings[option.name])
        self.editor.setFixedWidth(EDITOR_WIDTH)
        self.complaint = label("", "small", tone="bad", wrap=True)
        self.complaint.hide()
        texts = QVBoxLayout()
        texts.setSpacing(2)
        for part in (label(option.label, "strong"), label(help, "dim", wrap=True), self.complaint):
            texts.addWidget(part)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, GRID, 0, GRID)
        layout.setSpacing(2 * GRID)
        layout.addLayout(texts, 1)
        layout.addWidget(self.editor)
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self.store)
        self.editor.changed.connect(self._edited)

    def restore_default(self) -> None:
        """Set the default."""
        self.editor.set_value(self.option.default)
        self.store()

    def store(self) -> None:
        """Store the value, or show why it does not fit; the setting then stays as it was."""
        self._settle.stop()
        sentence = self.editor.complaint()
        self.complaint.setText(sentence)
        self.complaint.setVisible(bool(sentence))
        self.editor.mark(wrong=bool(sentence))
        value = self.editor.value()
        value = self.option.default if value is None else value
        if sentence or value == self._settings[self.option.name]:
            return
        try:
            self._settings[self.option.name] = value
        except OSError as error:
            reason = f"The settings cannot be stored: {error.strerror or error}."
            self._failed(StudioError(reason, hint="The change lasts until the studio is closed."))
        self._changed(self.option.name)

    def _edited(self) -> None:
        if self.option.kind in (Kind.TEXT, Kind.FILE, Kind.INTEGER):
            self._settle.start()
        else:
            self.store()


def _editor(option: Option) -> Editor:
    if option.kind is Kind.CHOICE:
        return ChoiceEditor(option, _entries(option))
    if option.kind is Kind.FLAG:
        flag = FlagEditor(option)
        flag.box.setText("On")
        flag.box.setAccessibleName(option.label)
        return flag
    if option.kind is Kind.INTEGER:
        return NumberEditor(option)
    return PathEditor(option) if option.kind is Kind.FILE else TextEditor(option)


def _entries(option: Option) -> Sequence[tuple[str, str]]:
    titles = CHOICES.get(option.name, {})
    return [(choice, titles.get(choice, choice)) for choice in option.choices]
