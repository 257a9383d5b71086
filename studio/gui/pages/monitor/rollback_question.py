"""The question before a change of what other machines or other models answer."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from studio.api import TargetSpec
from studio.gui.pages.monitor.release_rows import ReleaseRow
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.question import Question


def must_ask(target: TargetSpec, live_model: str, wanted: ReleaseRow) -> bool:
    """Return whether a rollback needs a confirmation.

    On this computer, a rollback to another version of the same model is undone with one click, so
    it does not ask. Anything on the network asks, and so does the end of another model.
    """
    return target_rows.is_remote(target) or (bool(live_model) and live_model != wanted.model)


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
