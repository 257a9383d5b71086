"""The offer to convert a model of another framework."""

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
    from studio.workspace import Conversion

_WIDTH = 432
_OPTIONS = ("input", "dynamic")
_CONSENT = "run_code"
_NO_SANDBOX = (
    "This computer has no sandbox for that code, so the file is not read. "
    "The settings show what is missing."
)
_WITHOUT_SHAPES = frozenset({"torchscript"})
"""Forms of models that do not record the shapes of their inputs."""


class ConversionDialog(QDialog):
    """The dialog with the form of a file, its conversion, and the libraries to install first.

    Args:
        options: Those of the step ``convert``.
        agreed: Called with the options that were set.
        has_sandbox: Whether code of a model can be run in one; without it no code is run.

    Attributes:
        confirm: The button that does it.
    """

    def __init__(
        self,
        conversion: Conversion,
        options: Sequence[Option],
        agreed: Callable[[Mapping[str, object]], object],
        parent: QWidget,
        *,
        has_sandbox: bool = True,
    ) -> None:
        super().__init__(parent)
        self._agreed = agreed
        self.setWindowTitle("Convert to ONNX")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.form = Form(_fields(conversion, options))
        verb = "Convert" if conversion.is_ready else "Install and convert"
        self.confirm = button(verb, self._accept, "primary")
        self.confirm.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        column.setSpacing(2 * GRID)
        column.addWidget(label(f"Convert {conversion.path.name} to ONNX", "title", wrap=True))
        for text in _texts(conversion):
            column.addWidget(label(text, "dim", wrap=True))
        if conversion.source.runs_code:
            column.addWidget(label(_warning(has_sandbox), tone="warning", wrap=True))
        column.addWidget(self.form)
        column.addLayout(row(None, button("Cancel", self.reject), self.confirm))
        self.form.setMinimumWidth(_WIDTH)
        if consent := self.form.fields.get(_CONSENT):
            consent.setEnabled(has_sandbox)
            consent.changed.connect(self._consider)
            self._consider()
        # As high as its texts are at this width, also when more options are unfolded.
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)

    def _consider(self) -> None:
        """Wait for the consent to run code."""
        self.confirm.setEnabled(bool(self.form.values()[_CONSENT]))

    def _accept(self) -> None:
        if self.form.check():
            given = {name: value for name, value in self.form.values().items() if value}
            self.accept()
            self._agreed(given)


def _fields(conversion: Conversion, options: Sequence[Option]) -> list[Option]:
    """Return the options of the form; what the model records itself is folded away."""
    if conversion.source.runs_code:
        return [one for one in options if one.name == _CONSENT]
    asked = {"input"} if conversion.source.id in _WITHOUT_SHAPES else set()
    found = [one for one in options if one.name in _OPTIONS]
    return [replace(one, advanced=one.name not in asked) for one in found]


def _warning(has_sandbox: bool) -> str:
    if not has_sandbox:
        return _NO_SANDBOX
    return (
        "The code reaches no network and changes no file of yours. It can read your models in the "
        "registry, and give a model that is not what it seems. Convert only files that you trust."
    )


def _texts(conversion: Conversion) -> list[str]:
    found = [
        f"It is {conversion.source.title}. {conversion.framework} converts it on this computer, "
        "in a sandbox without network, and the result is compared with the original."
    ]
    environment = conversion.environment
    if not conversion.is_ready and environment is not None:
        found.append(
            f"{conversion.framework} is installed first, in an environment of its own: about "
            f"{figures.megabytes(environment.need.megabytes)}. {licence_sentence([environment])}"
        )
    if conversion.source.id in _WITHOUT_SHAPES:
        found.append(
            "It does not record the shapes of its inputs. Enter them, such as 1,3,224,224."
        )
    return found
