"""The preview with its tools: source, step to draw, new line or area, save."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

from studio.documents.dataclass_json import JsonValue
from studio.features.apps.pages.app.preview import EMPTY, Preview
from studio.features.apps.pages.app.shape_editor import ShapeEditor
from studio.features.apps.pages.app.shapes import (
    AREA,
    LINES,
    form_of,
    settings_of,
    shapes_of,
    sources_of,
)
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, button, label, row, set_enabled

if TYPE_CHECKING:
    from studio.features.apps.results import AppPart, AppProgress

_PICTURES = "pictures"
_NO_PICTURE = "Run the app first: lines and areas are drawn on its picture."
_NOTHING = "No step of this app has a line or an area."
_DRAWN = "Only the lines and areas of one step can be changed at a time. Save or discard them."
_IDLE = "Drag points to move them."
_IDLE_AREA = "Drag points to move them. Double-click an edge to add one."
_FOOT = 4 * GRID + 2
_HINTS = {
    AREA: "Click the corners. Click the first one again, or press Enter, to close the area.",
    LINES: "Click both ends of the first line, then both ends of the second.",
}
_LINE_HINT = "Click the start, then the end."


class PreviewCard(Card):
    """The picture of one source and the drawing of one step.

    Signals:
        saved: The user wants the settings of the drawn step to be saved.
        step_chosen: Name of the step whose line or area the user wants to change.
    """

    saved = Signal()
    step_chosen = Signal(str)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.setAccessibleName("Preview")
        self.drawing = ShapeEditor()
        self.preview = Preview(theming, self.drawing)
        self.source = _combo("Source of the preview")
        self.step = _combo("Step to draw")
        self.new = button("New area", self._begin)
        self.remove = button("Remove point", self.drawing.remove, "link")
        self.discard = button("Discard", self.drawing.discard, "link")
        self.save = button("Save to app.toml", self.saved.emit)
        self.hint = label("", "dim", wrap=True)
        self.hint.setMinimumHeight(_FOOT)  # the picture keeps its size when buttons appear
        self._parts: Sequence[AppPart] = ()
        self._images: dict[str, tuple[QImage, int, int]] = {}
        self._is_chosen = False
        self._reach: Mapping[str, frozenset[str]] = {}
        self.tools = QWidget()
        tools = row(self.source, self.step, self.new, self.remove, None)
        self.tools.setLayout(tools)
        self.body.setContentsMargins(GRID, GRID, GRID, GRID)
        foot = row(self.hint, self.discard, self.save)
        foot.setStretch(0, 1)
        self.body.addWidget(self.tools)
        self.body.addWidget(self.preview)
        self.body.addLayout(foot)
        self.body.setStretch(self.body.indexOf(self.preview), 1)
        self.source.currentTextChanged.connect(lambda _: self._show_source())
        self.step.currentTextChanged.connect(lambda _: self._edit())
        self.step.textActivated.connect(self.step_chosen)
        self.source.textActivated.connect(self._note_choice)
        self.drawing.changed.connect(self._explain)
        self.clear()

    def clear(self) -> None:
        """Forget app and pictures."""
        self._images = {}
        self._is_chosen = False
        self.drawing.discard()
        self.show_parts(())
        self.preview.show_frame(QImage(), 0, 0)
        self._explain()

    def show_parts(self, parts: Sequence[AppPart]) -> None:
        """Show the lines and areas of an app that was checked; unsaved changes stay."""
        self._parts, self._reach = parts, sources_of(parts)
        _offer(self.source, [part.name for part in parts if gives_pictures(part)])
        self.source.setVisible(self.source.count() > 1)
        _offer(self.step, [part.name for part in parts if form_of(part)])
        self.step.setVisible(self.step.count() > 1)
        self.drawing.show_saved(shapes_of(parts))
        self._edit()
        self._show_source()

    def choose(self, name: str) -> None:
        """Edit the step of a name, or show the source of it, where it is one."""
        for box in (self.step, self.source):
            if box.findText(name) >= 0 and box.isEnabled():
                box.setCurrentText(name)

    def show_progress(self, progress: AppProgress) -> None:
        """Take the picture of a report."""
        if not progress.picture:
            return
        image = QImage.fromData(base64.b64decode(progress.picture))
        self._images[progress.source] = image, progress.width, progress.height
        if not self._is_chosen and self.source.currentText() not in self._images:
            self.source.setCurrentText(progress.source)
        if self.source.currentText() in (progress.source, *self._missing()):
            self._show_source()

    def _missing(self) -> list[str]:
        """Return the sources without a picture."""
        names = (self.source.itemText(at) for at in range(self.source.count()))
        return [name for name in names if name not in self._images]

    def settings(self) -> tuple[str, dict[str, JsonValue]]:
        """Return the step that is drawn, and its new settings."""
        return self.drawing.step, settings_of(self.drawing.own())

    def note_saved(self) -> None:
        """Take the shapes as those of the file."""
        self.drawing.show_saved(self.drawing.shapes)

    def _edit(self) -> None:
        name = self.step.currentText()
        part = next((one for one in self._parts if one.name == name), None)
        self.drawing.edit(name, form_of(part) if part is not None else "")
        if part is not None and self.source.currentText() not in self._reach[name]:
            self.source.setCurrentText(min(self._reach[name]))
        self._explain()

    def _note_choice(self) -> None:
        """Keep the source that the user has chosen, also while it has no picture."""
        self._is_chosen = True

    def _show_source(self) -> None:
        source = self.source.currentText()
        self.preview.empty = f"No picture of {source} yet." if self._images else EMPTY
        self.preview.show_steps(
            frozenset(name for name, reach in self._reach.items() if source in reach)
        )
        had_picture = not self.preview.image.isNull()
        self.preview.show_frame(*self._images.get(source, (QImage(), 0, 0)))
        if had_picture is self.preview.image.isNull():
            self._explain()

    def _begin(self) -> None:
        if self.drawing.pending is None:
            self.drawing.begin()
            self.preview.setFocus()
        else:
            self.drawing.cancel()

    def _explain(self) -> None:
        """Show what can be done now, and why the rest cannot."""
        drawing = self.drawing
        draws, changed = drawing.pending is not None, drawing.is_changed
        blank = _NO_PICTURE if self.preview.image.isNull() else ""
        noun = {AREA: "area", "points": "area", LINES: "lines"}.get(drawing.form, "line")
        text = "Cancel drawing" if draws else f"New {noun}"
        self.new.setText(text)
        self.new.setAccessibleName(text)
        set_enabled(self.new, blank)
        set_enabled(self.remove, blank or drawing.why_not_remove())
        set_enabled(self.step, _DRAWN if changed or draws else "")
        self.tools.setVisible(bool(drawing.form) or self.source.count() > 1)
        for widget in (self.new, self.remove):
            widget.setVisible(bool(drawing.form))
        self.remove.setVisible(drawing.form == AREA)
        for widget in (self.discard, self.save):
            widget.setVisible(changed and not draws)
        can_save = bool(settings_of(drawing.own()))
        set_enabled(self.save, "" if can_save else "The drawing is not complete.")
        self.hint.setText(self._hint(draws, blank))

    def _hint(self, draws: bool, blank: str) -> str:
        if draws:
            return _HINTS.get(self.drawing.form, _LINE_HINT)
        if not self.drawing.form:
            return _NOTHING if self._parts else ""
        return blank or (_IDLE_AREA if self.drawing.form == AREA else _IDLE)


def gives_pictures(part: AppPart) -> bool:
    """Return whether a part is a source with something to see."""
    return part.group == "source" and part.gives == _PICTURES


def _combo(name: str) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(name)
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    made.setMaximumWidth(22 * GRID)
    return made


def _offer(box: QComboBox, names: Sequence[str]) -> None:
    """Offer other names; the current one stays where it still exists."""
    current = box.currentText()
    if [box.itemText(at) for at in range(box.count())] == list(names):
        return
    box.blockSignals(True)
    box.clear()
    box.addItems(list(names))
    if current in names:
        box.setCurrentText(current)
    box.blockSignals(False)
