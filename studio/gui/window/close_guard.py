"""The end of the window: the question about running jobs, and the wait for them without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QMessageBox, QWidget

from studio.gui import figures
from studio.gui.widgets.basics import restyle

if TYPE_CHECKING:
    from studio.workspace import Workspace

SETTING = "closing"
ASK, BACKGROUND, STOP = "ask", "background", "stop"
LOOK_MS = 500
_MOST_NAMED = 4


class ClosingDialog(QMessageBox):
    """The question what becomes of the running jobs.

    Attributes:
        background, stop, stay: The buttons. Enter presses the focused one, Esc stays.
    """

    def __init__(self, titles: Sequence[str], parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Edgewright")
        self.setIcon(QMessageBox.Icon.Question)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(_sentence(titles))
        self.setInformativeText(_explanation(titles))
        role = QMessageBox.ButtonRole
        self.background = self.addButton("Continue in the background", role.AcceptRole)
        restyle(self.background, kind="primary")
        self.stop = self.addButton("Stop and keep", role.DestructiveRole)
        self.stay = self.addButton("Stay", role.RejectRole)
        self.setDefaultButton(self.background)
        self.setEscapeButton(self.stay)


class Closing(QObject):
    """The guard of the window's end.

    Attributes:
        dialog: The question while it is shown.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._workspace: Workspace | None = None
        self._is_decided = False
        self.dialog: ClosingDialog | None = None
        self._watch = QTimer(self, interval=LOOK_MS)
        self._watch.timeout.connect(self._look)

    def follow(self, workspace: Workspace) -> None:
        """Guard the jobs of a workspace from now on."""
        self._workspace = workspace

    def allows(self) -> bool:
        """Return whether the window may close now; otherwise a dialog opens."""
        titles = [] if self._is_decided else self._unfinished()
        if self._workspace is None or not titles:
            return True
        wish = str(self._workspace.settings[SETTING])
        if wish == STOP:
            return True
        if wish == BACKGROUND:
            self.go_on()
        elif self.dialog is None:
            self._ask(titles)
        return False

    def stop(self) -> None:
        """Close the window; its jobs are cancelled, and listed as interrupted."""
        self._is_decided = True
        self._window.close()

    def go_on(self) -> None:
        """Hide the window, and end the program when the last job has ended."""
        QGuiApplication.setQuitOnLastWindowClosed(False)
        self._window.hide()
        self._watch.start()

    def _ask(self, titles: Sequence[str]) -> None:
        """Show the question without a loop of its own, as events of jobs must come through."""
        # A dialog of the top bar, so that it is dressed.
        dialog = ClosingDialog(titles, self._window.menuWidget())
        self.dialog = dialog
        dialog.finished.connect(self._answered)
        dialog.open()
        dialog.background.setFocus(Qt.FocusReason.OtherFocusReason)

    def _answered(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is None:
            return
        chosen = dialog.clickedButton()
        dialog.deleteLater()
        if chosen is dialog.stop:
            self.stop()
        elif chosen is dialog.background:
            self.go_on()

    def _unfinished(self) -> list[str]:
        """Return the titles of the jobs whose work would be lost."""
        if self._workspace is None:
            return []
        titles = [job.title for job in self._workspace.unfinished()]
        # Between two steps of a pipeline no job runs.
        return titles or ["A pipeline"] * len(self._workspace.runs.running())

    def _look(self) -> None:
        if self._unfinished():
            return
        self._watch.stop()
        self._is_decided = True
        self._window.close()
        QGuiApplication.quit()


def _sentence(titles: Sequence[str]) -> str:
    if len(titles) == 1:
        return f"{titles[0]} has not finished."
    named = ", ".join(titles[:_MOST_NAMED])
    more = len(titles) - _MOST_NAMED
    rest = f" and {more} more" if more > 0 else ""
    return f"{figures.count(len(titles), 'job')} have not finished: {named}{rest}."


def _explanation(titles: Sequence[str]) -> str:
    job = "the job" if len(titles) == 1 else "the jobs"
    return (
        f"In the background, {job} can finish without the window. Activity shows the outcome when "
        "you open the studio again. If you stop, all earlier results are kept, and Activity lists "
        f"{job} as interrupted with Try again."
    )
