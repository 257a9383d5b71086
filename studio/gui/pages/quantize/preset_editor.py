"""The preset of a quantization: chosen from a list, edited in a form or as TOML, kept in step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QColor, QFontDatabase, QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QStackedWidget,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from studio.api import StudioError
from studio.gui.forms.form import Form
from studio.gui.widgets.basics import (
    GRID,
    Scroll,
    Segmented,
    button,
    label,
    restyle,
    row,
    set_enabled,
)

if TYPE_CHECKING:
    from studio.gui.theme import Theming
    from studio.workspace import CheckedPreset, PresetEntry, Workspace

FIRST = "int8"
"""The preset that a new page shows."""

_TYPING_MS = 350
_LINE = re.compile(r"line (\d+), column (\d+)")
_FROM_FILE = "From a file…"


class PresetEditor(QWidget):
    """A preset's text, which the form and the TOML view show in two ways.

    Signals:
        changed: The text is another one.
        submitted: Enter was pressed in the form.
    """

    changed = Signal()
    submitted = Signal()

    def __init__(self, workspace: Workspace, theming: Theming) -> None:
        super().__init__()
        self._workspace, self._theming = workspace, theming
        self._entries: list[PresetEntry] = []
        self._values: dict[str, Any] = {}
        self._wanted = ""
        self.text = ""
        self.problem = ""
        self.form: Form | None = None
        self.combo = QComboBox()
        self.combo.setAccessibleName("Preset")
        self.summary = label("", wrap=True)
        self.hardware = label("", "dim", wrap=True)
        self.views = Segmented(("Form", "TOML"), "Preset as")
        self.source = QPlainTextEdit()
        self.source.setAccessibleName("Preset as TOML")
        self.source.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.source.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.complaint = label("", "small", tone="bad", wrap=True)
        self.name = QLineEdit()
        self.name.setPlaceholderText("Preset name")
        self.name.setAccessibleName("Name of the preset")
        self.keep = button("Save", self.save)
        self.saved = label("", "small", wrap=True)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._build()
        self._connect()
        self.refresh()
        self.choose(FIRST)

    def _build(self) -> None:
        self._scroll = Scroll(margin=0)
        self._scroll.body.setContentsMargins(0, 0, GRID, 0)
        self._scroll.body.addStretch(1)
        self._stack = QStackedWidget()
        for view in (self._scroll, self.source):
            self._stack.addWidget(view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        for item in (self.combo, self.summary, self.hardware):
            layout.addWidget(item)
        layout.addLayout(row(self.views, None))
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.complaint)
        layout.addLayout(row(self.name, self.keep))
        layout.addWidget(self.saved)
        self.complaint.hide()
        self.saved.hide()

    def _connect(self) -> None:
        self.views.changed.connect(self._stack.setCurrentIndex)
        self.combo.activated.connect(self._chosen)
        self.source.textChanged.connect(self._typing.start)
        self._typing.timeout.connect(self._typed)
        self.name.textChanged.connect(lambda _: self._explain())
        self.name.returnPressed.connect(self.save)
        self._theming.changed.connect(self._mark)

    # Which preset

    def refresh(self) -> None:
        """Read the list of presets again."""
        kept = self.combo.currentData()
        self._entries = list(self._workspace.presets.all())
        self.combo.clear()
        for entry in self._entries:
            self.combo.addItem(f"{entry.title} (yours)" if entry.own else entry.title, entry.name)
        self.combo.addItem(_FROM_FILE, None)
        self.combo.setCurrentIndex(max(self.combo.findData(kept), 0))
        self._explain()

    def choose(self, wanted: str) -> None:
        """Show a preset, by its name, its file, or its text."""
        index = self.combo.findData(wanted)
        if index >= 0:
            self.combo.setCurrentIndex(index)
        self._check(wanted, self._show)

    def _chosen(self, index: int) -> None:
        name = self.combo.itemData(index)
        if name is not None:
            self.choose(name)
            return
        pattern = "Presets (*.toml);;All files (*)"
        path, _kind = QFileDialog.getOpenFileName(self, "Preset", str(Path.home()), pattern)
        if path:
            self.choose(path)

    def _check(self, wanted: str, done: Any) -> None:
        """Check a preset off the GUI thread, since its method's plugin is imported for it."""
        self._wanted = wanted
        self._workspace.in_background(
            partial(self._workspace.presets.check, wanted), partial(self._checked, wanted, done)
        )

    def _checked(self, wanted: str, done: Any, result: CheckedPreset | Exception) -> None:
        if wanted != self._wanted:
            return  # two checks may end in another order than they began
        if isinstance(result, Exception):
            self._complain(result)
        else:
            self._complain(None)
            done(result)

    @property
    def entries(self) -> list[PresetEntry]:
        """All presets, those that ship with the studio first."""
        return self._entries

    @property
    def chosen_name(self) -> str:
        """The name of the preset; empty for a text that was changed, or is from a file."""
        value = self.option_value()
        return value if any(entry.name == value for entry in self._entries) else ""

    @property
    def title(self) -> str:
        """The preset in words, with a note where it was changed."""
        if self.chosen_name:
            return self.combo.currentText()
        return f"{self.combo.currentText()}, changed" if self.combo.currentData() else "from a file"

    # Values of the preset

    def _show(self, checked: CheckedPreset) -> None:
        """Show a preset in both views."""
        self._show_checked(checked)
        self._write(checked.entry.text)

    def _show_checked(self, checked: CheckedPreset) -> None:
        """Show the values of a text in the form; the text itself stays as it is."""
        self.text = checked.entry.text
        self.summary.setText(checked.entry.summary)
        self.hardware.setText(checked.entry.hardware)
        self.summary.setVisible(bool(checked.entry.summary))
        self.hardware.setVisible(bool(checked.entry.hardware))
        options = [option for option in checked.options if option.name != "method"]
        if self.form is None or [f.option for f in self.form.fields.values()] != options:
            self._make_form(options)
        assert self.form is not None
        self.form.blockSignals(True)
        self.form.set_values(checked.values)
        self.form.blockSignals(False)
        self._values = self.form.values()
        self._mark()
        self.changed.emit()

    def _make_form(self, options: list[Any]) -> None:
        if self.form is not None:
            self._scroll.body.removeWidget(self.form)
            self.form.hide()
            self.form.deleteLater()
        self.form = Form(options, columns=2)
        self.form.changed.connect(self._edited)
        self.form.submitted.connect(self.submitted)
        self._scroll.body.insertWidget(0, self.form)

    def _edited(self) -> None:
        """Put what was changed in the form into the text, the rest of which stays as it is."""
        if self.form is None or any(f.editor.complaint() for f in self.form.fields.values()):
            return
        values = self.form.values()
        for name, field in self.form.fields.items():
            value = values.get(name, field.option.default)
            if value != self._values.get(name, field.option.default):
                self.text = self._workspace.presets.with_value(self.text, name, value)
        self._values = values
        self._write(self.text)
        self.changed.emit()

    def _write(self, text: str) -> None:
        if self.source.toPlainText() != text:
            self.source.blockSignals(True)
            self.source.setPlainText(text)
            self.source.blockSignals(False)
        self._explain()

    def _typed(self) -> None:
        """Check what was typed, and show it in the form."""
        text = self.source.toPlainText()
        self._check(text if "\n" in text else f"{text}\n", self._show_checked)

    # What is wrong with it

    def _complain(self, error: Exception | None) -> None:
        self.problem = "" if error is None else str(error)
        hint = error.hint if isinstance(error, StudioError) and "nearest" not in str(error) else ""
        self.complaint.setText(" ".join(part for part in (self.problem, hint) if part))
        self.complaint.setVisible(bool(self.problem))
        self._mark()
        self._explain()
        if error is not None:
            self.changed.emit()

    def _mark(self) -> None:
        """Underline the line that is wrong."""
        found = _LINE.search(self.problem)
        marks = []
        if found:
            mark = QTextEdit.ExtraSelection()
            block = self.source.document().findBlockByNumber(int(found.group(1)) - 1)
            cursor = QTextCursor(block)
            color = QColor(self._theming.current.colors["bad"])
            color.setAlpha(60)
            look = QTextCharFormat()
            look.setBackground(color)
            look.setProperty(QTextFormat.Property.FullWidthSelection, True)
            mark.format, mark.cursor = look, cursor
            marks.append(mark)
        self.source.setExtraSelections(marks)

    def check(self) -> bool:
        """Show every complaint; True when the preset can be used."""
        fits = self.form is not None and self.form.check()
        if self.problem:
            self.views.set_index(1)
        return fits and not self.problem

    # One's own

    def save(self) -> None:
        """Save the text under the entered name."""
        name = self.name.text().strip()
        if not name or self.problem:
            return
        try:
            self._workspace.presets.save(name, self.text)
        except StudioError as error:
            self._show_message(error.message, "bad")
            return
        self.refresh()
        self.combo.setCurrentIndex(max(self.combo.findData(name), 0))
        self._show_message(f"Saved. Command: studio quantize --preset {name}", "good")

    def _show_message(self, text: str, tone: str) -> None:
        self.saved.setText(text)
        restyle(self.saved, tone=tone)
        self.saved.show()

    def _explain(self) -> None:
        reason = "Enter a name first." if not self.name.text().strip() else ""
        set_enabled(self.keep, "Fix the errors in the preset first." if self.problem else reason)

    def option_value(self) -> str:
        """Return the value for a step: the name of an unchanged preset, else its text."""
        name = self.combo.currentData()
        known = next((entry for entry in self._entries if entry.name == name), None)
        return known.name if known is not None and known.text == self.text else self.text

    def values(self) -> Mapping[str, Any]:
        """Return the preset's values by option."""
        return self._values
