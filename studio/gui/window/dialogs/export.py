"""The choice of a format for the current model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.forms.form import Form
from studio.gui.widgets.basics import GRID, button, label, row
from studio.workspace import licence_sentence

if TYPE_CHECKING:
    from studio.api import Option
    from studio.gui.forms.editors import Choice
    from studio.workspace import Export

_WIDTH = 432
_PLAIN = ("to", "out")
_RARE = ("precision", "input", "data")
_RARE_LANGUAGE = ("precision", "block_size", "rounding")
_COMPARED = "The result is compared with this model."
_NOT_COMPARED = "Evaluate the result on texts, with this model as the reference."


class _Precisions:
    """The choice of precisions: those of the chosen format."""

    def __init__(self, first: Export) -> None:
        self.export = first

    def choices(self, option: Option) -> Sequence[Choice] | None:
        """Return the precisions of the format; None for any other option."""
        if option.name != "precision":
            return None
        return [(one, one) for one in self.export.precisions]


class ExportDialog(QDialog):
    """The dialog with the formats, their options, and the libraries to install first.

    Args:
        name: Of the model.
        exports: The formats.
        options: Those of the step ``export``.
        agreed: Called with the format and the options that were set.

    Attributes:
        confirm: The button that does it.
    """

    def __init__(
        self,
        name: str,
        exports: Sequence[Export],
        options: Sequence[Option],
        agreed: Callable[[Export, Mapping[str, object]], object],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._agreed = agreed
        self._exports = {one.target: one for one in exports}
        self.setWindowTitle("Convert to another format")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._precisions = _Precisions(exports[0])
        self.form = Form(_fields(options, exports), self._precisions)
        self.form.setMinimumWidth(_WIDTH)
        self.form.changed.connect(self._show_format)
        self.confirm = button("Convert", self._accept, "primary")
        self.confirm.setDefault(True)
        self._about = label("", "dim", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        column.setSpacing(2 * GRID)
        column.addWidget(label(f"Convert {name}", "title", wrap=True))
        column.addWidget(self.form)
        column.addWidget(self._about)
        column.addLayout(row(None, button("Cancel", self.reject), self.confirm))
        # As high as its texts are at this width, also when more options are unfolded.
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        self._show_format()

    def _chosen(self) -> Export:
        return self._exports[str(self.form.fields["to"].editor.value())]

    def _show_format(self) -> None:
        chosen = self._chosen()
        if chosen is not self._precisions.export:
            self._precisions.export = chosen
            self.form.refresh()
            self.form.fields["precision"].editor.set_value(chosen.precisions[0])
        self._about.setText(_text(chosen))
        self.confirm.setText("Install and convert" if chosen.missing else "Convert")

    def _accept(self) -> None:
        if self.form.check():
            values = self.form.values()
            given = {name: one for name, one in values.items() if one and name != "to"}
            chosen = self._chosen()
            self.accept()
            self._agreed(chosen, given)


def _fields(options: Sequence[Option], exports: Sequence[Export]) -> list[Option]:
    by_name = {one.name: one for one in options}
    to = replace(
        by_name["to"],
        choices=tuple(one.target for one in exports),
        choice_titles=tuple(one.title for one in exports),
        default=exports[0].target,
    )
    by_name["precision"] = replace(by_name["precision"], default=exports[0].precisions[0])
    names = _RARE_LANGUAGE if exports[0].language else _RARE
    rare = [replace(by_name[name], advanced=True) for name in names]
    return [to, *(by_name[name] for name in _PLAIN[1:]), *rare]


def _text(export: Export) -> str:
    by = " and ".join(export.frameworks)
    verb = "convert" if len(export.frameworks) > 1 else "converts"
    after = _NOT_COMPARED if export.language else _COMPARED
    text = f"{by} {verb} it on this computer, in a sandbox without network. {after}"
    if export.missing:
        manifests = (plugin.manifest for plugin, _ in export.missing)
        names = " and ".join(one.name for one in manifests if one)
        size = sum(environment.need.megabytes for _, environment in export.missing)
        licences = licence_sentence([environment for _, environment in export.missing])
        text += f"\n\nInstalled first: {names}, about {figures.megabytes(size)}. {licences}"
    return text
