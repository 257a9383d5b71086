"""The results of a profile on one page: table, distribution, operators, timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from studio.api.qt import plain_tip
from studio.gui.charts.chart import Chart, Drawing
from studio.gui.pages.profile import modes, rows, verdict
from studio.gui.pages.profile.operators_card import OperatorViews
from studio.gui.pages.profile.token_tables import TokenTables
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, FieldList, Pill, Segmented, label, row
from studio.gui.widgets.tables import Table
from studio.gui.widgets.two_columns import TwoColumns
from studio.lazy_dataclass import dataclass
from studio.profiling.results import ProfileResult, ProfileRun

DISTRIBUTION, TRADEOFF, STATISTICS, NOTHING = range(4)
_RUNTIME, _DEVICE = 1, 2
_MOST_ROWS = 10
_ERROR = 6
_CHART = QSize(216, 132)

NO_SPREAD = "The distribution appears after the last round."
_WAITING = "The models are being loaded. The first figures appear here."


@dataclass(frozen=True, slots=True)
class Quality:
    """Facts about the variants besides their speed, by name.

    Attributes:
        metric: Each one's metric, as it was measured when the variant was made.
        title: The metric's name.
        sizes: Bytes of the files.
    """

    metric: Mapping[str, float] = field(default_factory=dict)
    title: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)


class ResultsView(QWidget):
    """The figures of a profile; everything below the table is about the selected run.

    Signals:
        selected: Another run is selected.
        node_asked: Key of the run, and the name of a node that is to be shown in the graph.
    """

    selected = Signal()
    node_asked = Signal(str, str)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.result = ProfileResult()
        self.rows: list[rows.ProfileRow] = []
        self._quality = Quality()
        self._is_running = False
        self.table = Table(rows.COLUMNS, rows.NUMERIC, stretch=0, name="Latencies")
        self.waiting = label(_WAITING, "dim", wrap=True)
        self.waiting.setContentsMargins(11, 0, 11, 0)
        self.waiting.hide()
        self.distribution = Chart(theming, "Latency distribution", _CHART)
        self.tradeoff = Chart(theming, "Accuracy vs latency", _CHART)
        self.statistics = FieldList(name_width=20 * GRID)
        self.view = Segmented(name="Detail of the results")
        self._tabs = [self.view.add(title) for title in ("Distribution", "Accuracy", "Statistics")]
        self.operators = OperatorViews(theming)
        self._fit = QTimer(self, singleShot=True, interval=0)  # when the table has its new width
        self._fit.timeout.connect(self._fit_columns)
        self._build()
        self.table.itemSelectionChanged.connect(self._show_selected)
        self.tradeoff.picked.connect(self.table.selectRow)
        self.view.changed.connect(lambda _: self._show_detail())
        self.operators.table.graph_asked.connect(self._ask_node)

    def _build(self) -> None:
        listed = Card("Results")
        listed.body.setContentsMargins(4, 2 * GRID - 2, 4, 4)
        listed.heading.setContentsMargins(11, 0, 11, 0)
        listed.body.addWidget(self.table)
        listed.body.addWidget(self.waiting)
        listed.body.addStretch(1)
        self._detail = QStackedWidget()
        nothing = label(NO_SPREAD, "dim", wrap=True)
        nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for view in (self.distribution, self.tradeoff, self._statistics(), nothing):
            self._detail.addWidget(view)
        self._heading = label("", "section")
        detail = Card()
        detail.setAccessibleName("Detail of the results")
        detail.body.addLayout(row(self._heading, None, self.view))
        detail.body.addWidget(self._detail, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID + GRID // 2)
        upper = TwoColumns(listed, detail, (6, 5))
        upper.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        layout.addWidget(upper)
        self._operators = TwoColumns(self.operators.table, self.operators.timeline, (1, 1))
        self.tokens = TokenTables()
        self.tokens.hide()
        layout.addWidget(self._operators, 1)
        layout.addWidget(self.tokens, 1)

    def _statistics(self) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.statistics)
        column.addStretch(1)
        return holder

    def show_result(
        self, result: ProfileResult, names: rows.Names, quality: Quality, *, running: bool = False
    ) -> None:
        """Show a profile, or what is known of one that is measured."""
        kept = self.selected_key()
        self.result, self._quality, self._is_running = result, quality, running
        self.rows = rows.table(result, names)
        self._show_tokens()
        self.table.setHorizontalHeaderLabels(list(rows.headings(result)))
        self.table.blockSignals(True)
        self.table.show_rows([[*item.texts, _pill(item)] for item in self.rows])
        for column in (_RUNTIME, _DEVICE):  # what is the same for all is in the line of settings
            values = {item.texts[column] for item in self.rows if not item.reason}
            self.table.setColumnHidden(column, len(values) < 2)
        self._fit_columns()
        keys = [item.key for item in self.rows]
        wanted = kept if kept in keys else verdict.best(result)
        if keys:
            self.table.selectRow(keys.index(wanted) if wanted in keys else 0)
        self.table.blockSignals(False)
        is_waiting = running and not keys
        self.waiting.setVisible(is_waiting)
        if is_waiting:  # what stood here belongs to the run before
            self.operators.show_run(result, "", running=True)
            self._detail.setCurrentIndex(NOTHING)
        self._show_selected()

    def _show_tokens(self) -> None:
        """Show the tables of language models in place of the operators, which they have not."""
        in_tokens = modes.mode_of(self.result) == modes.TOKENS_MODE
        self._operators.setHidden(in_tokens)
        self.tokens.setVisible(in_tokens)
        if in_tokens:
            self.tokens.show_result(self.result)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide the error where the table has no room for it; it is in the statistics, too."""
        super().resizeEvent(event)
        self._fit.start()

    def _fit_columns(self) -> None:
        table = self.table
        table.setColumnHidden(_ERROR, False)
        table.setColumnHidden(_ERROR, table.needed_width() > table.viewport().width())
        table.fit_columns()
        table.fit_height(_MOST_ROWS)

    def forget_selection(self) -> None:
        """Select the proposed run when the next result is shown."""
        self.table.blockSignals(True)
        self.table.setCurrentCell(-1, -1)
        self.table.blockSignals(False)

    def selected_key(self) -> str:
        """Return the key of the selected run; empty without one."""
        y = self.table.currentRow()
        return self.rows[y].key if 0 <= y < len(self.rows) else ""

    def selected_row(self) -> rows.ProfileRow | None:
        """Return the selected row."""
        key = self.selected_key()
        return next((item for item in self.rows if item.key == key), None)

    def selected_run(self) -> ProfileRun | None:
        """Return the selected run."""
        return rows.run_of(self.result, self.selected_key())

    def show_node(self, name: str) -> bool:
        """Select the time of a node; False where the selected run has none of it."""
        return self.operators.show_node(name)

    def _ask_node(self, position: int) -> None:
        name = self.operators.node_name(position)
        if name:
            self.node_asked.emit(self.selected_key(), name)

    def _show_selected(self) -> None:
        key = self.selected_key()
        if not key:  # between two fillings of the table nothing is selected
            return
        result = self.result
        mode = modes.mode_of(result)
        drawing: Drawing | None = rows.distribution(result, key)
        if mode != modes.LATENCY:
            drawing = modes.drawing(result, rows.chart_names(result))
        self.distribution.show_drawing(drawing)
        self._show_tradeoff(key)
        self.statistics.show_fields(() if self._is_running else rows.certainty(result, key))
        self.operators.show_run(result, key, running=self._is_running)
        self.selected.emit()

    def _show_tradeoff(self, key: str) -> None:
        known = self._quality
        found = rows.tradeoff(self.result, known.metric, known.title, key, known.sizes)
        self.tradeoff.show_drawing(None if self._is_running else found)
        has_figures = found is not None and not self._is_running
        self._tabs[TRADEOFF].setVisible(has_figures)
        self._tabs[STATISTICS].setVisible(not self._is_running)
        if self._is_running or (not has_figures and self.view.index() == TRADEOFF):
            self.view.choose(DISTRIBUTION)
        self._show_detail()

    def _show_detail(self) -> None:
        at = max(0, self.view.index())
        titles = (modes.CARDS[modes.mode_of(self.result)], "Accuracy vs latency", "Statistics")
        self._heading.setText(titles[at])
        is_empty = at == DISTRIBUTION and not self.distribution.accessibleDescription()
        self._detail.setCurrentIndex(NOTHING if is_empty else at)


def _pill(item: rows.ProfileRow) -> Pill:
    pill = Pill(item.state, item.tone)
    pill.setToolTip(plain_tip(item.reason or item.note))
    pill.setAccessibleDescription(item.reason or item.note)
    return pill
