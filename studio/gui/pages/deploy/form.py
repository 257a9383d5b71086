"""The Deploy page's options, and the confirmation before a replacement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from studio.api import Kind, Option, TargetSpec
from studio.gui.pages.deploy.release_details import ReleaseDetails
from studio.gui.widgets.basics import button, label, row

if TYPE_CHECKING:
    from studio.workspace import VariantRecord, Workspace

NOT_ASKED = ("dry_run", "bundle")
IN_SIGHT = ("data", "labels", "preprocess", "quality")
"""Options that are always visible: files for the target, and the rollback."""

TRIAL = ("quality", "soak_rule")
COMPARED = ("agreement",)
KEPT = ("keep_samples", "samples_mb")
BESIDE = "samples_mb"
"""Its own reason is the one of the field before it."""
ENDPOINT, REPLACE = "endpoint", "replace"


def form_options(options: Sequence[Option]) -> list[Option]:
    """Return the options besides model and target; those of access control are always visible."""
    shown = (option for option in options if option.name not in NOT_ASKED)
    return [
        replace(option, advanced=option.name not in IN_SIGHT)
        for option in shown
        if option.kind not in (Kind.MODEL, Kind.TARGET, Kind.OUTPUT)
    ]


def replaced_model(
    workspace: Workspace,
    target: TargetSpec | None,
    variant: VariantRecord | None,
    values: Mapping[str, Any],
) -> str:
    """Return the other model that a deployment replaces, as far as known; else empty."""
    if target is None or variant is None or values.get(ENDPOINT) or values.get(REPLACE):
        return ""
    running = workspace.registry.history.running().get(target.name)
    served = ReleaseDetails.of(running).name if running is not None else ""
    return "" if served == variant.model_name else served


class ReplaceQuestion(QWidget):
    """The confirmation before one model replaces another; hidden until needed.

    Args:
        go_on: Called with a yes.
    """

    def __init__(self, go_on: Callable[[], None]) -> None:
        super().__init__()
        self._go_on = go_on
        self.text = label("", wrap=True)
        self.confirm = button("Replace", self._replace, "danger")
        self.cancel = button("Cancel", self.hide, "link")
        layout = row(self.text, self.confirm, self.cancel)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        self.hide()

    def show_question(self, place: str, served: str, model: str) -> None:
        """Show the question.

        Args:
            place: The target, as it is called within a sentence.
            served: Name of the model that is served there now.
        """
        self.text.setText(
            f"Replace {served} by {model} on {place}? To keep both, cancel and enter an endpoint "
            "name in the form."
        )
        self.show()
        self.cancel.setFocus()

    def _replace(self) -> None:
        self.hide()
        self._go_on()
