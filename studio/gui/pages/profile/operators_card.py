"""The cards of the operators: their table by type or by node, and when each runs."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QPushButton,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from studio.api.qt import plain_tip
from studio.gui import icons
from studio.gui.charts.chart import Chart
from studio.gui.charts.timeline import Timeline
from studio.gui.pages.profile import operator_rows, rows
from studio.gui.pages.profile.operator_rows import OperatorRow
from studio.gui.theme import Theming
from studio.gui.widgets.basics import (
    GRID,
    Card,
    ElidedLabel,
    Segmented,
    button,
    label,
    row,
    set_enabled,
)
from studio.gui.widgets.sortable import SortableRow, SortableTable
from studio.profiling.results import OperatorTimes, ProfileResult

BY_TYPE, BY_NODE = range(2)
_HEADINGS = (("Operator", "Nodes"), ("Node", "Operator"))
_REST = ("ms", "Share", "vs baseline", "Kernels")
_WIDTHS = ((0, 64, 68, 124, 100, 132), (0, 132, 68, 124, 100, 132))
_NUMERIC = (2, 4)
_SHARE = 3
_SWATCH = 10
_BAR = 44
_ROWS_HEIGHT = 24 * GRID
_AGAINST, _KERNELS = 4, 5
_WIDE = 640
"""Pixels of a table from which there is room for the kernels."""

NO_TIMES = "No operator times in this profile. Tick Operators in the settings to measure them."
NOT_GIVEN = "The runtime of this run reports no times of its operators."
RUNNING = "Operators are timed after the last round."
NO_STARTS = "No start times of nodes: another runtime, or a profile of an earlier version."


class OperatorsCard(Card):
    """The operators of the selected run.

    Signals:
        node_selected: Position of a node among the slowest.
        graph_asked: The same, for a node that is to be shown in the graph.
    """

    node_selected = Signal(int)
    graph_asked = Signal(int)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.setAccessibleName("Operators")
        self._rows: list[dict[Hashable, OperatorRow]] = [{}, {}]
        self.mode = Segmented(["By type", "By node"], "Rows of the operators")
        self.about = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.about.setProperty("role", "dim")
        self.to_graph = button("Show in graph", self._ask, "link")
        self.tables = tuple(_table(theming, self._rows[view], view) for view in (BY_TYPE, BY_NODE))
        self.nothing = label(NO_TIMES, "dim", wrap=True)
        self._stack = QStackedWidget()
        for view in (*self.tables, self.nothing):
            self._stack.addWidget(view)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._build()
        self.mode.changed.connect(lambda _: self._show_table())
        for table in self.tables:
            table.chosen.connect(lambda _: self._chosen())
            table.doubleClicked.connect(lambda _: self._ask())
            table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
            action = QAction("Show in graph", table)
            action.triggered.connect(lambda _=False: self._ask())
            table.addAction(action)
        theming.changed.connect(self.update)

    def _build(self) -> None:
        self.body.setContentsMargins(4, GRID, 4, 4)
        head = row(label("Operators", "section"), self.about, self.mode, self.to_graph)
        head.setStretch(1, 1)
        head.setContentsMargins(11, 0, 11, 0)
        self.body.addLayout(head)
        self._stack.setMinimumHeight(_ROWS_HEIGHT)
        self.body.addWidget(self._stack, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide the kernels where there is no room for them."""
        super().resizeEvent(event)
        for table in self.tables:
            table.setColumnHidden(_KERNELS, event.size().width() < _WIDE)

    def show_times(
        self, times: OperatorTimes | None, baseline: OperatorTimes | None, name: str
    ) -> None:
        """Show the operators of a run against those of the baseline."""
        makers = (operator_rows.by_type, operator_rows.by_node)
        for view, make in enumerate(makers):
            found = make(times, baseline) if times is not None else []
            keyed: dict[Hashable, OperatorRow] = {
                each.texts[0] if view == BY_TYPE else each.node: each for each in found
            }
            self._rows[view].clear()
            self._rows[view].update(keyed)
            self.tables[view].show_rows(
                SortableRow(key, each.texts, each.values) for key, each in keyed.items()
            )
        text = operator_rows.note(times, name) if times is not None else ""
        self.about.setText(text)
        is_baseline = baseline is None or baseline is times
        for table in self.tables:
            table.setColumnHidden(_AGAINST, is_baseline)
        self._show_table()

    def explain(self, text: str) -> None:
        """Say why there are no operators."""
        self.nothing.setText(text)

    def select_node(self, position: int) -> None:
        """Select a node, in the rows by node."""
        self.mode.set_index(BY_NODE)
        self.tables[BY_NODE].select(position)
        self._explain()

    def selected(self) -> OperatorRow | None:
        """Return the selected row."""
        view = self.mode.index()
        key = self.tables[view].selected()
        return self._rows[view].get(key) if key is not None else None

    def _show_table(self) -> None:
        has_rows = bool(self._rows[BY_NODE])
        self._stack.setCurrentIndex(self.mode.index() if has_rows else len(self.tables))
        for part in (self.mode, self.to_graph):
            part.setVisible(has_rows)
        self._explain()

    def _chosen(self) -> None:
        self._explain()
        chosen = self.selected()
        if chosen is not None:
            self.node_selected.emit(chosen.node)

    def _ask(self) -> None:
        chosen = self.selected()
        if chosen is not None:
            self.graph_asked.emit(chosen.node)

    def _explain(self) -> None:
        chosen = self.selected()
        set_enabled(self.to_graph, "" if chosen else "Select a row first.")
        if chosen is not None and self.mode.index() == BY_TYPE:
            self.to_graph.setToolTip(plain_tip(f"Show the slowest {chosen.texts[0]} in the graph"))


