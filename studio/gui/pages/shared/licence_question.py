"""The question whether the user accepts the licence of what is to be installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from studio.gui.pages.shared.question import Question

if TYPE_CHECKING:
    from studio.workspace import Environment

TITLE = "Accept the licence?"
_ABOUT = "{} You install it for yourself; the studio does not distribute it."


def install_accepted(
    parent: QWidget, environment: Environment, install: Callable[..., object]
) -> None:
    """Install an environment; where its licence has to be accepted, when the user does so.

    Args:
        parent: A dressed part of the page.
        install: Called with the further options of the step that installs it.
    """
    if not environment.need.terms:
        install()
        return
    Question(
        parent,
        TITLE,
        _ABOUT.format(environment.need.terms),
        "Accept and install",
        lambda: install(accept_licence=True),
    ).open()
