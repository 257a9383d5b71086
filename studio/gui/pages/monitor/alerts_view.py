"""Rules and channels of the alert file, with the forms to edit and test them, and silences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from studio.api import StudioError
from studio.documents.dataclass_json import JsonValue, from_json
from studio.gui.pages.monitor.alert_form import AlertForm
from studio.gui.pages.shared.stage_page import JobStrip, StateRow, StateRows
from studio.gui.shell import Shell
from studio.gui.widgets.basics import Card, ElidedLabel, Scroll, button, label, row, set_enabled
from studio.gui.widgets.tables import Table
from studio.monitoring.results import ChannelTest
from studio.workspace import JobOutcome, Workspace
from studio.workspace.alert_file import CHANNELS, RULES, rule_text
from studio.workspace.alert_file import Table as FileTable

TEST_STEP = "monitor-test"
_RULE_COLUMNS = ("Rule", "When", "Level", "Targets")
_CHANNEL_COLUMNS = ("Channel", "Kind", "Where", "Levels")
_NO_RULE = (
    "No rules. Built-in alerts cover readiness, errors, latency, drift, restarts and unreachable "
    "targets."
)
_NO_CHANNEL = "No channels. Alerts appear in the inbox only."


class AlertsView(QWidget):
    """The one file that the views Endpoint and Fleet watch by, and ``studio monitor --alerts``."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self._workspace, self._shell = workspace, shell
        self.book = workspace.alerts
        self._tables: dict[str, Sequence[FileTable]] = {RULES: (), CHANNELS: ()}
        self.file = ElidedLabel("")
        self.fault = label("", tone="bad", wrap=True)
        self.other = button("Choose another file…", self._choose)
        self.rules = Table(_RULE_COLUMNS, stretch=1, name="Alert rules")
        self.channels = Table(_CHANNEL_COLUMNS, stretch=2, name="Alert channels")
        self.no_rule = label(_NO_RULE, "dim", wrap=True)
        self.no_channel = label(_NO_CHANNEL, "dim", wrap=True)
        self.form = AlertForm(self.book)
        self.add_rule = button("Add a rule", lambda: self._add(RULES))
        self.edit_rule = button("Edit", lambda: self._edit(RULES))
        self.remove_rule = button("Remove", lambda: self._remove(RULES))
        self.add_channel = button("Add a channel", lambda: self._add(CHANNELS))
        self.edit_channel = button("Edit", lambda: self._edit(CHANNELS))
        self.remove_channel = button("Remove", lambda: self._remove(CHANNELS))
        self.test = button("Send a test", self._test)
        self.strip = JobStrip()
        self.tested = StateRows("Tests")
        self.held = StateRows("Silenced")
        self.not_held = label("No active silences.", "dim")
        self._lay_out()
        self.form.saved.connect(self._saved)
        self.form.failed.connect(shell.fail)
        self.form.closed.connect(self._closed)
        self.strip.message.connect(self._show_test)
        self.strip.finished.connect(self._ended)
        for table, what in ((self.rules, RULES), (self.channels, CHANNELS)):
            table.currentCellChanged.connect(lambda *_: self._explain())
            table.cellDoubleClicked.connect(lambda *_, what=what: self._edit(what))

    def _lay_out(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        content = Scroll()
        outer.addWidget(content)
        head = Card("Alert file", "Used by Endpoint, Fleet and studio monitor --alerts.")
        line = row(self.file, self.other)
        line.setStretch(0, 1)
        head.body.addLayout(line)
        head.body.addWidget(self.fault)
        rules = Card("Rules")
        rules.body.addWidget(self.no_rule)
        rules.body.addWidget(self.rules)
        rules.body.addLayout(row(self.add_rule, self.edit_rule, self.remove_rule, None))
        rules.body.addStretch(1)
        channels = Card("Channels")
        channels.body.addWidget(self.no_channel)
        channels.body.addWidget(self.channels)
        buttons = (self.add_channel, self.edit_channel, self.remove_channel, self.test)
        channels.body.addLayout(row(*buttons, None))
        channels.body.addWidget(self.strip)
        channels.body.addWidget(self.tested)
        channels.body.addStretch(1)
        held = Card("Silenced", "Silenced or acknowledged alerts. No channel is notified.")
        held.body.addWidget(self.not_held)
        held.body.addWidget(self.held)
        for part in (head, self.form, rules, channels, held):
            content.body.addWidget(part)
        self._scroll = content
        content.body.addStretch(1)

    def refresh(self) -> None:
        """Read the alert file and the silences."""
        self.file.setText(str(self.book.path))
        fault = ""
        try:
            plan, rules, channels = self.book.read()
        except StudioError as error:
            fault = f"{error.message} {error.hint or ''}".strip()
            self._tables = {RULES: (), CHANNELS: ()}
            self.rules.show_rows(())
            self.channels.show_rows(())
        else:
            self._tables = {RULES: rules, CHANNELS: channels}
            kinds = self.book.kinds
            self.rules.show_rows(
                (
                    rule.name,
                    rule_text(table),
                    rule.level,
                    ", ".join(rule.targets) or "all",
                )
                for rule, table in zip(plan.rules, rules, strict=True)
            )
            self.channels.show_rows(
                (spec.name, kinds[spec.kind], spec.destination, " and ".join(spec.levels))
                for spec in plan.channels
            )
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))
        for table, empty in ((self.rules, self.no_rule), (self.channels, self.no_channel)):
            table.setVisible(table.rowCount() > 0)
            empty.setVisible(table.rowCount() == 0 and not fault)
            table.fit_height(8)
            if table.rowCount() and table.currentRow() < 0:
                table.setCurrentCell(0, 0)
        self._show_silences()
        self._explain()

    def _show_silences(self) -> None:
        holds = self._workspace.inbox.holds.current()
        self.held.show_rows(StateRow(hold.kind, "", hold.target, hold.text) for hold in holds)
        self.held.setVisible(bool(holds))
        self.not_held.setVisible(not holds)

    # What can be done

    def _explain(self) -> None:
        """Disable each unusable button with the reason."""
        fault = "Fix the alert file first." if self.fault.text() else ""
        busy = fault or (
            "Save or cancel the open form first." if self.form.isVisibleTo(self) else ""
        )
        for add in (self.add_rule, self.add_channel):
            set_enabled(add, busy)
        for what, table, *buttons in (
            (RULES, self.rules, self.edit_rule, self.remove_rule),
            (CHANNELS, self.channels, self.edit_channel, self.remove_channel, self.test),
        ):
            none = "" if self._chosen(table) >= 0 else f"Add a {what[:-1]} first."
            for one in buttons:
                set_enabled(one, busy or none)
        if self.strip.running:
            set_enabled(self.test, "Sending a test…")

    def _chosen(self, table: Table) -> int:
        """Return the row; -1 for none."""
        return table.currentRow() if table.rowCount() else -1

    def _table_of(self, what: str) -> Table:
        return self.rules if what == RULES else self.channels

    def _add(self, what: str) -> None:
        self.form.edit(what, len(self._tables[what]))
        self._opened()

    def _edit(self, what: str) -> None:
        place = self._chosen(self._table_of(what))
        if place >= 0 and not self.form.isVisibleTo(self):
            self.form.edit(what, place, self._tables[what][place])
            self._opened()

    def _closed(self) -> None:
        """The keyboard goes back to where the form came from."""
        self._explain()
        (self.add_rule if self.form.what == RULES else self.add_channel).setFocus()

    def _opened(self) -> None:
        """Bring the form into view, with the keyboard in it."""
        self._scroll.verticalScrollBar().setValue(0)
        self.form.begin()
        self._explain()

    def _remove(self, what: str) -> None:
        place = self._chosen(self._table_of(what))
        try:
            self.book.remove(what, place)
        except StudioError as error:
            self._shell.fail(error)
        self.refresh()

    def _saved(self, name: str) -> None:
        self._shell.notify(
            f"Saved {name} in {self.book.path.name}. Restart monitoring to apply it."
        )
        self.refresh()

    def _choose(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Alert file", str(self.book.path), "Alert files (*.toml);;All files (*)"
        )
        if chosen:
            self.use(Path(chosen))

    def use(self, path: Path) -> None:
        """Watch by another file from now on."""
        self.book.use(path)
        self.form.close_form()
        self.refresh()

    def _test(self) -> None:
        place = self._chosen(self.channels)
        item = self.channels.item(place, 0)
        if item is not None:
            self.tested.show_rows(())
            options = {"alerts": str(self.book.path), "channel": item.text()}
            self.strip.follow(self._shell.start(TEST_STEP, **options))
            self._explain()

    def _show_test(self, name: str, values: dict[str, JsonValue]) -> None:
        if name == "tested":
            test = from_json(ChannelTest, values)
            state, tone = ("sent", "good") if test.sent else ("not sent", "bad")
            row = StateRow(state, tone, test.channel, test.text)
            self.tested.show_rows([*self.tested.rows, row])

    def _ended(self, outcome: JobOutcome) -> None:
        if not self.tested.rows and not outcome.ok:
            self.tested.show_rows([StateRow("not sent", "bad", "Test", outcome.sentence)])
        self._explain()