def _table(theming: Theming, shown: dict[Hashable, OperatorRow], view: int) -> SortableTable:
    name = ("Operators by type", "Operators by node")[view]
    numeric = (1, *_NUMERIC) if view == BY_TYPE else _NUMERIC
    table = SortableTable((*_HEADINGS[view], *_REST), numeric, _WIDTHS[view], name)
    for column in (0, _SHARE):
        table.setItemDelegateForColumn(column, _Marked(theming, table, shown, column))
    return table


class _Marked(QStyledItemDelegate):
    """A cell with a mark in the colour of its operator: a square, or a bar of its share."""

    def __init__(
        self,
        theming: Theming,
        table: SortableTable,
        shown: dict[Hashable, OperatorRow],
        column: int,
    ) -> None:
        super().__init__(table)
        self._theming, self._table, self._shown, self._column = theming, table, shown, column

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Leave room for the mark."""
        super().initStyleOption(option, index)
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
        width = _BAR if self._column == _SHARE else _SWATCH
        option.decorationSize = QSize(width, _SWATCH)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint the cell, and the mark into the room that was left."""
        super().paint(painter, option, index)
        found = self._shown.get(self._table.content.rows[index.row()].key)
        if found is None:
            return
        theme = self._theming.current
        room: QRect = option.rect
        left, middle = room.left() + GRID + 3, room.center().y()
        if self._column == _SHARE:
            painter.fillRect(QRect(left, middle - 2, _BAR, 5), theme.color("surface_3"))
            filled = QRect(left, middle - 2, max(1, round(_BAR * found.share)), 5)
            painter.fillRect(filled, theme.color(found.token))
        else:
            square = QRect(left, middle - _SWATCH // 2, _SWATCH, _SWATCH)
            painter.fillRect(square, theme.color(found.token))


class TimelineCard(Card):
    """The nodes of the selected run on a time axis.

    Signals:
        node_selected: Position of the node that was clicked.
    """

    node_selected = Signal(int)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self.setAccessibleName("Timeline")
        self._drawing: Timeline | None = None
        self.chart = Chart(theming, "Timeline of one inference", QSize(216, 120))
        self.about = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.about.setProperty("role", "dim")
        self.nothing = label("", "dim", wrap=True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.wider = self._tool("minus", "Zoom out", lambda: self._zoom(closer=False))
        self.closer = self._tool("plus", "Zoom in", lambda: self._zoom(closer=True))
        self.whole = self._tool("fit", "Show the whole inference", self._fit)
        self._stack = QStackedWidget()
        self._build()
        self.chart.picked.connect(self.node_selected)
        theming.changed.connect(self._draw_icons)
        self._draw_icons()

    def _build(self) -> None:
        for view in (self.chart, self.nothing):
            self._stack.addWidget(view)
        head = row(label("Timeline", "section"), self.about, self.wider, self.closer, self.whole)
        head.setStretch(1, 1)
        self.body.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self.body.addLayout(head)
        self.body.addWidget(self._stack, 1)

    def _tool(self, icon: str, name: str, clicked: Callable[[], object]) -> QPushButton:
        made = button("", clicked, "quiet")
        made.setAccessibleName(name)
        made.setToolTip(plain_tip(name))
        made.setProperty("icon_name", icon)
        return made

    def _draw_icons(self) -> None:
        color = self._theming.current.color("dim")
        for each in (self.wider, self.closer, self.whole):
            each.setIcon(icons.icon(str(each.property("icon_name")), color, 16))

    def show_timeline(self, drawing: Timeline | None, reason: str, about: str) -> None:
        """Show other nodes, or the reason why there are none; the zoom of the same ones stays."""
        before = self._drawing
        if drawing is not None and before is not None and before.bars == drawing.bars:
            drawing = replace(drawing, view=before.view)
        self._drawing = drawing
        self.about.setText(about)
        self.nothing.setText(reason)
        self._stack.setCurrentIndex(1 if drawing is None else 0)
        self._show()

    def _zoom(self, *, closer: bool) -> None:
        if self._drawing is not None:
            self._drawing = self._drawing.zoomed(closer)
            self._show()

    def _fit(self) -> None:
        if self._drawing is not None:
            self._drawing = replace(self._drawing, view=(0.0, 1.0))
            self._show()

    def _show(self) -> None:
        drawing = self._drawing
        self.chart.show_drawing(drawing)
        is_whole = drawing is None or drawing.view == (0.0, 1.0)
        for each in (self.wider, self.closer, self.whole, self.about):
            each.setVisible(drawing is not None)
        for each in (self.wider, self.whole):
            each.setEnabled(not is_whole)


class OperatorViews:
    """Table and timeline of the selected run, with one selection between them."""

    def __init__(self, theming: Theming) -> None:
        self.table = OperatorsCard(theming)
        self.timeline = TimelineCard(theming)
        self._times: OperatorTimes | None = None
        self._selected = -1
        self.table.node_selected.connect(self._from_table)
        self.timeline.node_selected.connect(self._from_timeline)

    def show_run(self, result: ProfileResult, key: str, *, running: bool) -> None:
        """Show the operators of a run."""
        times = operator_rows.times_of(result, key)
        if times is not self._times:
            self._selected = -1
        self._times = times
        run = rows.run_of(result, key)
        name = rows.variant_name(run) if run else key
        reason = RUNNING if running else NOT_GIVEN if result.operators else NO_TIMES
        self.table.explain(reason)
        baseline = operator_rows.times_of(result, result.reference)
        self.table.show_times(times, baseline, name)
        self._draw(reason)

    def node_name(self, position: int) -> str:
        """Return the name of a node in the main graph; empty without one."""
        nodes = self._times.nodes if self._times is not None else ()
        return operator_rows.node_key(nodes[position])[0] if 0 <= position < len(nodes) else ""

    def show_node(self, name: str) -> bool:
        """Select a node by its name in the main graph; False where it has no time here."""
        if self._times is None:
            return False
        position = operator_rows.position_of(self._times, name)
        if position >= 0:
            self._from_timeline(position)
        return position >= 0

    def _from_table(self, position: int) -> None:
        self._selected = position
        self._draw("")

    def _from_timeline(self, position: int) -> None:
        self._selected = position
        self.table.select_node(position)
        self._draw("")

    def _draw(self, reason: str) -> None:
        times = self._times
        drawing = operator_rows.timeline(times, self._selected) if times is not None else None
        about = operator_rows.cost(times) if times is not None else ""
        self.timeline.show_timeline(drawing, NO_STARTS if times is not None else reason, about)
