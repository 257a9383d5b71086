"""The view of many boards: a filter line, groups with their figures, and the boards themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue, from_json
from studio.gui import figures
from studio.gui.pages.fleet.boards_model import (
    CELSIUS,
    MEMORY,
    P50,
    RELEASE,
    BoardsModel,
    ago,
)
from studio.gui.pages.fleet.boards_table import BoardsTable
from studio.gui.pages.fleet.broker_card import BrokerCard
from studio.gui.pages.fleet.groups_model import GroupsModel
from studio.gui.pages.fleet.quiet_table import ROW, QuietTable
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, ElidedLabel, Hint, button, label, row
from studio.gui.widgets.style_parts import PartStack
from studio.monitoring.boards.results import BoardsResult
from studio.workspace.boards.filter_line import read_filter, toggled
from studio.workspace.boards.snapshots import MESSAGE, BoardsFeed
from studio.workspace.boards.view import FIXED_GROUPS, BoardsSnapshot

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, Workspace

STEP = "fleet-watch"
_EVERY_S = 1.0
_BOARDS, _EMPTY, _FORM = range(3)
_EMPTY_TEXT = "Boards that publish their state to a NATS or MQTT broker appear here."
_WIDTHS = (80, 0, 112, 88, 88, 76, 72, 72, 60, 52, 64, 0)
_GROUP_WIDTHS = (0, 80, 72, 84, 96, 72, 108, 84, 116, 116, 116)
_GROUP_SPARE = (9, 10)
"""Memory and temperature of groups, which a narrow window leaves out."""
_SPARE = (RELEASE, P50, MEMORY, CELSIUS)
"""Columns that a narrow window leaves to the tooltip."""
_NARROW = 960
_MOST_ROWS = 6
_TYPING_MS = 150


class FleetBoardsView(QWidget):
    """The view; while it is shown, a worker reads the broker and a thread makes snapshots.

    Signals:
        arrived: A snapshot, from the thread.
    """

    arrived = Signal(object)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self._lost = ""
        self.strip = JobStrip()
        self.broker = BrokerCard(workspace.settings)
        self.feed: BoardsFeed | None = None
        self.boards, self.groups = BoardsModel(shell.theming), GroupsModel(shell.theming)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(
            "Filter: site=north release:3fa9 model:digits state:silent alert:drift cam"
        )
        self.filter.setAccessibleName("Filter of the boards")
        self.filter.setClearButtonEnabled(True)
        self.by = QComboBox()
        self.by.setAccessibleName("Groups by")
        self.by.addItems(FIXED_GROUPS)
        self.fault = label("", tone="bad", wrap=True)
        self.wrong = label("", tone="bad", wrap=True)
        self.summary = ElidedLabel("Connecting…")
        self.arrival = label("", "dim")
        self.refused = ElidedLabel("")
        self.refused.setProperty("tone", "warning")
        self.again = button("Try again", self.restart)
        self.change = button("Change broker…", self.ask_broker, "link")
        self.group_table = QuietTable(
            self.groups, "Groups of boards", _GROUP_WIDTHS, (_GROUP_SPARE, _NARROW)
        )
        self.table = BoardsTable(self.boards, _WIDTHS, (_SPARE, _NARROW))
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._lay_out()
        self._connect()
        self._show_state()
        self._show_fault("")
        self._show_wrong("")
        self.refused.hide()

    def _lay_out(self) -> None:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID)
        self.filter.setMinimumWidth(30 * GRID)
        head = row(self.filter, label("Groups by", "dim"), self.by, self.change)
        head.setStretch(0, 1)
        found = row(self.summary, self.arrival, self.again)
        found.setStretch(0, 1)
        layout.addLayout(head)
        layout.addWidget(self.wrong)
        layout.addLayout(found)
        layout.addWidget(self.fault)
        layout.addWidget(self.refused)
        for table, stretch in ((self.group_table, 0), (self.table, 1)):
            card = Card()
            card.body.setContentsMargins(4, 4, 4, 4)
            card.body.addWidget(table)
            layout.addWidget(card, stretch)
        form = QWidget()
        middle = QVBoxLayout(form)
        middle.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self.broker.setMaximumWidth(60 * GRID)
        middle.addWidget(self.broker)
        middle.addStretch(1)
        self.hint = Hint("No broker yet", _EMPTY_TEXT, "Connect to a broker…", self.ask_broker)
        self.stack = PartStack(content, self.hint, form)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.stack)
        self._fit_groups()

    def _connect(self) -> None:
        self.arrived.connect(self.show_snapshot)
        self.filter.textChanged.connect(lambda _: self._typing.start())
        self.filter.returnPressed.connect(self._ask)
        self._typing.timeout.connect(self._ask)
        self.by.currentTextChanged.connect(lambda _: self._ask())
        self.group_table.clicked.connect(self._group_chosen)
        self.group_table.activated.connect(self._group_chosen)
        self.strip.message.connect(self._message)
        self.strip.finished.connect(self._ended)
        self.broker.chosen.connect(lambda _: self._broker_chosen())
        self.broker.closed.connect(self._show_state)

    # The broker

    def ask_broker(self) -> None:
        """Show the form of the broker."""
        self.stack.setCurrentIndex(_FORM)
        self.broker.begin()

    def _broker_chosen(self) -> None:
        self.close_feed()
        self.boards.show_nothing()
        self.groups.show_groups((), "")
        self.restart()

    def _show_state(self) -> None:
        self.stack.setCurrentIndex(_BOARDS if self.broker.stored else _EMPTY)

    def watch(self, wanted: bool) -> None:
        """Read the broker from now on, or no longer."""
        if wanted and self.strip.job is None and self.broker.stored and not self.fault.text():
            self._start()
        elif not wanted and self.strip.job is not None:
            self.strip.job.cancel()
            self.strip.follow(None)

    def restart(self) -> None:
        """Connect again."""
        self.watch(False)
        self._show_fault("")
        self._show_state()
        self.summary.setText("Connecting…")
        self.watch(self.isVisible())

    def _start(self) -> None:
        if self.feed is None:
            self.feed = BoardsFeed(self.arrived.emit)
            self._ask()
        stored = self.broker.stored
        job = self._shell.start(
            STEP, **stored, seconds=0.0, interval=_EVERY_S, boards=0, changes=True
        )
        self.strip.follow(job)
        self.strip.hide()  # the view itself is the progress

    def close_feed(self) -> None:
        """End the job and the thread."""
        self.watch(False)
        if self.feed is not None:
            self.feed.close()
            self.feed = None

    # What comes

    def _message(self, name: str, values: Mapping[str, JsonValue]) -> None:
        if name == MESSAGE and self.feed is not None:
            self.feed.take(values)
        elif name == "boards":
            self._show_result(from_json(BoardsResult, dict(values)))

    def _show_result(self, result: BoardsResult) -> None:
        self._show_refused(result)
        if not result.known:
            self.summary.setText("Connected. No board has published its state yet.")
        lost = result.interruptions
        self._lost = f", connection lost {figures.count(lost, 'time')}" if lost else ""

    def _show_refused(self, result: BoardsResult) -> None:
        reasons = ", ".join(
            f"{reason} ({figures.whole(count)})" for reason, count in result.refused.items()
        )
        boards = ", ".join(result.refused_boards)
        named = f" Boards: {boards}." if boards else ""
        self.refused.setText(f"Refused messages: {reasons}.{named}" if reasons else "")
        self.refused.setVisible(bool(reasons))

    def show_snapshot(self, snapshot: BoardsSnapshot) -> None:
        """Show the boards of a snapshot; the selected row and the place of the view stay."""
        if not snapshot.known:
            return
        self.table.show_snapshot(snapshot)
        self.groups.show_groups(snapshot.groups, snapshot.group)
        self._fit_groups()
        self._show_summary(snapshot)
        self._offer(snapshot)

    def _show_summary(self, snapshot: BoardsSnapshot) -> None:
        selected, known = snapshot.selected, figures.whole(snapshot.known)
        of = known if selected.boards == snapshot.known else (
            f"{figures.whole(selected.boards)} of {known}"
        )  # fmt: skip
        noun = "board" if snapshot.known == 1 else "boards"
        states = ", ".join(
            f"{figures.whole(count)} {name}"
            for name, count in reversed(list(selected.states.items()))
        )
        found = f"{of} {noun}: {states}" if states else f"No board fits the filter ({known} known)"
        self.summary.setText(found)
        self.arrival.setText(f"Last arrival {ago(snapshot.at - snapshot.heard)} ago{self._lost}")

    def _offer(self, snapshot: BoardsSnapshot) -> None:
        """Offer groups by each label that boards have."""
        names = [*FIXED_GROUPS, *snapshot.label_names]
        if self.by.count() != len(names):
            current = self.by.currentText()
            self.by.blockSignals(True)
            self.by.clear()
            self.by.addItems(names)
            self.by.setCurrentText(current)
            self.by.blockSignals(False)

    def _fit_groups(self) -> None:
        rows = min(max(self.groups.rowCount(), 1), _MOST_ROWS)
        self.group_table.setFixedHeight(
            self.group_table.horizontalHeader().height() + rows * ROW + 2
        )

    def _ended(self, outcome: JobOutcome) -> None:
        if outcome.end.value != "cancelled":
            self._show_fault(f"{outcome.sentence} {outcome.hint}".strip())
            self.summary.setText("Not connected.")

    def _show_fault(self, text: str) -> None:
        self.fault.setText(text)
        self.fault.setVisible(bool(text))
        self.again.setVisible(bool(text))

    # Filter and groups

    def _ask(self) -> None:
        self._typing.stop()
        try:
            wanted = read_filter(self.filter.text())
        except UsageError as error:
            self._show_wrong(error.message)
            return
        self._show_wrong("")
        if self.feed is not None:
            self.feed.ask(wanted, self.by.currentText())

    def _show_wrong(self, text: str) -> None:
        self.wrong.setText(text)
        self.wrong.setVisible(bool(text))

    def _group_chosen(self, index: QModelIndex) -> None:
        group = self.groups.groups[index.row()].group
        self.filter.setText(toggled(self.filter.text(), self.by.currentText(), group))
        self._ask()
