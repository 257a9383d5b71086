"""Errors of plugins in slots and events of Qt, where no caller can catch them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from studio.api import StudioError
from studio.gui.pages.shared.base import Shell

if TYPE_CHECKING:
    from studio.workspace import Workspace

_Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


class Faults:
    """Shows such an error as a sentence and counts it; everything else goes on to the hook before.

    Qt's calls into Python end at ``sys.excepthook``; the frames of the error tell whose it is.
    """

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        self._workspace = workspace
        self._shell = shell
        self._before: _Hook = sys.excepthook
        self._own: _Hook = self._hear  # one object, to be recognised again
        sys.excepthook = self._own

    def close(self) -> None:
        """Put the hook back that was there before."""
        if sys.excepthook is self._own:
            sys.excepthook = self._before

    def _hear(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        plugin = self._workspace.culprit(error) if isinstance(error, Exception) else ""
        if not plugin:
            self._before(kind, error, trace)
        elif isinstance(error, StudioError):
            self._shell.fail(error)
        else:
            text = f"{type(error).__name__}: {error}".rstrip(".: ")
            sentence = f"The plugin {plugin} failed: {text}."
            self._shell.fail(StudioError(sentence, detail=_detail(error)))
            self._workspace.plugin_crashed(plugin, sentence)


def _detail(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))
