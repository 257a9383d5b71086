"""The question before a change of what other machines or other models answer."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from studio.api import TargetSpec
from studio.gui.pages.monitor.release_rows import ReleaseRow
from studio.gui.pages.shared import target_rows


def is_remote(target: TargetSpec) -> bool:
    """Return whether a target is on the network."""
    return urlsplit(target.url).scheme not in ("", "local")


def must_ask(target: TargetSpec, live_model: str, wanted: ReleaseRow) -> bool:
    """Return whether a rollback needs a confirmation.

    On this computer, a rollback to another version of the same model is undone with one click, so
    it does not ask. Anything on the network asks, and so does the end of another model.
    """
    return is_remote(target) or (bool(live_model) and live_model != wanted.model)


class Question(QMessageBox):
    """A confirmation that names the object, the consequence and the verb.

    Args:
        parent: A dressed part of the page.
        verb: The text of the button that does it.
        agreed: Called after that button.
    """

    def __init__(
        self, parent: QWidget, text: str, detail: str, verb: str, agreed: Callable[[], object]
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Edgewright")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.setInformativeText(detail)
        self.confirm = self.addButton(verb, QMessageBox.ButtonRole.AcceptRole)
        self.cancel = self.addButton(QMessageBox.StandardButton.Cancel)
        self.setDefaultButton(self.cancel)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.confirm.clicked.connect(lambda _checked=False: agreed())


def rollback_question(
    parent: QWidget,
    target: TargetSpec,
    live: str,
    wanted: ReleaseRow,
    agreed: Callable[[], object],
) -> Question:
    """Return the question before a rollback.

    Args:
        live: Name of the release that is replaced.
    """
    where = target_rows.spoken(target.name)
    return Question(
        parent,
        f"Roll back {where} to {wanted.name}?",
        f"It replaces {live}. Clients of the endpoint get the answers of {wanted.name} within "
        "seconds, at the same address.",
        "Roll back",
        agreed,
    )
