"""What ran at a moment: each target, and the release that answered its clients then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime
from PySide6.QtWidgets import QDateTimeEdit, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.pages.shared import target_rows
from studio.gui.widgets.basics import GRID, Pill, button, label, row
from studio.gui.widgets.tables import Table, framed

if TYPE_CHECKING:
    from studio.versions.results import ServedRelease
    from studio.workspace import Workspace

COLUMNS = ("Target", "Model", "Release", "Since", "Until", "")
NOTE = (
    "As recorded by this computer. Includes releases in trial, also those rolled back afterwards."
)
FORM = "yyyy-MM-dd  HH:mm:ss"


class PointInTimeView(QWidget):
    """A moment to choose, and a row a target."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.moment = QDateTimeEdit(QDateTime.currentDateTime())
        self.moment.setDisplayFormat(FORM)
        self.moment.setAccessibleName("Date and time (local)")
        self.moment.setToolTip("Local time; the arrow keys change the part under the cursor.")
        self.moment.lineEdit().setTextMargins(GRID, 0, 0, 0)  # the padding of a style is ignored
        self.now_button = button("Now", self.show_now)
        self.told = label("", "dim")
        self.table = Table(COLUMNS, stretch=2, name="Releases at this time")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID)
        layout.addLayout(row(self.moment, self.now_button, GRID, self.told, None))
        layout.addWidget(framed(self.table), 1)
        layout.addWidget(label(NOTE, "dim", wrap=True))
        self.moment.dateTimeChanged.connect(lambda _: self.refresh())

    def show_now(self) -> None:
        """Show the releases that run now."""
        self.show_at(datetime.now(UTC))

    def show_at(self, when: datetime) -> None:
        """Show the releases that ran at a moment."""
        self.moment.setDateTime(QDateTime.fromMSecsSinceEpoch(int(when.timestamp() * 1000)))
        self.refresh()

    def refresh(self) -> None:
        """Read the registry again."""
        when = datetime.fromtimestamp(self.moment.dateTime().toMSecsSinceEpoch() / 1000, UTC)
        found = self._workspace.versions.at(when.isoformat()).targets
        self.table.show_rows(_cells(one.target, one.served) for one in found)
        serving = sum(one.served is not None for one in found)
        self.told.setText(f"{serving} of {figures.count(len(found), 'target')} had a release")


def _cells(target: str, served: ServedRelease | None) -> tuple[str | QWidget, ...]:
    if served is None:
        return target_rows.named(target), "", "nothing", "", "", ""
    version = f"v{served.version}" if served.version is not None else served.release[:8]
    return (
        target_rows.named(target),
        served.name,
        f"{version} {served.variant or ''}".strip(),
        figures.moment(served.since),
        figures.moment(served.until) if served.until else "still",
        _beside(served),
    )


def _beside(served: ServedRelease) -> str | QWidget:
    """Return the additional facts of a release."""
    if served.on_trial:
        return Pill("in trial", "warning")
    return Pill(f"canary v{served.canary}", "accent") if served.canary is not None else ""
