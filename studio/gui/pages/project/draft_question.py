"""The draft of a ``preprocess.toml``: shown, and written next to the model once confirmed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from studio.gui.pages.shared.question import Question

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from studio.gui.shell import Shell
    from studio.models.results import ModelFigures
    from studio.workspace import PreprocessDraft, VariantRecord, Workspace

STEP = "project-draft"
_PICTURE_AXES = 4


class DraftQuestion:
    """The question about a draft.

    Args:
        parent: A dressed part of the page.
        write: Starts the step for a variant.

    Attributes:
        question: The open question; None before the first one.
    """

    def __init__(
        self,
        workspace: Workspace,
        shell: Shell,
        parent: QWidget,
        write: Callable[[VariantRecord], object],
    ) -> None:
        self._workspace, self._shell, self._parent = workspace, shell, parent
        self._write = write
        self.question: Question | None = None

    def ask(self, variant: VariantRecord) -> None:
        """Show what would be written; an error is a message."""
        read = partial(self._workspace.projects.draft, variant)
        self._workspace.in_background(read, partial(self._ask, variant))

    def _ask(self, variant: VariantRecord, draft: PreprocessDraft | Exception) -> None:
        if isinstance(draft, Exception):
            self._shell.fail(draft)
            return
        self.question = Question(
            self._parent,
            f"Write {draft.path.name} next to {variant.model_name}?",
            f"{draft.path}\n\n{draft.text}",
            "Write",
            partial(self._write, variant),
        )
        self.question.open()


def takes_pictures(model: ModelFigures) -> bool:
    """Return whether a model may have a draft: its only input has the axes of pictures."""
    return len(model.inputs) == 1 and len(model.inputs[0].shape or ()) == _PICTURE_AXES
