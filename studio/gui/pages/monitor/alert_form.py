"""The form of one rule or channel, with what is wrong in it said as it is entered."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from studio.api import Option, StudioError
from studio.gui.forms.form import Form
from studio.gui.widgets.basics import GRID, Card, button, clear, label, row, set_enabled
from studio.workspace.alert_file import (
    CHANNELS,
    RULES,
    AlertFile,
    Table,
    channel_table,
    rule_table,
    rule_values,
)

_COLUMNS = 3
_SECRET_NOTE = "Stored as a secret on this computer, never in the alert file."


class AlertForm(Card):
    """The form of one table of the alert file.

    Signals:
        saved: The file was changed; the name of what was saved.
        failed: It was not; the error.
        closed: Nothing is edited any more.
    """

    saved = Signal(str)
    failed = Signal(object)
    closed = Signal()

    def __init__(self, book: AlertFile) -> None:
        super().__init__("Rule")
        self._book = book
        self._table: Table = {}
        self._options: Sequence[Option] = ()
        self.what, self.place = RULES, 0
        self.form: Form | None = None
        self.kind = QComboBox()
        self.kind.setAccessibleName("Kind of the channel")
        self.secret = QLineEdit()
        self.secret.setEchoMode(QLineEdit.EchoMode.Password)
        self.secret.setAccessibleName("Password or key")
        self.secret.setPlaceholderText("Leave empty to keep the current one")
        self.secret.setMinimumWidth(32 * GRID)
        self._kind_line = QWidget()
        self._kind_line.setLayout(row(label("Kind", "dim"), self.kind, None))
        self._secret_line = QWidget()
        note = label(_SECRET_NOTE, "dim")
        self._secret_line.setLayout(row(label("Password or key", "dim"), self.secret, note, None))
        self._holder = row()
        self.complaint = label("", tone="bad", wrap=True)
        self.save = button("Save", self._save, "primary")
        self.cancel = button("Cancel", self.close_form)
        self.body.addWidget(self._kind_line)
        self.body.addLayout(self._holder)
        self.body.addWidget(self._secret_line)
        self.body.addWidget(self.complaint)
        self.body.addLayout(row(self.save, self.cancel, None))
        self.kind.currentIndexChanged.connect(lambda _: self._remake())
        self.hide()

    def edit(self, what: str, place: int, table: Table | None = None) -> None:
        """Open the form.

        Args:
            what: ``rules`` or ``channels``.
            table: As it is in the file; None for a new one.
        """
        self.what, self.place, self._table = what, place, table or {}
        name = _name_of(self._table)
        one = "rule" if what == RULES else "channel"
        self.heading.setText(f"{one.capitalize()} {name}" if table else f"New {one}")
        self.kind.blockSignals(True)
        self.kind.clear()
        for kind, title in self._book.kinds.items():
            self.kind.addItem(title, kind)
        self.kind.setCurrentIndex(max(self.kind.findData(self._table.get("kind")), 0))
        self.kind.blockSignals(False)
        self._kind_line.setVisible(what == CHANNELS)
        self.kind.setEnabled(table is None)
        self.kind.setToolTip(
            "" if table is None else "The kind of a channel cannot change. Add a new channel."
        )
        self._remake()
        self.show()

    def begin(self) -> None:
        """Put the keyboard into the first field."""
        if self.form is not None:
            next(iter(self.form.fields.values())).editor.setFocus()

    def close_form(self) -> None:
        """Leave what was entered."""
        self._drop()
        self.hide()
        self.closed.emit()

    def _drop(self) -> None:
        clear(self._holder)
        self.form = None
        self.secret.clear()

    def _remake(self) -> None:
        self._drop()
        kind = str(self.kind.currentData() or "")
        is_rule = self.what == RULES
        try:
            of_channel = () if is_rule else self._book.channel_options(kind)
        except StudioError as error:
            self._options = ()
            self.complaint.setText(error.message)
            self.complaint.show()
            set_enabled(self.save, error.message)
            return
        self._options = self._book.rule_options() if is_rule else of_channel
        self.form = Form(self._options, columns=_COLUMNS)
        self.form.set_values({option.name: option.default for option in self._options})
        self.form.set_values(rule_values(self._table) if is_rule else self._table)
        self.form.changed.connect(self._check)
        self.form.submitted.connect(self._save)
        self._holder.addWidget(self.form)
        named = self._book.secret_option(kind) if not is_rule else ""
        self._secret_line.setVisible(bool(named))
        self._check()
        if not self._table:  # an empty form has no errors yet
            self.form.forget_complaints()
            self.complaint.hide()

    def table(self) -> Table:
        """Return the entered values as a table of the file; the form must be free of complaints."""
        assert self.form is not None
        values = self.form.values()
        if self.what == RULES:
            return rule_table(values)
        kind = str(self.kind.currentData())
        table = channel_table(kind, values, self._options)
        known = {option.name for option in self._options} | {"kind"}
        table |= {key: value for key, value in self._table.items() if key not in known}
        named = self._book.secret_option(kind)
        if self.secret.text() and named:
            table.setdefault(named, f"alert-{table.get('name') or kind}")
        return table

    def _check(self) -> None:
        """Show the error that the alert file's reader finds."""
        sentence = ""
        if self.form is not None:
            wrong = [f for f in self.form.fields.values() if f.editor.complaint()]
            sentence = wrong[0].editor.complaint() if wrong else ""
            sentence = sentence or self._book.check(self.what, self.place, self.table())
        self.complaint.setText(sentence)
        self.complaint.setVisible(bool(sentence))
        set_enabled(self.save, sentence)

    def _save(self) -> None:
        if self.form is None or not self.form.check() or not self.save.isEnabled():
            return
        table = self.table()
        try:
            if self.secret.text():
                named = self._book.secret_option(str(self.kind.currentData()))
                self._book.keep_secret(str(table[named]), self.secret.text())
            self._book.put(self.what, self.place, table)
        except StudioError as error:
            self.failed.emit(error)
            return
        self.close_form()
        self.saved.emit(_name_of(table))


def _name_of(table: Table) -> str:
    return next((str(table[key]) for key in ("name", "metric", "kind") if table.get(key)), "None")
