"""The list of earlier studies of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy

from studio.features.fleets.pages.studies import texts
from studio.features.fleets.pages.studies.table import candidates, short_names
from studio.gui import figures
from studio.gui.widgets.basics import Card, Pill, button, row, set_enabled
from studio.gui.widgets.tables import Table
from studio.profiling.boards.results import MEASURED, StudyResult

if TYPE_CHECKING:
    from studio.workspace.results import Recorded

COLUMNS = ("Run", "When", "Boards", "Variants", "Mean time ratio", "Verdict")
_MOST = 200
_ROWS = 6


class EarlierStudies(Card):
    """A row for each study; one is shown.

    Signals:
        chosen: The study that is to be shown.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__(texts.EARLIER, texts.EARLIER_NOTE)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._studies: list[Recorded[StudyResult]] = []
        self.table = Table(COLUMNS, (0, 4), stretch=3, name=texts.EARLIER)
        self.show_button = button("Show study", self._show)
        self.body.addWidget(self.table)
        self.body.addLayout(row(self.show_button, None))
        self.table.itemSelectionChanged.connect(self._explain)
        self.table.itemDoubleClicked.connect(lambda _: self._show())
        self.hide()
        self._explain()

    def show_studies(self, studies: Sequence[Recorded[StudyResult]]) -> None:
        """Show other studies, the newest first."""
        self.setVisible(bool(studies))
        if [one.id for one in studies[:_MOST]] == [one.id for one in self._studies]:
            return
        self._studies = list(studies[:_MOST])
        self.table.show_rows([_row(one) for one in self._studies])
        self.table.fit_height(_ROWS)
        self._explain()

    def _explain(self) -> None:
        set_enabled(self.show_button, "" if self._selected() is not None else "Select one study.")

    def _selected(self) -> Recorded[StudyResult] | None:
        y = self.table.currentRow()
        return self._studies[y] if 0 <= y < len(self._studies) else None

    def _show(self) -> None:
        chosen = self._selected()
        if chosen is not None:
            self.chosen.emit(chosen)


def _row(one: Recorded[StudyResult]) -> list[str | Pill]:
    result = one.result
    names = short_names(result)
    measured = sum(row.state == MEASURED for row in result.boards)
    total = len(result.boards)
    found = min(result.overall, key=lambda each: each.ratio or 1e9, default=None)
    word, tone = texts.verdict_word(found.verdict) if found else (MEASURED, "")
    labels = [result.reference, *candidates(result)]
    return [
        str(one.id),
        figures.moment(one.created),
        str(total) if measured == total else f"{measured} of {total}",
        ", ".join(names.get(label, label) for label in labels),
        figures.ratio_with_interval(found.ratio, found.low, found.high) if found else "",
        Pill(word, tone),
    ]
