"""The History view of the Profile page: all profiles of a model, and any two compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.pages.profile import modes
from studio.gui.pages.profile.rows import TONES
from studio.gui.pages.shared.base import show_first_view
from studio.gui.widgets.basics import GRID, Card, Hint, Pill, button, label, row, set_enabled
from studio.gui.widgets.tables import Table
from studio.workspace import compare_profiles, profile_line

if TYPE_CHECKING:
    from studio.workspace import ProfileComparison, ProfileDocument, ProfileLine, RowComparison

COLUMNS = ("Run", "When", "Machine", "Mode", "Variants", "Runtimes", "Fastest", "Measurement")
COMPARED = ("Variant", "Before", "After", "Ratio", "vs baseline", "")
_MOST = 200


class HistoryView(QWidget):
    """The list of profiles; one is shown, two are compared.

    Signals:
        chosen: The profile that is to be shown.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._profiles: list[ProfileDocument] = []
        self.table = Table(COLUMNS, (0, 7), stretch=4, name="Profiles")
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.compared = Table(COMPARED, (1, 2, 3, 4), stretch=0, name="Comparison of two profiles")
        self.notes = label("", "dim", wrap=True)
        self.show_button = button("Show", self._show)
        self.compare_button = button("Compare", self._compare)
        self._nothing = Hint(
            "No profile yet",
            "Saved profiles appear here. Select two to compare them.",
            "Go to Results",
            lambda: show_first_view(self),
        )
        self._list = Card(
            "Profiles of this model", "Select one to show it, or two to compare them."
        )
        self._result = Card("Comparison")
        self._arrange()
        self.table.itemSelectionChanged.connect(self._explain)
        self.table.itemDoubleClicked.connect(lambda _: self._show())
        self.show_profiles([])

    def _arrange(self) -> None:
        self._list.body.addWidget(self.table, 1)
        self._list.body.addLayout(row(self.show_button, self.compare_button, None))
        self._result.body.addWidget(self.compared)
        self._result.body.addWidget(self.notes)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        self._result.hide()
        for part in (self._list, self._result, self._nothing):
            layout.addWidget(part, 0 if part is self._result else 1)

    def show_profiles(self, profiles: Sequence[ProfileDocument]) -> None:
        """Show other profiles, the newest first."""
        self._list.setVisible(bool(profiles))
        self._nothing.setVisible(not profiles)
        if [one.run for one in profiles[:_MOST]] == [one.run for one in self._profiles]:
            return
        self._profiles = list(profiles[:_MOST])
        self._result.hide()
        self.table.show_rows([_row(profile_line(one)) for one in self._profiles])
        self._explain()

    def open_run(self, run: int) -> None:
        """Show the profile of a number, as if it were selected."""
        found = next((one for one in self._profiles if one.run == run), None)
        if found is not None:
            self.chosen.emit(found)

    def _selected(self) -> list[ProfileDocument]:
        """Return the selected profiles, the oldest first."""
        rows = {index.row() for index in self.table.selectedIndexes()}
        return [self._profiles[y] for y in sorted(rows, reverse=True) if y < len(self._profiles)]

    def _explain(self) -> None:
        count = len(self._selected())
        set_enabled(self.show_button, "" if count == 1 else "Select one profile.")
        set_enabled(
            self.compare_button,
            "" if count == 2 else "Select two profiles: click one, then Ctrl+click the other.",
        )

    def _show(self) -> None:
        selected = self._selected()
        if len(selected) == 1:
            self.chosen.emit(selected[0])

    def _compare(self) -> None:
        selected = self._selected()
        if len(selected) == 2:
            self.show_comparison(compare_profiles(*selected))

    def show_comparison(self, found: ProfileComparison) -> None:
        """Show what has changed between two profiles."""
        before, after = found.before.run, found.after.run
        self._result.heading.setText(f"Run {after} vs run {before}")
        self.compared.show_rows([_compared(each) for each in found.rows])
        self.compared.fit_height(8)
        self.compared.setVisible(bool(found.rows))
        sentences = [
            *(f"{_NAMES.get(d.key, d.key)}: {d.before} before, {d.after} after."
              for d in found.differences),
            *(f"Only in run {run}: {', '.join(names)}."
              for run, names in ((before, found.only_before), (after, found.only_after))
              if names),
            *found.notes,
        ]  # fmt: skip
        self.notes.setText("\n".join(sentences))
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._result.show()


_NAMES = {"cpu": "Processor", "governors": "Governors", "power_mode": "Power mode", "os": "System"}


def _row(line: ProfileLine) -> list[str | QWidget]:
    fastest = line.fastest or figures.NOTHING
    return [
        str(line.run),
        figures.moment(line.at),
        "this computer" if line.target == "local" else line.target,
        line.mode + ("" if line.complete else ", interrupted"),
        ", ".join(name.rpartition(":")[2] for name in line.models),
        ", ".join(line.backends),
        fastest.partition(":")[2] or fastest,
        f"{modes.amount(line.best)} {line.unit}" if line.best else figures.NOTHING,
    ]


def _compared(row: RowComparison) -> list[str | QWidget]:
    return [
        row.id,
        modes.amount(row.before),
        modes.amount(row.after),
        figures.ratio_with_interval(row.ratio, row.low, row.high),
        figures.ratio(row.relative, 3),
        Pill(row.verdict, TONES.get(row.verdict, "")),
    ]
