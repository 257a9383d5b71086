"""The view of what ran where and when, and who changed it, over all targets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.pages.deploy import rows as deploy_rows
from studio.gui.pages.deploy.history_verification import HistoryVerification
from studio.gui.pages.deploy.point_in_time import PointInTimeView
from studio.gui.pages.deploy.release_details import ReleaseDetails
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.base import show_first_view
from studio.gui.pages.shared.stage_page import Needs
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Hint, Segmented, label, row
from studio.gui.widgets.tables import Table, framed

if TYPE_CHECKING:
    from studio.workspace import Workspace

COLUMNS = ("When", "Target", "Model", "Release", "Result", "Who")
MOST = 500
_RIGHT_AFTER = timedelta(milliseconds=1)
EMPTY = (
    "No deployments yet",
    "Deployments, rollouts, rollbacks and undeployments on all targets appear here, with their "
    "author.",
    "Choose a target",
)
NO_MATCH = "No matching changes."


class HistoryView(QWidget):
    """Every change of what runs, the newest first; some of them, by words. And what ran when."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self.proof = HistoryVerification(workspace, shell)
        self._workspace = workspace
        self._rows: list[tuple[str, tuple[str, ...]]] = []
        self.words = QLineEdit()
        self.words.setPlaceholderText("Find a target, a model, a person, a state")
        self.words.setAccessibleName("Filter")
        self.words.setClearButtonEnabled(True)
        self.table = Table(COLUMNS, stretch=4, name="History of all targets")
        self.table.setToolTip("Double-click: state of all targets after this change.")
        self.then = PointInTimeView(workspace)
        self.view = Segmented(("Changes", "Point in time"), "Kind of history")
        self._shown: list[str] = []
        self.note = label("", "dim", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        self.listed = Needs(self._list(), Hint(*EMPTY, lambda: show_first_view(self)))
        layout.addWidget(self.listed, 1)
        layout.addWidget(self.proof)
        self.words.textChanged.connect(lambda _: self._show())
        self.view.changed.connect(self._turn)
        self.table.cellDoubleClicked.connect(lambda y, _: self._show_then(y))

    def _list(self) -> QWidget:
        changes, self.stack, content = QWidget(), QStackedWidget(), QWidget()
        layout = QVBoxLayout(changes)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID)
        layout.addLayout(row(self.words))
        layout.addWidget(framed(self.table), 1)
        layout.addWidget(self.note)
        self.stack.addWidget(changes)
        self.stack.addWidget(self.then)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID)
        layout.addLayout(row(self.view, None))
        layout.addWidget(self.stack, 1)
        return content

    def _turn(self, index: int) -> None:
        self.stack.setCurrentIndex(index)
        if index:
            self.then.refresh()

    def _show_then(self, line: int) -> None:
        """Show the releases right after a change, with a rollback's release recorded after it."""
        self.then.show_at(datetime.fromisoformat(self._shown[line]) + _RIGHT_AFTER)
        self.view.choose(1)
        self.stack.setCurrentIndex(1)

    def refresh(self) -> None:
        """Read the registry again."""
        self._rows = []
        if self.view.index():
            self.then.refresh()
        registry = self._workspace.registry
        self.proof.show_targets(registry.targets())
        by_target: dict[str, list[int]] = {}
        releases = registry.releases(most=4 * MOST)
        names: dict[str, str] = {}  # a release rolled back or undeployed is known by its id alone
        for number, release in enumerate(releases):
            by_target.setdefault(release.target, []).append(number)
            if name := ReleaseDetails.of(release).name:
                names[release.digest] = name
        told: dict[int, tuple[str, tuple[str, ...]]] = {}
        for target, numbers in by_target.items():
            some = [releases[number] for number in numbers]
            lines = deploy_rows.history(some)
            for number, release, line in zip(numbers, some, lines, strict=True):
                name, state, _, moment, _ = line
                cells = (
                    moment,
                    target_rows.named(target),
                    names.get(release.digest, ""),
                    name,
                    state,
                    ReleaseDetails.of(release).by,
                )
                told[number] = (release.created, cells)
        self._rows = [told[number] for number in sorted(told)][:MOST]
        self._show()

    def _show(self) -> None:
        words = self.words.text().lower().split()
        found = [one for one in self._rows if all(w in " ".join(one[1]).lower() for w in words)]
        self._shown = [created for created, _ in found]
        self.table.show_rows(cells for _, cells in found)
        total = figures.count(len(self._rows), "change")
        text = total if len(found) == len(self._rows) else f"{len(found)} of {total}"
        self.note.setText(f"{text}, newest first." if found else NO_MATCH)
        self.listed.show_content(bool(self._rows))
