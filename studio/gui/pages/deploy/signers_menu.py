"""The menu of a board's allowed signers: releases signed by known keys only, or any."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from studio.deployment.results import TrustResult
from studio.gui.pages.shared import target_rows

STEP = "trust"
KINDS = "Keys and signers (*.pub allowed_signers *signers*);;All files (*)"


def signers_menu(
    owner: QWidget, name: str, start: Callable[..., object], choose: Callable[[], str] | None = None
) -> QMenu:
    """Return the menu of commands for a board's signers.

    Args:
        start: Called with the options of the step.
        choose: Gives the path of a file of signers, empty when none was chosen.
    """
    menu = QMenu(owner)
    menu.setToolTipsVisible(True)

    def require() -> None:
        path = (choose or (lambda: _chosen(owner, name)))()
        if path:
            start(target=name, signers=path)

    one = menu.addAction("Require signed releases…", require)
    one.setToolTip("Choose an SSH key (.pub) or a file of allowed signers.")
    menu.addAction("Allow unsigned releases", lambda: start(target=name))
    return menu


def sentence(result: TrustResult) -> str:
    """Return what a board accepts from now on."""
    name = target_rows.named(result.target)
    if not result.signers:
        return f"{name} accepts unsigned releases."
    return f"{name} accepts only releases signed by {' or '.join(result.signers)}."


def _chosen(owner: QWidget, name: str) -> str:
    title = f"Allowed signers of {target_rows.spoken(name)}"
    return QFileDialog.getOpenFileName(owner, title, "", KINDS)[0]
