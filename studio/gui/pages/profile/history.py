"""The History view of the Profile page: all profiles of a model, and any two compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.pages.profile import modes
from studio.gui.pages.profile.rows import TONES
from studio.gui.widgets.basics import GRID, Card, Hint, Pill, button, label, row, set_enabled
from studio.gui.widgets.tables import Table
from studio.workspace import compare_profiles, profile_line

if TYPE_CHECKING:
    from studio.workspace import RunRecord

COLUMNS = ("Run", "When", "Machine", "Mode", "Variants", "Runtimes", "Fastest", "Measurement")
COMPARED = ("Variant", "Before", "After", "Ratio", "vs baseline", "")
_MOST = 200


class HistoryView(QWidget):
    """Lists the profiles; one is shown, two are compared.

    Signals:
        chosen: The profile that is to be shown.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._runs: list[RunRecord] = []
        self.table = Table(COLUMNS, (0, 7), stretch=4, name="Profiles")
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.compared = Table(COMPARED, (1, 2, 3, 4), stretch=0, name="Comparison of two profiles")
        self.notes = label("", "dim", wrap=True)
        self.show_button = button("Show", self._show)
        self.compare_button = button("Compare", self._compare)
        self._nothing = Hint(
            "No profile yet", "Saved profiles appear here. Select two to compare them."
        )
        self._list = Card(
            "Profiles of this model", "Select one to show it, or two to compare them."
        )
        self._result = Card("Comparison")
        self._arrange()
        self.table.itemSelectionChanged.connect(self._explain)
        self.table.itemDoubleClicked.connect(lambda _: self._show())
        self.show_runs([])

    def _arrange(self) -> None:
        self._list.body.addWidget(self.table, 1)
        self._list.body.addLayout(row(self.show_button, self.compare_button, None))
        self._result.body.addWidget(self.compared)
        self._result.body.addWidget(self.notes)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        for part in (self._list, self._result, self._nothing):
            layout.addWidget(part, 1 if part is not self._result else 0)

    def show_runs(self, runs: Sequence[RunRecord]) -> None:
        """Show other profiles, the newest first."""
        self._list.setVisible(bool(runs))
        self._nothing.setVisible(not runs)
        if [run.id for run in runs[:_MOST]] == [run.id for run in self._runs]:
            return
        self._runs = list(runs[:_MOST])
        self._result.hide()
        self.table.show_rows([_row(profile_line(run)) for run in self._runs])
        self._explain()

    def _selected(self) -> list[RunRecord]:
        """The selected profiles, the oldest first."""
        rows = {index.row() for index in self.table.selectedIndexes()}
        return [self._runs[y] for y in sorted(rows, reverse=True) if y < len(self._runs)]

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

    def show_comparison(self, found: Mapping[str, Any]) -> None:
        """Show what has changed between two profiles."""
        before, after = found["before"], found["after"]
        self._result.heading.setText(f"Run {after['run']} vs run {before['run']}")
        self.compared.show_rows([_compared(each) for each in found["rows"]])
        self.compared.fit_height(8)
        self.compared.setVisible(bool(found["rows"]))
        sentences = [
            *(f"{_NAMES.get(d['key'], d['key'])}: {d['before']} before, {d['after']} after."
              for d in found["differences"]),
            *(f"Only in run {line['run']}: {', '.join(names)}."
              for line, names in ((before, found["only_before"]), (after, found["only_after"]))
              if names),
            *found["notes"],
        ]  # fmt: skip
        self.notes.setText("\n".join(sentences))
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._result.show()


_NAMES = {"cpu": "Processor", "governors": "Governors", "power_mode": "Power mode", "os": "System"}


def _row(line: Mapping[str, Any]) -> list[str | QWidget]:
    machine = "this computer" if line["target"] == "local" else str(line["target"])
    fastest = str(line["fastest"] or figures.NOTHING)
    return [
        str(line["run"]),
        figures.moment(line["at"]),
        machine,
        str(line["mode"]) + ("" if line["complete"] else ", interrupted"),
        ", ".join(name.rpartition(":")[2] for name in line["models"]),
        ", ".join(line["backends"]),
        fastest.partition(":")[2] or fastest,
        f"{modes.amount(line['best'])} {line['unit']}" if line["best"] else figures.NOTHING,
    ]


def _compared(each: Mapping[str, Any]) -> list[str | QWidget]:
    ratio = figures.ratio_with_interval(each["ratio"], each["low"], each["high"])
    relative = figures.number(each["relative"])
    return [
        str(each["id"]),
        modes.amount(each["before"]),
        modes.amount(each["after"]),
        ratio,
        figures.NOTHING if relative is None else f"{relative:.3f}",
        Pill(each["verdict"], TONES.get(each["verdict"], "")),
    ]
